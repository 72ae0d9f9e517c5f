"""What the pictures and their page say, in both languages; the words themselves are in words.toml."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from babel.numbers import format_decimal

LANGUAGES: Final = ("id", "en")


class Words:
    """The words and numbers of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue()[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values in it."""
        return self._texts[key].format(**values)

    def number(self, value: float, places: int = 1) -> str:
        """Write a number: `18,2`."""
        return format_decimal(value, format="#,##0." + "0" * places if places else "#,##0", locale=self.language)

    def rate(self, bps: float) -> str:
        """Write a rate: `60 Mbps`."""
        return f"{format_decimal(bps / 1e6, format='#,##0.##', locale=self.language)} Mbps"

    def seconds(self, value: float) -> str:
        """Write a time span: `18 dtk`."""
        return self("seconds", number=self.number(value, 1 if value < 10 else 0))


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every text by language and key."""
    return tomllib.loads(files("app.simulator.evening").joinpath("words.toml").read_text(encoding="utf-8"))
