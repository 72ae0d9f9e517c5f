"""The sheet of vouchers that a browser prints: cards with a code, its QR and what it gives, by the theme's template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import segno
from markupsafe import Markup

from app.domain.plans import Period
from app.domain.vouchers import printed
from app.services.plans import show_plan
from app.web.formats import Formats
from app.web.theme import Theme, theme_folders

if TYPE_CHECKING:
    from app.cli.installation import Installation
    from app.db.vouchers import CountedBatch


@dataclass(frozen=True, slots=True)
class Card:
    """One voucher: the code as printed, and the QR that opens the portal."""

    code: str
    qr: Markup


@dataclass(frozen=True, slots=True)
class SheetView:
    """What the template gets; None where the plan sets no such limit."""

    batch: str
    note: str
    portal: str
    down: str | None
    daily: str | None
    monthly: str | None
    total: str | None
    validity: str | None
    until: str | None
    cards: tuple[Card, ...]


def sheet(here: "Installation", found: "CountedBatch", codes: Sequence[str]) -> str:
    """Return the whole page, in the language of the installation."""
    settings = here.settings
    plan = show_plan(here.database, found.plan_name)
    formats = Formats(settings.language, settings.time_zone)
    amounts = {quota.period: formats.amount(quota.octets) for quota in plan.quotas}
    until = found.batch.valid_until
    view = SheetView(
        batch=found.batch.id,
        note=found.batch.note,
        portal=settings.portal_url.partition("//")[2],
        down=None if plan.down_bps is None else formats.rate(plan.down_bps),
        daily=amounts.get(Period.DAY),
        monthly=amounts.get(Period.MONTH),
        total=amounts.get(Period.TOTAL),
        validity=None if plan.validity_seconds is None else formats.duration(plan.validity_seconds),
        until=None if until is None else formats.day(until.astimezone(settings.time_zone).date()),
        cards=tuple(Card(printed(code), qr(settings.portal_url, code)) for code in codes),
    )
    return Theme(theme_folders(settings.data_dir)).render(settings.language, "vouchers.html", view)


def qr(portal_url: str, code: str) -> Markup:
    """Return an SVG that opens the portal with the code filled in; the page itself decides."""
    drawn = segno.make(f"{portal_url}/?voucher={printed(code)}", error="m", micro=False)
    return Markup(drawn.svg_inline(scale=2, border=2, omitsize=True, lineclass=None, svgclass="qr"))  # noqa: S704 drawn here
