"""The effective policy, and where its values came from."""

from datetime import datetime, timedelta

import pytest

from app.domain.policies import EffectiveQuota, Origin, effective_policy
from app.domain.quotas import Period, Quota, QuotaOverride
from tests.factories import NOON, make_plan

GB = 1_000_000_000
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
    policy = effective_policy(make_plan(quotas=quotas), overrides, now=NOON)
    assert [(quota.quota, quota.origin) for quota in policy.quotas] == expected


def test_override_says_why() -> None:
    policy = effective_policy(make_plan(), [override(DAY, reason="ujian")], now=NOON)
    assert policy.quotas == (EffectiveQuota(DAY, Origin.USER, "ujian"),)


def test_policy_changes_when_the_first_override_ends() -> None:
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    overrides = [override(DAY, until=later), override(MONTH, until=soon), override(Quota(Period.TOTAL, 1))]
    assert effective_policy(make_plan(), overrides, now=NOON).changes_at == soon
    assert effective_policy(make_plan(), [], now=NOON).changes_at is None
