"""The words of explanations, in both languages; the texts themselves are in explain.toml."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from babel.dates import format_date

from app.cli.output import octets
from app.cli.plan_values import written_value
from app.domain.overlays import Value
from app.domain.policies import Source
from app.domain.quota_words import format_then
from app.domain.quotas import CUT, Measure, Quota, Then
from app.domain.schedules import Window, format_clock, format_days
from app.domain.service_classes import ServiceClass
from app.domain.units import format_amount

LANGUAGES: Final = ("id", "en")
Language = Annotated[
    str | None, typer.Option("--language", metavar="id|en", help="Of the words; unset: as PESISIR_LANGUAGE says.")
]


class Words:
    """The words of one language, and moments in the city's zone."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        if language not in LANGUAGES:
            raise typer.BadParameter(f"{language!r} is not a language; there are {' and '.join(LANGUAGES)}")
        self._language, self._zone = language, zone
        self._texts = catalogue()[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values in it."""
        return self._texts[key].format(**values)

    def accounts(self, count: int) -> str:
        """Write a number of accounts."""
        return self("account" if count == 1 else "accounts", count=count)

    def title(self, field: str) -> str:
        """Return what a value of a plan is called."""
        return self(f"title_{field}")

    def value(self, field: str, value: Value) -> str:
        """Write a value of a plan; without one, that there is no limit, or nothing of the kind."""
        if isinstance(value, Then):
            return self(value.action.value, rates=format_then(value))
        if isinstance(value, ServiceClass):
            return self(f"class_{value.value}")
        if field.endswith("_seconds") and isinstance(value, int):
            return self.duration(value)
        named = field in {
            "garden",
            "vlan",
            "filter_id",
            "address_list",
            "down_burst_bps",
            "up_burst_bps",
            "burst_seconds",
        }
        return written_value(field, value) or self("no_value" if named else "no_limit")

    def when(self, moment: datetime) -> str:
        """Write a moment: `24 Nov 2026 18.00`."""
        local = moment.astimezone(self._zone)
        return f"{format_date(local.date(), format='d MMM y', locale=self._language)} {local:%H.%M}"

    def source(self, source: Source) -> str:
        """Say where a value comes from, why, and until when."""
        origin = self(source.origin.value)
        if source.window:
            said = self("window", origin=origin, window=source.window)
        else:
            said = self("because", origin=origin, reason=source.reason) if source.reason else origin
        return said if source.until is None else self("until", text=said, when=self.when(source.until))

    def window(self, window: Window) -> str:
        """Write a window in one line."""
        what = [self("closed")] if window.closed else [self("free")] if window.free else []
        what += [f"{self.title(field)} {self.value(field, value)}" for field, value in window.rates]
        days = format_days(window.days, self("weekdays").split(), self("every_day"))
        said = f"{window.name}: {days} {format_clock(window.begins)}-{format_clock(window.ends)}"
        if window.only_on is not None:
            said += self("only_on", calendar=window.only_on)
        if window.not_on is not None:
            said += self("not_on", calendar=window.not_on)
        return f"{said}: {', '.join(what)}"

    def quota(self, quota: Quota) -> str:
        """Write a quota: `500 MB per hari`."""
        timed = quota.measure is Measure.TIME
        amount = self.duration(quota.amount) if timed else _spaced(format_amount(quota.amount))
        said = f"{amount}{self(f'measure_{quota.measure.value}')} {self(f'period_{quota.period.value}')}"
        return said if quota.then in (None, CUT) else self("then", text=said, then=self.value("used_up", quota.then))

    def amount(self, quota: Quota, amount: int) -> str:
        """Write how much of a quota."""
        return self.duration(amount) if quota.measure is Measure.TIME else octets(amount) or ""

    def duration(self, seconds: int) -> str:
        """Write a time in its two largest units: `1 jam 30 menit`."""
        parts = []
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
            count, seconds = divmod(seconds, size)
            if count:
                parts.append(f"{count} {self(f'unit_{unit}')}")
        return " ".join(parts[:2]) or f"0 {self('unit_m')}"


def _spaced(amount: str) -> str:
    """Return `500 MB` for `500MB`."""
    unit = amount.lstrip("0123456789")
    return f"{amount.removesuffix(unit)} {unit}"


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every text by language and key."""
    return tomllib.loads(files("app.cli").joinpath("explain.toml").read_text(encoding="utf-8"))
