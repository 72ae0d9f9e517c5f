"""Numbers, amounts, times as people of a language read them; the words come from the locale data of Babel.

Amounts are decimal (1 MB is 10^6 octets) and rounded down: nobody is promised more than there is. The clock is of 24
hours with a dot, as Indonesia writes it, in both languages.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from babel.units import format_unit

from app.domain.units import GB, KB, MB

_STEPS: Final = ((GB, "GB"), (MB, "MB"))
_RATE_STEPS: Final = ((GB, "Gbps"), (MB, "Mbps"))
_NEAR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class When:
    """A moment to come or just gone: `clock` with the zone's name; `day` only where it is not within a day."""

    clock: str
    day: str | None


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes things, in the city's time zone."""

    language: str
    zone: ZoneInfo

    def amount(self, octets: int) -> str:
        """Write octets: `1,5 GB`, `320 MB`, `0,4 MB`."""
        size, unit = next(((size, unit) for size, unit in _STEPS if octets >= size), (MB, "MB"))
        places = 1 if octets < 10 * size and (unit == "GB" or octets < MB) else 0
        return f"{self._number(octets, size, places)}\u00a0{unit}"

    def rate(self, bps: int) -> str:
        """Write a rate: `4 Mbps`, `512 kbps`."""
        size, unit = next(((size, unit) for size, unit in _RATE_STEPS if bps >= size), (KB, "kbps"))
        return f"{self._number(bps, size, 1)}\u00a0{unit}"

    def duration(self, seconds: int) -> str:
        """Write a time span in its two largest units: `5 jam 20 menit`."""
        minutes = max(1, seconds // 60)
        if minutes >= 2 * 1_440:
            return self._unit(minutes // 1_440, "day")
        hours, minutes = divmod(minutes, 60)
        parts = [self._unit(hours, "hour")] if hours else []
        return " ".join(parts + ([self._unit(minutes, "minute")] if minutes else []))

    def age(self, seconds: int) -> str:
        """Write how long ago something was, in one unit."""
        if seconds < 60:
            return self._unit(max(0, seconds), "second")
        return self._unit(seconds // 60, "minute") if seconds < 7_200 else self._unit(seconds // 3_600, "hour")

    def when(self, at: datetime, *, now: datetime) -> When:
        """Write a moment in local time."""
        local = at.astimezone(self.zone)
        clock = f"{local:%H.%M} {local.tzname()}"
        return When(clock, None if abs(at - now) <= _NEAR else self.day(local.date()))

    def day(self, day: date) -> str:
        """Write a date: `17 Agustus 2025`."""
        return format_date(day, "d MMMM y", locale=self.language)

    def count(self, number: int) -> str:
        """Write a whole number."""
        return format_decimal(number, locale=self.language)

    def _number(self, value: int, size: int, places: int) -> str:
        rounded = (Decimal(value) / size).quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
        return format_decimal(rounded, format="#,##0.#", locale=self.language)

    def _unit(self, number: int, unit: str) -> str:
        return format_unit(number, f"duration-{unit}", length="long", locale=self.language)
