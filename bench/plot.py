"""Results as SVG, readable without colour: bars for each server and figure, and lines of what grows with a city."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, log10
from statistics import median
from typing import Any, Final

from app.simulator.evening.drawing import Axis, Chart, Series
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
_GROWING: Final = (
    ("memory", "memory_octets", 3),
    ("start to first answer", "restart_seconds", 1),
    ("CPU a log-in", "server_us", 0),
)


def growth(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a picture of what more people cost: each figure as a multiple of what the fewest cost, both ways by tens.

    Rows in which the routers grow are left out.
    """
    by_people = {row["people"]: row for row in reversed(rows)}
    sizes = sorted(by_people)
    first = by_people[sizes[0]]
    lines = [
        Series(name, shade, [(log10(size), log10(by_people[size][figure] / first[figure])) for size in sizes])
        for name, figure, shade in _GROWING
    ]
    most = max(1, ceil(max(y for line in lines for _, y in line.points)))
    across = range(int(log10(sizes[0])), ceil(log10(sizes[-1])) + 1)
    picture = Chart(
        "What more people cost",
        Axis(across[0], max(across[-1], across[0] + 1), [(tens, f"{10**tens:,}") for tens in across]),
        Axis(-0.3, most, [(tens, f"{10**tens:,} x") for tens in range(most + 1)], "times the first; people across"),
        keys=2,
    )
    picture.key([(line.name, line.shade) for line in lines])
    for line in lines:
        picture.line(line)
    return picture.svg()


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
