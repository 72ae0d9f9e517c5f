"""What happens to who has used a quota up: a cut, a throttle in steps, or only the public services."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import LEAST_SECONDS, Denial, DenialReason, Grant, decide_access, held_by
from app.domain.granted import limits_of
from app.domain.local_time import WITA, local_day
from app.domain.nases import COMES_BACK, NEVER_REACHED, TAKES_FILTER, TAKES_OCTETS
from app.domain.overlays import Overlay
from app.domain.plans import Plan
from app.domain.policies import effective_policy
from app.domain.quota_words import format_quota, format_then, parse_quota, parse_then
from app.domain.quotas import CUT, Action, Measure, Period, Quota, QuotaOverride, Tally, Then, read_then
from app.domain.spending import Usage, Used
from app.domain.units import UnitError
from app.domain.users import Account
from radius.vendors import PROFILES
from radius.vendors.abilities import CoaKind
from tests.factories import MAC, NOON, make_account, make_plan, usage_from_days

MB = 1_000_000
TODAY = local_day(NOON, WITA)
MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)
SLOW, SLOWER = Then(Action.THROTTLE, MB, MB), Then(Action.THROTTLE, 256_000, 128_000)
GARDEN = Then(Action.GARDEN)
STEPS = (
    Quota(Period.DAY, 500 * MB, then=SLOW),
    Quota(Period.DAY, 1000 * MB, then=SLOWER),
    Quota(Period.DAY, 2000 * MB),
)


def account_of(*quotas: Quota, **values: object) -> Account:
    plan = replace(make_plan(quotas=quotas), **values)  # type: ignore[arg-type] # values of any field
    return make_account(plan=plan)


def usage(account: Account, down: int = 0, up: int = 0, seconds: int = 0) -> Usage:
    return usage_from_days({TODAY: Used(up, down, seconds)}, TODAY, account.policy.tallies, account.billing_day)


def decide(account: Account, used: Usage, *, now: datetime = NOON, garden: bool = True) -> Grant | Denial:
    return decide_access(account, used, device=MAC, online_devices=(), now=now, zone=WITA, garden=garden)


@pytest.mark.parametrize(
    ("used", "rates", "left", "step"),
    [
        (0, (4 * MB, 2 * MB), 2000 * MB, 500 * MB),
        (500 * MB - 1, (4 * MB, 2 * MB), 1500 * MB + 1, 1),
        (500 * MB, (MB, MB), 1500 * MB, 500 * MB),
        (1000 * MB, (256_000, 128_000), 1000 * MB, None),
        (2000 * MB - 1, (256_000, 128_000), 1, None),
    ],
    ids=["fresh", "one octet before the first step", "first step", "second step", "one octet before the cut"],
)
def test_each_step_is_slower_and_the_last_one_a_cut(
    used: int, rates: tuple[int, int], left: int, step: int | None
) -> None:
    account = account_of(*STEPS)
    granted = decide(account, usage(account, used))
    assert isinstance(granted, Grant)
    assert (granted.down_bps, granted.up_bps) == rates
    assert (granted.octets_left, granted.step_octets) == (left, step)
    assert granted.renewed_seconds == (12 * 3_600 if used >= 500 * MB else None)


def test_after_the_last_step_there_is_a_cut_until_the_new_day() -> None:
    account = account_of(*STEPS)
    assert decide(account, usage(account, 2000 * MB)) == Denial(DenialReason.QUOTA_EXHAUSTED, MIDNIGHT, STEPS[-1])
    assert isinstance(decide(account, usage(account, 2000 * MB), now=MIDNIGHT), Grant)


def test_throttle_alone_never_sends_an_amount() -> None:
    account = account_of(Quota(Period.DAY, 500 * MB, then=SLOW))
    for used in (0, 499 * MB, 500 * MB, 10**12):
        granted = decide(account, usage(account, used))
        assert isinstance(granted, Grant)
        limits = limits_of(granted, others=0, acceptance_id="7fff", interim_seconds=60, accounts=True)
        assert (limits.octets, limits.down_octets, limits.up_octets, limits.session_seconds) == (None, None, None, None)


def test_router_that_cannot_be_told_cuts_at_the_octet_of_a_step_and_after_the_throttle() -> None:
    account = account_of(Quota(Period.DAY, 500 * MB, then=SLOW))
    fast, slow = decide(account, usage(account, 499 * MB)), decide(account, usage(account, 500 * MB))
    assert isinstance(fast, Grant)
    assert isinstance(slow, Grant)
    first = limits_of(fast, others=0, acceptance_id="0000", interim_seconds=60, accounts=True, steps=True)
    then = limits_of(slow, others=0, acceptance_id="ffff", interim_seconds=60, accounts=True, steps=True)
    assert (first.octets, first.session_seconds) == (MB, None)
    assert (then.octets, then.session_seconds) == (None, 12 * 3_600 + 600)


def test_time_used_up_throttles_too() -> None:
    account = account_of(Quota(Period.DAY, 3_600, Measure.TIME, SLOW))
    granted = decide(account, usage(account, seconds=3_600))
    assert isinstance(granted, Grant)
    assert (granted.down_bps, granted.session_seconds) == (MB, None)


@pytest.mark.parametrize(("garden", "name"), [(True, None), (False, "layanan")], ids=["no name", "a router without"])
def test_garden_that_is_nowhere_is_a_cut(garden: bool, name: str | None) -> None:
    account = account_of(Quota(Period.DAY, 500 * MB, then=GARDEN), garden=name)
    assert isinstance(decide(account, usage(account, 500 * MB), garden=garden), Denial)


def test_garden_is_the_plans_filter_until_the_new_period() -> None:
    account = account_of(Quota(Period.DAY, 500 * MB, then=GARDEN), garden="layanan", filter_id="warga")
    before, after = decide(account, usage(account, 1)), decide(account, usage(account, 500 * MB))
    assert isinstance(before, Grant)
    assert isinstance(after, Grant)
    assert (before.filter_id, after.filter_id) == ("warga", "layanan")
    assert (after.octets_left, after.renewed_seconds) == (None, 12 * 3_600)


def test_who_is_held_down_learns_by_what_and_until_when() -> None:
    week = Quota(Period.WEEK, 400 * MB, then=Then(Action.THROTTLE, 2 * MB, 2 * MB))
    account = account_of(Quota(Period.DAY, 500 * MB, then=SLOW), week)
    held = held_by(account, usage(account, 500 * MB), now=NOON, zone=WITA)
    assert held is not None
    assert (held.quota, held.until) == (week, datetime(2026, 11, 29, 16, tzinfo=UTC))
    assert (held.down_bps, held.up_bps, held.in_garden) == (MB, MB, False)
    assert held_by(account, usage(account, 1), now=NOON, zone=WITA) is None


@pytest.mark.parametrize(
    ("minutes", "left"), [(11, 100 * MB), (10, 600 * MB), (0.1, 600 * MB)], ids=["not yet", "ten minutes", "seconds"]
)
def test_as_a_period_ends_the_next_ones_octets_are_granted_with_it(minutes: float, left: int) -> None:
    account = account_of(Quota(Period.DAY, 500 * MB))
    granted = decide(account, usage(account, 400 * MB), now=MIDNIGHT - timedelta(minutes=minutes))
    assert isinstance(granted, Grant)
    assert granted.octets_left == left


@pytest.mark.parametrize(
    ("used", "seconds"),
    [(3_600, 3_600), (0, 3_600 + 7_200), (7_139, 61), (7_141, 60), (7_199, 60)],
    ids=["until midnight", "beyond it", "before", "a minute whole", "a second as a minute"],
)
def test_time_that_lasts_until_midnight_goes_on_after_it(used: int, seconds: int) -> None:
    account = account_of(Quota(Period.DAY, 7_200, Measure.TIME))
    granted = decide(account, usage(account, seconds=used), now=MIDNIGHT - timedelta(hours=1))
    assert isinstance(granted, Grant)
    assert granted.session_seconds == (seconds if used != 3_600 else 3_600 + 7_200)


def test_step_of_time_is_not_met_every_few_seconds_where_a_router_cuts_at_it() -> None:
    account = account_of(Quota(Period.DAY, 7_200, Measure.TIME, SLOW))
    granted = decide(account, usage(account, seconds=7_197))
    assert isinstance(granted, Grant)
    limits = limits_of(granted, others=0, acceptance_id="8000", interim_seconds=60, accounts=True, steps=True)
    assert (granted.step_seconds, limits.session_seconds) == (60, 60)


@given(st.integers(1, 86_400), st.integers(0, 90_000), st.integers(0, 86_399), st.sampled_from(Period))
def test_who_is_let_in_with_time_left_has_it_or_a_minute_and_nobody_is_without_any(
    amount: int, used: int, second: int, period: Period
) -> None:
    account = account_of(Quota(period, amount, Measure.TIME))
    now = MIDNIGHT - timedelta(days=1) + timedelta(seconds=second)
    decision = decide(account, usage(account, seconds=used), now=now)
    if used >= amount:
        assert isinstance(decision, Denial)
    else:
        assert isinstance(decision, Grant)
        assert decision.session_seconds is not None
        assert decision.session_seconds >= max(LEAST_SECONDS, min(amount - used, 86_400 - second))


def test_quota_of_ones_own_does_what_the_plans_first_step_does_unless_it_says() -> None:
    plan = replace(make_plan(quotas=STEPS), used_up=GARDEN)
    own = [
        QuotaOverride(Quota(Period.DAY, 3000 * MB), "ujian", "admin"),
        QuotaOverride(Quota(Period.WEEK, 9000 * MB), "ujian", "admin"),
        QuotaOverride(Quota(Period.MONTH, 9000 * MB, then=CUT), "ujian", "admin"),
    ]
    policy = effective_policy(plan, Overlay(quotas=tuple(own)), now=NOON)
    assert [(one.quota.amount, one.quota.then) for one in policy.quotas] == [
        (3000 * MB, SLOW),
        (9000 * MB, GARDEN),
        (9000 * MB, CUT),
    ]


def test_quota_that_says_nothing_does_what_the_plan_says() -> None:
    policy = effective_policy(Plan("id", "Warga", quotas=(Quota(Period.DAY, 1),), used_up=SLOW), now=NOON)
    assert policy.quotas[0].quota.then == SLOW


quotas = st.builds(
    Quota,
    st.sampled_from(Period),
    st.integers(1, 10**12),
    st.sampled_from([Measure.BOTH, Measure.DOWN, Measure.UP]),
    st.none() | st.sampled_from([CUT, GARDEN, SLOW, SLOWER, Then(Action.THROTTLE, 1_001, 2**32)]),
)


@given(quotas | quotas.map(lambda quota: replace(quota, measure=Measure.TIME)))
def test_quota_is_read_back_as_it_is_written(quota: Quota) -> None:
    assert parse_quota(format_quota(quota)) == (quota.tally, quota)
    assert quota.then is None or read_then(str(quota.then)) == quota.then


@pytest.mark.parametrize(
    ("text", "tally"),
    [
        ("day 500MB", Tally(Period.DAY, Measure.BOTH)),
        ("Week Down 3 GB".replace(" GB", "GB"), Tally(Period.WEEK, Measure.DOWN)),
        ("month 30h", Tally(Period.MONTH, Measure.TIME)),
        ("billing up none", Tally(Period.BILLING, Measure.UP)),
        ("total time none", Tally(Period.TOTAL, Measure.TIME)),
    ],
)
def test_quota_as_admins_write_it(text: str, tally: Tally) -> None:
    assert parse_quota(text).tally == tally


@pytest.mark.parametrize(
    "text",
    ["", "day", "500MB", "fortnight 1GB", "day 500", "day 30M", "day sideways 1GB", "day down 2h", "day time 1GB",
     "day 1GB then", "day 1GB then slow", "day 1GB then 1M/2M/3M", "then 1M"],
)  # fmt: skip
def test_quota_that_nobody_can_mean(text: str) -> None:
    with pytest.raises(UnitError):
        parse_quota(text)


def test_one_rate_is_that_of_both_directions() -> None:
    assert parse_then("1M") == SLOW
    assert format_then(SLOW) == "1M"
    assert format_then(SLOWER) == "256k/128k"


def test_what_families_can_do_is_what_their_profiles_say() -> None:
    assert {family.value for family in TAKES_FILTER} <= {
        name for name, profile in PROFILES.items() if profile.limits.role is not None
    }
    assert {family.value for family in COMES_BACK} <= {
        name for name, profile in PROFILES.items() if profile.limits.octets is not None
    }
    within = {CoaKind.FULL_SET, CoaKind.ALLOW_LIST, CoaKind.IDENTITY_PAIR}
    assert {family.value for family in TAKES_OCTETS} == {
        name
        for name, profile in PROFILES.items()
        if (octets := profile.limits.octets) is not None
        and profile.coa.kind in within
        and profile.coa.base is not None
        and {*octets.names} <= {*profile.coa.attributes}
    }
    asks = {CoaKind.REAUTH_POLL, CoaKind.AGENT}
    assert {family.value for family in NEVER_REACHED} == {
        name
        for name, profile in PROFILES.items()
        if profile.coa.kind not in asks and not (profile.coa.kind.takes_disconnect and profile.coa.identity)
    }


@given(
    amounts=st.lists(st.tuples(quotas, st.integers(0, 10**12)), min_size=1, max_size=5),
    more=st.integers(0, 10**12),
)
def test_more_use_never_makes_faster_or_gives_more(amounts: list[tuple[Quota, int]], more: int) -> None:
    account = account_of(*{quota for quota, _ in amounts}, garden="layanan")
    used = sum(amount for _, amount in amounts)
    early, late = decide(account, usage(account, used)), decide(account, usage(account, used + more))
    if isinstance(early, Denial):
        assert isinstance(late, Denial)
    elif isinstance(late, Grant):
        assert (late.down_bps or 0) <= (early.down_bps or 0)
        for before, after in zip((early.octets_left,), (late.octets_left,), strict=True):
            assert before is None if after is None else before is None or after <= before
