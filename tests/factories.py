"""Valid values by default; a test overrides what it is about."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network

from app.domain.local_time import period_begins_on
from app.domain.nases import Family, Nas, Site
from app.domain.plans import Plan
from app.domain.policies import effective_policy
from app.domain.quotas import Measure, Period, Quota, Tally
from app.domain.reports import ReportKind, SessionReport
from app.domain.spending import Usage, Used
from app.domain.users import Account, AccountKind

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # 12.00 WITA
MAC = "02:aa:00:00:00:01"


TALLIES = tuple(Tally(period, Measure.BOTH) for period in (Period.DAY, Period.MONTH, Period.TOTAL))


def make_usage(day: date, day_octets: int = 0, month_octets: int = 0, total_octets: int = 0) -> Usage:
    """Return the usage of an account for plain quotas per day, month and in all."""
    return Usage(day, TALLIES, (day_octets, month_octets, total_octets))


def usage_from_days(days: Mapping[date, Used], day: date, tallies: tuple[Tally, ...], billing_day: int) -> Usage:
    """Sum what was used on local days into the usage as it stands on `day`."""
    begins = [period_begins_on(tally.period, day, billing_day) for tally in tallies]
    counts = (
        sum(used.of(tally.measure) for on, used in days.items() if begin is None or begin <= on)
        for tally, begin in zip(tallies, begins, strict=True)
    )
    return Usage(day, tallies, tuple(counts))


def by_tally(*quotas: Quota) -> dict[Tally, list[Quota]]:
    """Return quotas as those who set them name them: several of one tally are steps."""
    given: dict[Tally, list[Quota]] = {}
    for quota in quotas:
        given.setdefault(quota.tally, []).append(quota)
    return given


def make_plan(
    *,
    id: str = "planplanplanplan",  # noqa: A002 the field's name
    name: str = "Warga",
    quotas: tuple[Quota, ...] = (),
    down_bps: int | None = 4_000_000,
    up_bps: int | None = 2_000_000,
    device_limit: int | None = None,
    session_seconds: int | None = None,
    validity_seconds: int | None = None,
) -> Plan:
    return Plan(
        id=id,
        name=name,
        down_bps=down_bps,
        up_bps=up_bps,
        quotas=quotas,
        device_limit=device_limit,
        session_seconds=session_seconds,
        validity_seconds=validity_seconds,
    )


def make_account(
    *,
    id: str = "userauserauserau",  # noqa: A002 the field's name
    kind: AccountKind = AccountKind.USER,
    plan: Plan | None = None,
    version: int = 1,
    suspended: bool = False,
    valid_until: datetime | None = None,
    first_used_at: datetime | None = None,
) -> Account:
    return Account(
        id=id,
        kind=kind,
        policy=effective_policy(plan or make_plan(), now=NOON),
        version=version,
        suspended=suspended,
        valid_until=valid_until,
        first_used_at=first_used_at,
    )


def make_site(*, id: str = "sitesitesitesite", name: str = "Gusung") -> Site:  # noqa: A002 the field's name
    return Site(id=id, name=name)


def make_nas(
    *,
    id: str = "nasanasanasanasa",  # noqa: A002 the field's name
    name: str = "gusung-1",
    family: Family = Family.MIKROTIK,
    address: str = "127.0.0.1/32",
    identifier: str | None = None,
    login_address: str | None = "10.5.50.1",
) -> Nas:
    return Nas(
        id=id,
        name=name,
        site_id="sitesitesitesite",
        family=family,
        address=ip_network(address),
        identifier=identifier,
        login_address=login_address,
    )


def make_report(
    kind: ReportKind = ReportKind.START,
    *,
    minute: float = 0,
    seconds: int | None = -1,
    up: int = 0,
    down: int = 0,
    nas_id: str = "nasanasanasanasa",
    nas_scope: str = "gusung-1",
    acct_session_id: str = "80100001",
    mac: str = MAC,
    user_name: str = "userauserauserau",
    account_id: str | None = "userauserauserau",
    acceptance_id: str | None = "0123456789abcdef",
    ip: str | None = "10.5.50.2",
    cause: str | None = None,
    begins_at: datetime = NOON,
) -> SessionReport:
    """Make a report `minute` minutes after a session's start at `begins_at`; `seconds` -1 is what agrees with it."""
    return SessionReport(
        kind=kind,
        nas_id=nas_id,
        nas_scope=nas_scope,
        acct_session_id=acct_session_id,
        mac=mac,
        user_name=user_name,
        event_at=begins_at + timedelta(minutes=minute),
        up_octets=up,
        down_octets=down,
        session_seconds=int(minute * 60) if seconds == -1 else seconds,
        acceptance_id=acceptance_id if account_id is not None else None,
        account_id=account_id,
        ip=ip,
        terminate_cause=cause,
    )
