"""Quotas on the command line: five plain ones, and whatever `--quota` writes; and how they are shown."""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Final

import typer
from typer.models import OptionInfo

from app.cli.failures import usage
from app.cli.options import Given, amount
from app.cli.output import JsonValue
from app.domain.quota_words import Written, format_quotas, format_then, parse_quota
from app.domain.quotas import Measure, Period, Quota, Tally


def _read(typed: str | Written) -> Written:
    if isinstance(typed, Written):
        return typed
    try:
        return parse_quota(typed)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


QUOTA: Final[OptionInfo] = typer.Option(
    "--quota",
    parser=_read,
    metavar="QUOTA",
    show_default=False,
    help="Any other: 'week down 3GB', 'day 2h' (time online), 'day 1GB then 256k', 'day up none'; several are steps.",
)

Limit = Given[int] | None
Daily = Annotated[Limit, amount("--daily", "Data per local day, up and down together, such as 500MB.")]
Weekly = Annotated[Limit, amount("--weekly", "Data per week, which begins on Monday.")]
Monthly = Annotated[Limit, amount("--monthly", "Data per local month, such as 10GB.")]
Billing = Annotated[Limit, amount("--billing", "Data from one billing day of the account to the next.")]
Total = Annotated[Limit, amount("--total", "Data in all, such as 2GB.")]
Quotas = Annotated[list[Written] | None, QUOTA]
_OPTIONS: Final = "--daily, --weekly, --monthly, --billing, --total or --quota"


def quotas_given(
    daily: Limit, weekly: Limit, monthly: Limit, billing: Limit, total: Limit, written: list[Written] | None
) -> dict[Tally, tuple[Quota, ...]]:
    """Return the quotas that were named, by tally; none takes that tally's away."""
    plain = zip(Period, (daily, weekly, monthly, billing, total), strict=True)
    named = [
        Written(Tally(period, Measure.BOTH), None if limit.value is None else Quota(period, limit.value))
        for period, limit in plain
        if limit is not None
    ]
    return by_tally((*named, *(written or ())))


def check_own_quotas(
    given: Mapping[Tally, Collection[Quota]], *, what: str, reason: str | None, until: str | None, by: str | None
) -> None:
    """Refuse quotas in place of a plan's (`what` they are) without the options they need, or with those of others."""
    if not given:
        usage("which quota?", hint=f"name {_OPTIONS} with an AMOUNT such as 1GB, or none")
    if reason is None and any(given.values()):
        usage(f"{what} needs a reason", hint="--reason TEXT")
    if not any(given.values()) and (until is not None or by is not None):
        usage("--until and --by are of a quota", why="none gives the plan's back", hint="name an AMOUNT such as 1GB")


def by_tally(written: Iterable[Written]) -> dict[Tally, tuple[Quota, ...]]:
    """Return what was written of each tally: several quotas of one are steps. Raise Failure for none and an amount."""
    found: dict[Tally, tuple[Quota, ...]] = {}
    taken: set[Tally] = set()
    for tally, quota in written:
        found[tally] = found.get(tally, ()) + (() if quota is None else (quota,))
        if quota is None:
            taken.add(tally)
    for tally in taken:
        if found[tally]:
            usage(f"none and {format_quotas(found[tally])}: which of the two?", hint="name an amount, or none")
    return found


def quota_json(quota: Quota) -> dict[str, JsonValue]:
    """Return a quota as scripts read one."""
    timed = quota.measure is Measure.TIME
    return {
        "period": quota.period.value,
        "measure": quota.measure.value,
        "seconds" if timed else "octets": quota.amount,
        "used_up": None if quota.then is None else format_then(quota.then),
    }
