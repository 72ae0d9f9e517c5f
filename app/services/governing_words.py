"""Why the governor moves something, in the city's language; the texts themselves are in governing.toml."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from babel.numbers import format_decimal

from app.domain.governed import Cause, CeilingChange

_EXACT_BPS: Final = 2_000_000  # faster ones are told in whole Mbps, so that many have the same reason


class Words:
    """The words of one language; `site_names` are by id."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._texts = catalogue()[language]

    def why(self, change: CeilingChange, site_names: Mapping[str, str]) -> str:
        """Return why a ceiling moves, and when it is given back."""
        where = self._where(change.place, site_names)
        match change.cause:
            case Cause.WAITING:
                form = "#,##0.0" if change.rate_bps < _EXACT_BPS else "#,##0"
                mbps = format_decimal(change.rate_bps / 1e6, format=form, locale=self._language)
                return self._texts["waiting"].format(mbps=mbps, others=change.others, where=where)
            case Cause.ROOM:
                return self._texts["room" if change.down_bps is None else "rising"].format(where=where)
            case Cause.LIGHT:
                return self._texts["light"]

    def of_site(self, *, held: bool) -> str:
        """Return why a site is held as a whole, or is not any more."""
        return self._texts["site_held" if held else "site_freed"]

    @property
    def of_floor(self) -> str:
        """Return why the floor of a class moves."""
        return self._texts["floor"]

    @property
    def stored(self) -> str:
        """Return the reason of a ceiling of which no more is known than that it is there."""
        return self._texts["stored"]

    def _where(self, place: str | None, site_names: Mapping[str, str]) -> str:
        if place is None:
            return self._texts["line"]
        return self._texts["site"].format(site=site_names[place]) if place in site_names else self._texts["its_site"]


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every text by language and key."""
    return tomllib.loads(files("app.services").joinpath("governing.toml").read_text(encoding="utf-8"))
