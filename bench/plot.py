"""Results as SVG: one bar for each server and figure, drawn by hand, readable without colour."""

from collections.abc import Sequence
from html import escape
from statistics import median
from typing import Final

from bench.measuring import Result
from bench.tables import Row, values

_WIDTH: Final = 760
_LEFT: Final = 200
_BAR: Final = 18
_GAP: Final = 6
_HEAD: Final = 30
_SHADES: Final = ("#0b5563", "#4b9aa8", "#8a8a8a", "#bdbdbd")
_SHOWN: Final = (
    Row("PAP, requests a second", "pap", "per_second"),
    Row("accounting, requests a second", "accounting", "per_second"),
    Row("records a second into the database", "ingest", "merged_per_second"),
)


def chart(results: Sequence[Result]) -> str:
    """Return a picture of how much each server does in a second."""
    servers = list(dict.fromkeys(one.server for one in results))
    parts: list[str] = []
    at = 0
    for row in _SHOWN:
        bars = [(server, median(found.values())) for server in servers if (found := values(results, row, server))]
        if not bars:
            continue
        parts.append(_text(0, at + 20, row.words, weight="bold"))
        at += _HEAD
        longest = max(value for _, value in bars)
        for server, value in bars:
            parts += _bar(at, server, value, longest, _SHADES[servers.index(server) % len(_SHADES)])
            at += _BAR + _GAP
        at += _GAP
    style = "<style>text{font:13px system-ui,sans-serif;fill:#222}</style>"
    size = f'viewBox="0 0 {_WIDTH} {at}" width="{_WIDTH}" height="{at}"'
    background = f'<rect width="{_WIDTH}" height="{at}" fill="#fff"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', style, background, *parts, "</svg>", ""])


def _bar(at: int, server: str, value: float, longest: float, shade: str) -> list[str]:
    length = round((_WIDTH - _LEFT - 80) * value / longest) if longest else 0
    return [
        _text(0, at + 14, server),
        f'<rect x="{_LEFT}" y="{at}" width="{length}" height="{_BAR}" fill="{shade}"/>',
        _text(_LEFT + length + 6, at + 14, f"{value:,.0f}"),
    ]


def _text(x: int, y: int, words: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(words)}</text>'
