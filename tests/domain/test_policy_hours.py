"""Plans, sites, own values and hours together: what holds is what the last of them says, and its origin says which."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.local_time import WITA
from app.domain.overlays import SCHEDULE, Overlay, Override
from app.domain.plans import Plan
from app.domain.policies import Origin, Policy, Rules, Source
from app.domain.schedules import Window
from tests.factories import make_plan
from tests.hours import DAY, DAYS, MOMENTS, is_open, windows

RATES = st.none() | st.integers(1_000, 2**32 - 1)
HOURS = st.lists(windows(), max_size=3, unique_by=lambda window: window.name)


@st.composite
def overlays(draw: st.DrawFn, *, hours: bool) -> Overlay:
    fields = draw(st.sets(st.sampled_from(["down_bps", "up_bps", "down_burst_bps", SCHEDULE])))
    given_values = [(field, None if field == SCHEDULE else draw(RATES)) for field in sorted(fields)]
    return Overlay(
        tuple(Override(field, value, "sebab", "admin") for field, value in given_values),
        windows=tuple(draw(HOURS)) if hours else (),
    )


def expected(
    plan: Plan, layers: list[tuple[Origin, Overlay]], moment: datetime
) -> tuple[dict[str, Any], dict[str, Source], list[Window]]:
    """Lay everything over the plan by hand, one after the other."""
    allowed = list(plan.windows)
    for _, overlay in layers:
        if any(one.field == SCHEDULE for one in overlay.overrides):
            allowed = []
        allowed += overlay.windows
    values = {field: getattr(plan, field) for field in ("down_bps", "up_bps", "down_burst_bps")}
    sources = dict.fromkeys(values, Source())

    def put(given_values: dict[str, Any], source: Source) -> None:
        if "down_bps" in given_values and "down_burst_bps" not in given_values:
            given_values = given_values | {"down_burst_bps": None}
        for field, value in given_values.items():
            values[field], sources[field] = value, source

    def put_windows(own: tuple[Window, ...], origin: Origin) -> None:
        now_open = [window for window in own if window in allowed and is_open(window, moment, WITA)]
        for window in sorted(now_open, key=lambda window: began(window, moment)):
            if window.rates:
                put(dict(window.rates), Source(origin, window=window.name))

    put_windows(plan.windows, Origin.PLAN)
    for origin, overlay in layers:
        put({one.field: one.value for one in overlay.overrides if one.field != SCHEDULE}, Source(origin, "sebab"))
        put_windows(overlay.windows, origin)
    return values, sources, [window for window in allowed if is_open(window, moment, WITA)]


def began(window: Window, moment: datetime) -> tuple[int, int, str]:
    """Return what orders open windows: when they began, in minutes from midnight; then the longer first; then the name.

    Those of one whole day and the next are one; what has lasted for more than a week was always there.
    """
    wall = moment.astimezone(WITA)
    minute = 60 * wall.hour + wall.minute
    begins = window.begins if window.begins <= minute else window.begins - 1_440
    ends = begins + ((window.ends - window.begins) % 1_440 or 1_440)
    if window.ends - window.begins == 1_440:
        while begins > -10 * 1_440 and window.begins_on(wall.date() + DAY * (begins // 1_440 - 1), DAYS):
            begins -= 1_440
        while ends < 500 * 1_440 and window.begins_on(wall.date() + DAY * (ends // 1_440), DAYS):
            ends += 1_440
    lasted = timedelta(minutes=minute - begins, seconds=wall.second, microseconds=wall.microsecond)
    return (-100_000 if lasted >= timedelta(days=8) else begins), -ends, window.name


@given(
    hours=HOURS,
    site=overlays(hours=True),
    plan_there=overlays(hours=True),
    own=overlays(hours=False),
    moment=MOMENTS,
)
def test_what_holds_is_what_the_last_layer_says(
    hours: list[Window], site: Overlay, plan_there: Overlay, own: Overlay, moment: datetime
) -> None:
    plan = replace(make_plan(), down_burst_bps=8_000_000, windows=tuple(hours))
    rules = Rules({plan.id: plan}, {"gusung": {"": site, plan.id: plan_there}}, DAYS, WITA)
    policy = rules.policy(plan.id, own, "gusung", moment)
    layers = [(Origin.SITE, site), (Origin.SITE, plan_there), (Origin.USER, own)]
    values, sources, now_open = expected(plan, layers, moment)
    assert (policy.plan.down_bps, policy.plan.up_bps) == (values["down_bps"], values["up_bps"])
    for field in ("down_bps", "up_bps", "down_burst_bps"):
        found = policy.source(field)
        assert (found.origin, found.reason, found.window) == sources[field][:2] + sources[field][3:], field
    assert (policy.phase.closed is not None) == any(window.closed for window in now_open)
    assert (policy.phase.free is not None) == any(window.free for window in now_open)
    burst, rate = policy.plan.down_burst_bps, policy.plan.down_bps
    assert burst is None or (rate is not None and burst > rate)


@given(hours=HOURS, site=overlays(hours=True), own=overlays(hours=False), moment=MOMENTS, data=st.data())
def test_policy_says_when_it_changes(
    hours: list[Window], site: Overlay, own: Overlay, moment: datetime, data: st.DataObject
) -> None:
    plan = replace(make_plan(), windows=tuple(hours))

    def at(now: datetime) -> Policy:
        return Rules({plan.id: plan}, {"gusung": {"": site}}, DAYS, WITA).policy(plan.id, own, "gusung", now)

    policy = at(moment)
    if policy.changes_at is not None:
        between = moment + (policy.changes_at - moment) * data.draw(st.floats(0, 0.999))
        assert (at(between).plan, at(between).sources) == (policy.plan, policy.sources)
        assert policy.holds(between)
        assert not policy.holds(policy.changes_at)
