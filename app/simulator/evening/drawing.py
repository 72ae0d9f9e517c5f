"""Charts as SVG by hand: axes, lines, areas and bars, that are read on a phone, in the dark, and without colours.

Everything is drawn on a field as wide as a phone, so that letters stay readable where it is shown small.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import floor, log10
from typing import Final, NamedTuple

WIDTH: Final = 440
_LEFT: Final = 46
_RIGHT: Final = 12
_TOP: Final = 52
_BOTTOM: Final = 34
_NUMBERS: Final = 110  # beside the longest bar
_WORDS: Final = 12
_KEY: Final = 20  # a line of the key
_STYLE: Final = """<style>
svg{color-scheme:light dark}
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#10242B;font-variant-numeric:tabular-nums}
.title{font-size:16px;font-weight:600}.muted{fill:#4A626B}.end{text-anchor:end}.middle{text-anchor:middle}
.ground{fill:#FFFFFF}.grid{stroke:#D5DFE1;stroke-width:1}.axis{stroke:#71868D;stroke-width:1}
.line{fill:none;stroke-width:2.5;stroke-linejoin:round}.limit{stroke:#10242B;stroke-width:1.5;stroke-dasharray:2 3}
.s0{stroke:#B8430B}.s1{stroke:#8A5A00}.s2{stroke:#5B5BD6}.s3{stroke:#0B6E78}
.f0{fill:#B8430B}.f1{fill:#8A5A00}.f2{fill:#5B5BD6}.f3{fill:#0B6E78}.pale{opacity:.45}
@media (prefers-color-scheme:dark){
text{fill:#E6F0F1}.muted{fill:#A3B8BE}.ground{fill:#122126}.grid{stroke:#2A3E45}.axis{stroke:#67808A}
.limit{stroke:#E6F0F1}
.s0{stroke:#FFA06B}.s1{stroke:#E9B949}.s2{stroke:#A9A9FF}.s3{stroke:#4FC3CF}
.f0{fill:#FFA06B}.f1{fill:#E9B949}.f2{fill:#A9A9FF}.f3{fill:#4FC3CF}
}
</style>"""
DASHES: Final = ("2 3", "7 4", "10 3 2 3", "none")
_HATCHES: Final = ("M0 8L8 0", "M0 4H8", "M0 0L8 8", "")


@dataclass(frozen=True, slots=True)
class Series:
    """Points with a name; `shade` is one of four colours, each with a dash and a hatch of its own."""

    name: str
    shade: int
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an axis begins and ends, what is written on it, and where."""

    first: float
    last: float
    ticks: Sequence[tuple[float, str]]
    words: str = ""


@dataclass(slots=True)
class Chart:
    """A field with axes; what is drawn on it is collected in `parts`."""

    title: str
    across: Axis
    up: Axis
    height: int = 300
    keys: int = 0
    parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for value, words in self.up.ticks:
            y = self.y(value)
            self.parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
            self.parts.append(text(_LEFT - 6, y + 4, words, "muted end"))
        for value, words in self.across.ticks:
            look = "muted end" if value == self.across.last else "muted middle"
            self.parts.append(text(self.x(value), self.floor + 18, words, look))
        self.parts.append(f'<path class="axis" d="M{_LEFT} {self.floor}H{WIDTH - _RIGHT}"/>')

    @property
    def top(self) -> float:
        """Return where the field begins, below the title, so many lines of the key, and the words of the axis."""
        return _TOP + _KEY * self.keys + (_WORDS if self.up.words else 0)

    @property
    def floor(self) -> float:
        """Return where the field ends."""
        return self.height - _BOTTOM

    def x(self, value: float) -> float:
        """Return where a value is across."""
        share = (value - self.across.first) / (self.across.last - self.across.first)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return where a value is, upwards."""
        share = (value - self.up.first) / (self.up.last - self.up.first)
        return self.floor - share * (self.floor - self.top)

    def line(self, series: Series) -> None:
        """Draw a line."""
        path = "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in series.points)
        dash = DASHES[series.shade]
        self.parts.append(f'<path class="line s{series.shade}" stroke-dasharray="{dash}" d="M{path}"/>')

    def areas(self, stack: Sequence[Series]) -> None:
        """Draw areas on top of each other."""
        below = [0.0] * len(stack[0].points)
        for series in stack:
            above = [low + y for low, (_, y) in zip(below, series.points, strict=True)]
            xs = [self.x(x) for x, _ in series.points]
            edge = [f"{x:.1f} {self.y(y):.1f}" for x, y in zip(xs, above, strict=True)]
            back = [f"{x:.1f} {self.y(y):.1f}" for x, y in zip(xs, below, strict=True)]
            outline = f'd="M{"L".join(edge + back[::-1])}Z"'
            self.parts.append(f'<path class="f{series.shade} pale" {outline}/>')
            self.parts.append(f'<path fill="url(#h{series.shade})" {outline}/>')
            below = above

    def limit(self, value: float, words: str) -> None:
        """Draw a line that nothing passes."""
        y = self.y(value)
        self.parts.append(f'<path class="limit" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        self.parts.append(text(WIDTH - _RIGHT, y - 5, words, "end"))

    def key(self, entries: Sequence[tuple[str, int]], *, filled: bool = False) -> None:
        """Say which is which, two in a line."""
        for number, (name, shade) in enumerate(entries):
            x, y = (_LEFT - 34 + (number % 2) * (WIDTH - 12) / 2, _TOP - 4 + _KEY * (number // 2))
            if filled:
                self.parts.append(f'<rect class="f{shade} pale" x="{x}" y="{y - 10}" width="26" height="12"/>')
                self.parts.append(f'<rect fill="url(#h{shade})" x="{x}" y="{y - 10}" width="26" height="12"/>')
            else:
                dash = DASHES[shade]
                self.parts.append(f'<path class="line s{shade}" stroke-dasharray="{dash}" d="M{x} {y - 4}H{x + 26}"/>')
            self.parts.append(text(x + 32, y, name))

    def svg(self) -> str:
        """Return the picture."""
        words = [text(12, 24, self.title, "title")]
        if self.up.words:
            words.append(text(12, self.top - 12, self.up.words, "muted"))
        return picture(self.height, self.title, [*words, *self.parts])


class Row(NamedTuple):
    """One row of bars: a short value within a long one."""

    name: str
    shade: int
    short: float
    long: float


def bars(title: str, rows: Sequence[Row], marks: tuple[str, str], number: Callable[[float], str]) -> str:
    """Draw rows of a long pale bar with a short full one in it; `marks` name the two."""
    longest = max((row.long for row in rows), default=1.0) or 1.0
    room = WIDTH - 24 - _NUMBERS
    parts, y = [text(12, 24, title, "title"), *_marks(marks)], 62.0
    for row in rows:
        parts.append(text(12, y + 14, row.name))
        for value, look in ((row.long, "pale"), (row.short, "")):
            width = max(2.0, room * value / longest)
            parts.append(f'<rect class="f{row.shade} {look}" x="12" y="{y + 20:.0f}" width="{width:.1f}" height="18"/>')
        words = f"{number(row.short)} / {number(row.long)}"
        parts.append(text(18 + max(2.0, room * row.long / longest), y + 34, words))
        y += 52
    return picture(int(y + 8), title, parts)


def _marks(marks: tuple[str, str]) -> list[str]:
    """Say what a full and a pale bar mean."""
    drawn = []
    for number, (words, look) in enumerate(zip(marks, ("", "pale"), strict=True)):
        x = 12 + number * (WIDTH - 24) / 2
        drawn += [
            f'<rect class="f3 {look}" x="{x:.0f}" y="36" width="26" height="12"/>',
            text(x + 32, 46, words, "muted"),
        ]
    return drawn


def picture(height: int, title: str, parts: Sequence[str]) -> str:
    """Return an SVG of the usual width."""
    hatches = "".join(
        f'<pattern id="h{shade}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<path class="s{shade}" d="{path}" fill="none" stroke-width="1.2"/></pattern>'
        for shade, path in enumerate(_HATCHES)
        if path
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">'
    )
    solid = '<pattern id="h3" width="8" height="8" patternUnits="userSpaceOnUse"></pattern>'
    ground = f'<rect class="ground" width="{WIDTH}" height="{height}" rx="10"/>'
    return "\n".join([head, _STYLE, f"<defs>{hatches}{solid}</defs>", ground, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, look: str = "") -> str:
    """Return words at a place."""
    named = f' class="{look}"' if look else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}>{escape(words)}</text>'


def steps(most: float, number: int = 4) -> list[float]:
    """Return round values from 0 to at least `most`."""
    if most <= 0:
        return [0.0, 1.0]
    raw = most / number
    size = 10.0 ** floor(log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    count = int(-(-most // step))
    return [step * index for index in range(count + 1)]
