"""Filling the configuration files under `files/`: Jinja2 with marks that no router's language uses."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FILES: Final = Path(__file__).with_name("files")
_ROUTEROS_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "$": "\\$", "?": "\\?", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def render(name: str, values: Mapping[str, object]) -> str:
    """Return a file of `files/` with `@{name}` and lines beginning with `@@` filled in."""
    return _environment().get_template(name).render(**values)


def routeros(text: str) -> str:
    r"""Write a text as a RouterOS string: `"`, `\`, `$` and `?` would be read by its command line."""
    return '"' + "".join(_ROUTEROS_ESCAPES.get(c, c) for c in text) + '"'


def shell(value: str | int) -> str:
    """Write a value as one word of a POSIX shell."""
    return "'" + str(value).replace("'", "'\\''") + "'"


def word(text: str) -> str:
    """Write a text as one word of chilli.conf or strongswan.conf: in the quotes that it does not contain."""
    return text if text.isalnum() else f"'{text}'" if '"' in text else f'"{text}"'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FILES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 these are router configurations, never HTML for people; each value has its filter
        variable_start_string="@{",
        variable_end_string="}",
        line_statement_prefix="@@",
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    environment.filters.update(ros=routeros, sh=shell, word=word)
    return environment
