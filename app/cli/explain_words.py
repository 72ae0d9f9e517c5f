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
from app.domain.quotas import CUT, Action, Measure, Quota, Then
from app.domain.schedules import Window, format_clock, format_days
from app.domain.units import format_amount, format_duration

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
        if field == "used_up" and isinstance(value, Then) and value.action is not Action.THROTTLE:
            return self(value.action.value)
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
        """Write a quota: `500MB per hari`."""
        timed = quota.measure is Measure.TIME
        amount = format_duration(quota.amount) if timed else format_amount(quota.amount)
        said = f"{amount}{self(f'measure_{quota.measure.value}')} {self(f'period_{quota.period.value}')}"
        return said if quota.then in (None, CUT) else self("then", text=said, then=self.value("used_up", quota.then))

    def amount(self, quota: Quota, amount: int) -> str:
        """Write how much of a quota."""
        return format_duration(amount) if quota.measure is Measure.TIME else octets(amount) or ""


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every text by language and key."""
    return tomllib.loads(files("app.cli").joinpath("explain.toml").read_text(encoding="utf-8"))
