"""The effective policy, and where its values came from."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.overlays import Overlay, Override
from app.domain.policies import EffectiveQuota, Origin, Rules, Source, effective_policy
from app.domain.quotas import Period, Quota, QuotaOverride
from app.domain.service_classes import ServiceClass
from tests.factories import NOON, make_plan

GB = 1_000_000_000
SECOND = timedelta(seconds=1)
DAY = Quota(Period.DAY, GB)
MONTH = Quota(Period.MONTH, 10 * GB)


def override(quota: Quota, *, until: datetime | None = None, reason: str = "sekolah") -> QuotaOverride:
    return QuotaOverride(quota, reason, "admin", until)


@pytest.mark.parametrize(
    ("quotas", "overrides", "expected"),
    [
        pytest.param((MONTH, DAY), (), [(DAY, Origin.PLAN), (MONTH, Origin.PLAN)], id="plan alone, shortest first"),
        pytest.param(
            (DAY,), (override(Quota(Period.DAY, 1)),), [(Quota(Period.DAY, 1), Origin.USER)], id="same period: replaced"
        ),
        pytest.param((DAY,), (override(MONTH),), [(DAY, Origin.PLAN), (MONTH, Origin.USER)], id="other period: added"),
        pytest.param((), (override(DAY, until=NOON),), [], id="ended this instant"),
    ],
)
def test_effective_policy(
    quotas: tuple[Quota, ...], overrides: tuple[QuotaOverride, ...], expected: list[tuple[Quota, Origin]]
) -> None:
    policy = effective_policy(make_plan(quotas=quotas), Overlay(quotas=overrides), now=NOON)
    assert [(quota.quota, quota.origin) for quota in policy.quotas] == expected


def test_override_says_why() -> None:
    policy = effective_policy(make_plan(), Overlay(quotas=(override(DAY, reason="ujian"),)), now=NOON)
    assert policy.quotas == (EffectiveQuota(DAY, Origin.USER, "ujian"),)


def test_policy_changes_when_the_first_override_ends() -> None:
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    own = Overlay(quotas=(override(DAY, until=later), override(MONTH, until=soon), override(Quota(Period.TOTAL, 1))))
    assert effective_policy(make_plan(), own, now=NOON).changes_at == soon
    assert effective_policy(make_plan(), now=NOON).changes_at is None


# ---- values at a site, and a person's own

TEXTS = st.sampled_from(["satelit", "ujian", "piket"])
VALUES = {
    "down_bps": st.none() | st.integers(1_000, 2**32 - 1),
    "up_bps": st.none() | st.integers(1_000, 2**32 - 1),
    "down_burst_bps": st.none() | st.integers(1_000, 2**32 - 1),
    "interim_seconds": st.none() | st.integers(60, 86_400),
    "device_limit": st.none() | st.integers(1, 1_000),
    "service_class": st.sampled_from(ServiceClass),
    "filter_id": st.none() | TEXTS,
}
UNTIL = st.sampled_from([None, NOON - SECOND, NOON, NOON + SECOND, NOON + timedelta(days=1)])


@st.composite
def overlays(draw: st.DrawFn) -> Overlay:
    fields = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    periods = draw(st.lists(st.sampled_from(Period), unique=True))
    return Overlay(
        tuple(Override(field, draw(VALUES[field]), draw(TEXTS), "admin", draw(UNTIL)) for field in fields),
        tuple(
            QuotaOverride(Quota(period, draw(st.integers(0, GB))), draw(TEXTS), "admin", draw(UNTIL))
            for period in periods
        ),
    )


PLAN = replace(make_plan(quotas=(DAY,)), down_burst_bps=8_000_000, service_class=ServiceClass.GUEST)


@given(site=overlays(), plan_at_site=overlays(), own=overlays())
def test_every_value_comes_from_the_last_that_names_it_and_says_so(
    site: Overlay, plan_at_site: Overlay, own: Overlay
) -> None:
    policy = effective_policy(PLAN, own, site=(site, plan_at_site), now=NOON)
    layers = [(Origin.USER, own), (Origin.SITE, plan_at_site), (Origin.SITE, site)]
    for field in ("down_bps", "up_bps", "interim_seconds", "device_limit", "service_class", "filter_id"):
        named = next(
            ((o, one) for o, over in layers for one in over.overrides if one.field == field and one.active(NOON)), None
        )
        if named is None:
            assert (getattr(policy.plan, field), policy.source(field)) == (getattr(PLAN, field), Source(Origin.PLAN))
        else:
            origin, one = named
            assert getattr(policy.plan, field) == one.value
            assert policy.source(field) == Source(origin, one.reason, one.until)
    for period in Period:
        of_period = [
            (o, one) for o, over in layers for one in over.quotas if one.quota.period is period and one.active(NOON)
        ]
        found = next((quota for quota in policy.quotas if quota.quota.period is period), None)
        if of_period:
            origin, own_quota = of_period[0]
            assert found == EffectiveQuota(own_quota.quota, origin, own_quota.reason, own_quota.until)
        elif period is Period.DAY:
            assert found == EffectiveQuota(DAY, Origin.PLAN)
        else:
            assert found is None


@given(site=overlays(), own=overlays(), data=st.data())
def test_the_order_in_which_values_were_given_means_nothing(site: Overlay, own: Overlay, data: st.DataObject) -> None:
    def shuffled(overlay: Overlay) -> Overlay:
        return Overlay(
            tuple(data.draw(st.permutations(overlay.overrides))), tuple(data.draw(st.permutations(overlay.quotas)))
        )

    expected = effective_policy(PLAN, own, site=(site,), now=NOON)
    assert effective_policy(PLAN, shuffled(own), site=(shuffled(site),), now=NOON) == expected


@given(site=overlays(), own=overlays())
def test_a_policy_holds_until_the_first_of_its_values_ends(site: Overlay, own: Overlay) -> None:
    policy = effective_policy(PLAN, own, site=(site,), now=NOON)
    ends = [one.until for over in (site, own) for one in over.overrides if one.active(NOON)]
    ends += [one.until for over in (site, own) for one in over.quotas if one.active(NOON)]
    assert policy.changes_at == min((end for end in ends if end is not None), default=None)
    assert policy.holds(NOON)


@pytest.mark.parametrize(
    ("own", "burst"),
    [
        pytest.param({}, 8_000_000, id="the plan's own"),
        pytest.param({"down_bps": 2_000_000}, None, id="another rate brings no burst"),
        pytest.param({"down_bps": 2_000_000, "down_burst_bps": 3_000_000}, 3_000_000, id="a rate with its burst"),
        pytest.param({"down_bps": 2_000_000, "down_burst_bps": 2_000_000}, None, id="a burst that is none"),
        pytest.param({"down_burst_bps": 5_000_000}, 5_000_000, id="another burst at the same rate"),
        pytest.param({"down_bps": None}, None, id="no limit at all"),
    ],
)
def test_a_burst_belongs_to_its_rate(own: dict[str, int | None], burst: int | None) -> None:
    given = tuple(Override(field, value, "ujian", "admin") for field, value in own.items())
    assert effective_policy(PLAN, Overlay(given), now=NOON).plan.down_burst_bps == burst


def test_who_has_nothing_of_their_own_shares_a_policy_for_each_site_that_says_something() -> None:
    over = Overlay((Override("down_bps", 1_000_000, "satelit", "admin"),))
    rules = Rules({PLAN.id: PLAN, "other": replace(PLAN, id="other")}, {"gusung": {PLAN.id: over}})
    anywhere = rules.policy(PLAN.id, None, None, NOON)
    assert rules.policy(PLAN.id, None, "melahing", NOON) is anywhere
    at_gusung = rules.policy(PLAN.id, None, "gusung", NOON)
    assert rules.policy(PLAN.id, None, "gusung", NOON) is at_gusung
    assert (anywhere.plan.down_bps, at_gusung.plan.down_bps) == (4_000_000, 1_000_000)
    assert rules.policy("other", None, "gusung", NOON).plan.down_bps == 4_000_000


def test_shared_policy_is_worked_out_anew_when_a_value_ends() -> None:
    over = Overlay((Override("down_bps", 1_000_000, "satelit", "admin", NOON + SECOND),))
    rules = Rules({PLAN.id: PLAN}, {"gusung": {"": over}})
    assert rules.policy(PLAN.id, None, "gusung", NOON).plan.down_bps == 1_000_000
    assert rules.policy(PLAN.id, None, "gusung", NOON + SECOND).plan.down_bps == 4_000_000
