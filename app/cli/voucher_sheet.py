"""The sheet of vouchers that a browser prints: cards with a code, its QR and what it gives, by the theme's template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import segno
from markupsafe import Markup

from app.cli.installation import now
from app.domain.local_time import local_day
from app.domain.plans import Plan
from app.domain.quotas import Measure, Quota
from app.domain.vouchers import printed
from app.services.plans import show_plan
from app.services.top_ups import Addition
from app.services.vouchers import addition_of
from app.web.formats import Formats
from app.web.theme import Theme, theme_folders

if TYPE_CHECKING:
    from app.cli.installation import Installation
    from app.db.vouchers import CountedBatch


@dataclass(frozen=True, slots=True)
class QuotaView:
    """One quota of a plan, its amount as people read it."""

    period: str
    measure: str
    amount: str


@dataclass(frozen=True, slots=True)
class SheetView:
    """What the template gets; None where the plan sets no such limit. `qr` opens the portal; `codes` are as printed.

    `added` is what a code adds to an account, None of those that open a plan; of a top-up nothing is said of the plan
    but how long its data is good.
    """

    batch: str
    note: str
    portal: str
    qr: Markup
    added: str | None
    down: str | None
    quotas: tuple[QuotaView, ...]
    devices: int | None
    validity: str | None
    until: str | None
    codes: tuple[str, ...]


def sheet(here: "Installation", found: "CountedBatch", codes: Sequence[str]) -> str:
    """Return the whole page, in the language of the installation."""
    settings = here.settings
    plan = show_plan(here.database, found.plan_name)
    formats = Formats(settings.language, settings.time_zone)
    until = found.batch.valid_until
    top_up, validity = found.batch.top_up, plan.validity_seconds
    addition = addition_of(plan, now()) if top_up else Addition()
    view = SheetView(
        batch=found.batch.id,
        note=found.batch.note,
        portal=settings.portal_url.partition("//")[2],
        qr=qr(settings.portal_url),
        added=_added(addition, formats),
        down=None if top_up or plan.down_bps is None else formats.rate(plan.down_bps),
        quotas=tuple(_quota(quota, formats) for quota in ([] if top_up else _first_of_each(plan))),
        devices=None if top_up else plan.device_limit,
        validity=None if validity is None or addition.seconds else formats.duration(validity),
        until=None if until is None else formats.day(_last_day(until, settings.time_zone)),
        codes=tuple(printed(code) for code in codes),
    )
    return Theme(theme_folders(settings.data_dir)).render(settings.language, "vouchers.html", view)


def qr(text: str) -> Markup:
    """Return a QR of a text as an inline SVG with the quiet zone that readers want (ISO/IEC 18004 section 9.1)."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(border=4, omitsize=True, lineclass=None, svgclass=None))  # noqa: S704 drawn here


def _added(addition: Addition, formats: Formats) -> str | None:
    if addition.octets:
        return formats.amount(addition.octets)
    return formats.duration(addition.seconds) if addition.seconds else None


def _first_of_each(plan: Plan) -> list[Quota]:
    """Return the quotas that are met first: what follows are steps at lower rates."""
    first = {quota.tally: quota for quota in reversed(plan.quotas)}
    return [quota for quota in plan.quotas if first[quota.tally] is quota]


def _quota(quota: Quota, formats: Formats) -> QuotaView:
    write = formats.duration if quota.measure is Measure.TIME else formats.amount
    return QuotaView(quota.period.value, quota.measure.value, write(quota.amount))


def _last_day(end: datetime, zone: ZoneInfo) -> date:
    """Return the last day on which there is still a moment before `end`."""
    return local_day(end - timedelta(microseconds=1), zone)
