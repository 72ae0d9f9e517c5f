"""Who may go online, and within which limits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Denial, DenialReason, End, Grant, decide_access, reconsider
from app.domain.local_time import WITA, local_day
from app.domain.overlays import Overlay
from app.domain.policies import effective_policy
from app.domain.quotas import Period, Quota, QuotaOverride
from app.domain.spending import Usage, Used
from app.domain.users import Account
from tests.factories import MAC, NOON, make_account, make_plan, make_usage

TODAY = local_day(NOON, WITA)
MB = 1_000_000
MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)
MONTH_END = datetime(2026, 11, 30, 16, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OTHER, THIRD = "02:aa:00:00:00:02", "02:aa:00:00:00:03"

DAY_QUOTA = Quota(Period.DAY, 500 * MB)
MONTH_QUOTA = Quota(Period.MONTH, 600 * MB)
TOTAL_QUOTA = Quota(Period.TOTAL, 600 * MB)
DAILY = make_account(plan=make_plan(quotas=(DAY_QUOTA,)))
BOTH = make_account(plan=make_plan(quotas=(DAY_QUOTA, MONTH_QUOTA)))
TOTAL = make_account(plan=make_plan(quotas=(DAY_QUOTA, TOTAL_QUOTA)))


def grant(octets_left: int | None = None, session_seconds: int | None = None) -> Grant:
    return Grant(4_000_000, 2_000_000, octets_left, session_seconds, None, None)


def decide(
    account: Account, usage: Usage | None = None, *, online: tuple[str, ...] = (), now: datetime = NOON
) -> Grant | Denial:
    return decide_access(account, usage or make_usage(TODAY), device=MAC, online_devices=online, now=now, zone=WITA)


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        pytest.param(make_account(), grant(), id="no limits"),
        pytest.param(make_account(suspended=True), Denial(DenialReason.SUSPENDED), id="suspended"),
        pytest.param(
            make_account(suspended=True)._replace(removed=True), Denial(DenialReason.WRONG_CREDENTIALS), id="removed"
        ),
        pytest.param(make_account(valid_until=NOON), Denial(DenialReason.EXPIRED), id="expires this instant"),
        pytest.param(make_account(valid_until=NOON + SECOND), grant(session_seconds=1), id="one second left"),
        pytest.param(
            make_account(valid_until=NOON + SECOND / 2), grant(session_seconds=1), id="half a second left is one"
        ),
        pytest.param(
            make_account(plan=make_plan(validity_seconds=60)), grant(session_seconds=60), id="validity not begun"
        ),
        pytest.param(
            make_account(plan=make_plan(validity_seconds=60), first_used_at=NOON - timedelta(seconds=59)),
            grant(session_seconds=1),
            id="validity nearly over",
        ),
        pytest.param(
            make_account(plan=make_plan(validity_seconds=60), first_used_at=NOON - timedelta(seconds=60)),
            Denial(DenialReason.EXPIRED),
            id="validity over",
        ),
        pytest.param(
            make_account(plan=make_plan(session_seconds=30), valid_until=NOON + timedelta(hours=1)),
            grant(session_seconds=30),
            id="session shorter than validity",
        ),
    ],
)
def test_state_and_validity(account: Account, expected: Grant | Denial) -> None:
    assert decide(account) == expected


def test_nobody_expires_while_nobody_knows_the_time_and_sessions_are_short() -> None:
    boot = datetime(1970, 1, 1, tzinfo=UTC)
    assert decide(make_account(valid_until=NOON), now=boot) == grant(session_seconds=3600)
    assert decide(make_account(plan=make_plan(validity_seconds=60)), now=boot) == grant(session_seconds=60)
    assert decide(make_account(), now=boot) == grant()


@pytest.mark.parametrize(
    ("account", "usage", "expected"),
    [
        pytest.param(DAILY, make_usage(TODAY, 500 * MB - 1), grant(1), id="one octet left"),
        pytest.param(
            DAILY,
            make_usage(TODAY, 500 * MB),
            Denial(DenialReason.QUOTA_EXHAUSTED, MIDNIGHT, DAY_QUOTA),
            id="quota just used up",
        ),
        pytest.param(
            DAILY,
            make_usage(TODAY, 501 * MB),
            Denial(DenialReason.QUOTA_EXHAUSTED, MIDNIGHT, DAY_QUOTA),
            id="quota passed",
        ),
        pytest.param(DAILY, make_usage(TODAY - timedelta(days=1), 500 * MB), grant(500 * MB), id="used up yesterday"),
        pytest.param(BOTH, make_usage(TODAY, 0, 200 * MB), grant(400 * MB), id="the month has less left than the day"),
        pytest.param(
            BOTH,
            make_usage(TODAY, 500 * MB, 600 * MB),
            Denial(DenialReason.QUOTA_EXHAUSTED, MONTH_END, MONTH_QUOTA),
            id="day and month used up: the month is named",
        ),
        pytest.param(
            TOTAL,
            make_usage(TODAY, 500 * MB, 500 * MB, 600 * MB),
            Denial(DenialReason.QUOTA_EXHAUSTED, None, TOTAL_QUOTA),
            id="total used up: waiting does not help",
        ),
        pytest.param(make_account(), make_usage(TODAY, 10**15, 10**15, 10**15), grant(), id="no quota"),
    ],
)
def test_quota(account: Account, usage: Usage, expected: Grant | Denial) -> None:
    assert decide(account, usage) == expected


@pytest.mark.parametrize(
    ("limit", "online", "expected"),
    [
        pytest.param(1, (), grant(), id="nobody online"),
        pytest.param(1, (MAC,), grant(), id="the device itself comes back"),
        pytest.param(1, (OTHER,), Denial(DenialReason.DEVICE_LIMIT), id="another device"),
        pytest.param(2, (OTHER,), grant(), id="one of two"),
        pytest.param(2, (OTHER, OTHER), grant(), id="two sessions of one device"),
        pytest.param(2, (OTHER, THIRD), Denial(DenialReason.DEVICE_LIMIT), id="two of two"),
        pytest.param(2, (OTHER, MAC), grant(), id="the second of two comes back"),
        pytest.param(None, (OTHER, THIRD), grant(), id="no limit"),
    ],
)
def test_device_limit(limit: int | None, online: tuple[str, ...], expected: Grant | Denial) -> None:
    assert decide(make_account(plan=make_plan(device_limit=limit)), online=online) == expected


def test_own_quota_of_nothing_keeps_a_person_off() -> None:
    own = QuotaOverride(Quota(Period.DAY, 0), "penyalahgunaan", "admin")
    account = make_account()._replace(policy=effective_policy(make_plan(), Overlay(quotas=(own,)), now=NOON))
    assert decide(account) == Denial(DenialReason.QUOTA_EXHAUSTED, MIDNIGHT, own.quota)


@pytest.mark.parametrize(
    ("account", "expected"),
    [(DAILY, grant(300 * MB)), (DAILY._replace(suspended=True), End(DenialReason.SUSPENDED))],
    ids=["goes on with what is left", "ends with the reason"],
)
def test_reconsider(account: Account, expected: Grant | End) -> None:
    usage = make_usage(TODAY, 200 * MB)
    assert reconsider(account, usage, device=MAC, online_devices=(MAC,), now=NOON, zone=WITA) == expected


@given(
    day_quota=st.integers(0, 10**10) | st.none(),
    month_quota=st.integers(0, 10**10) | st.none(),
    day_used=st.integers(0, 10**10),
    earlier=st.integers(0, 10**10),
    more=st.integers(0, 10**9),
)
def test_grant_never_gives_more_than_any_quota_leaves_and_use_never_helps(
    day_quota: int | None, month_quota: int | None, *, day_used: int, earlier: int, more: int
) -> None:
    quotas = tuple(
        Quota(period, octets)
        for period, octets in ((Period.DAY, day_quota), (Period.MONTH, month_quota))
        if octets is not None
    )
    account = make_account(plan=make_plan(quotas=quotas))
    usage = make_usage(TODAY, day_used, day_used + earlier, day_used + earlier)
    now, later = decide(account, usage), decide(account, usage.plus(TODAY, Used(down_octets=more), 1))
    if isinstance(now, Grant):
        lefts = [quota.left(usage.used(quota.tally)) for quota in quotas]
        assert now.octets_left == min(lefts, default=None)
        assert now.octets_left is None or now.octets_left > 0
    else:
        assert isinstance(later, Denial)
