"""The pictures that an admin shows the council, and the page that holds them."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from app.simulator.evening.drawing import Axis, Chart, Row, Series, bars, steps
from app.simulator.evening.measures import Evening, Figures, percentile
from app.simulator.evening.people import Kind
from app.simulator.evening.scene import Scene, Way
from app.simulator.evening.words import Words

SHADES: Final = {Way.NOTHING: 0, Way.GOVERNOR: 1, Way.QUEUE: 2, Way.BOTH: 3}
_KINDS: Final = {Kind.OFFICE: 2, Kind.PAGES: 3, Kind.VIDEO: 1, Kind.DOWNLOAD: 0}  # bottom first
_FIRST_HOUR: Final = 18
_SLICE_SECONDS: Final = 900.0
_SMOOTH_MINUTES: Final = 5
_NONE: Final = "–"  # nobody of the kind was there


def pictures(scene: Scene, summary: Sequence[Figures], evenings: Sequence[Evening], words: Words) -> dict[str, str]:
    """Return every picture by the name of its file; `summary` has a row for each of the evenings' ways."""
    drawn = {"waiting.svg": waiting(summary, words), "evening.svg": evening(scene, evenings, words)}
    for one in evenings:
        if one.way in {Way.NOTHING, Way.BOTH}:
            drawn[f"carried-{one.way.value}.svg"] = carried(scene, one, words)
        if one.way is Way.BOTH:
            drawn["lowered.svg"] = lowered(scene, one, words)
    return drawn


def waiting(summary: Sequence[Figures], words: Words) -> str:
    """Draw how long pages took: median and p95 of each way."""
    rows = [Row(words(one.way.value), SHADES[one.way], one.page_p50, one.page_p95) for one in summary]
    return bars(words("wait_title"), rows, (words("wait_marks_short"), words("wait_marks_long")), words.seconds)


def evening(scene: Scene, evenings: Sequence[Evening], words: Words) -> str:
    """Draw p95 of page times by quarters of an hour."""
    lines = [Series(words(one.way.value), SHADES[one.way], _by_slices(scene, one)) for one in evenings]
    most = max((y for line in lines for _, y in line.points), default=1.0)
    ticks = steps(most)
    up = Axis(0, ticks[-1], [(value, words.number(value, 0)) for value in ticks], words("evening_up"))
    chart = Chart(words("evening_title"), _hours(scene), up, height=330, keys=-(-len(lines) // 2))
    chart.key([(line.name, line.shade) for line in lines])
    for line in lines:
        chart.line(line)
    return chart.svg()


def carried(scene: Scene, one: Evening, words: Words) -> str:
    """Draw what the line carried, by what it was for."""
    stack = [
        Series(words(kind.value), shade, _smooth([minute.bits[kind] / 60e6 for minute in one.minutes]))
        for kind, shade in _KINDS.items()
    ]
    ticks = steps(scene.capacity_bps / 1e6 * 1.05)
    up = Axis(0, ticks[-1], [(value, words.number(value, 0)) for value in ticks], words("carried_up"))
    chart = Chart(words("carried_title", way=words(one.way.value)), _hours(scene), up, height=330, keys=2)
    chart.key([(series.name, series.shade) for series in stack], filled=True)
    chart.areas(stack)
    chart.limit(scene.capacity_bps / 1e6, words("line", rate=words.rate(scene.capacity_bps)))
    return chart.svg()


def lowered(scene: Scene, one: Evening, words: Words) -> str:
    """Draw how many devices had a ceiling of the governor's."""
    points = [(number + 0.5, float(minute.lowered)) for number, minute in enumerate(one.minutes)]
    ticks = steps(max(y for _, y in points) or 1)
    up = Axis(0, ticks[-1], [(value, words.number(value, 0)) for value in ticks], words("lowered_up"))
    chart = Chart(words("lowered_title"), _hours(scene), up, height=260)
    chart.areas([Series("", 3, points)])
    return chart.svg()


def page(scene: Scene, summary: Sequence[Figures], drawn: Sequence[str], words: Words, *, evenings: int) -> str:
    """Return an HTML page with the pictures and the figures of so many evenings, without anything from outside."""
    several = "" if evenings == 1 else words("several", number=words.number(evenings, 0)) + " "
    until = f"{int(_FIRST_HOUR + scene.hours) % 24:02}.{int(scene.hours * 60) % 60:02}"
    told = words(
        "told",
        people=words.number(scene.people, 0),
        sites=words.number(len(scene.sites()) + bool(scene.staff), 0),
        rate=words.rate(scene.capacity_bps),
        until=until,
    )
    shown = "".join(f"<figure>{svg}</figure>" for svg in drawn)
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(words("heading"))}</title><link rel="icon" href="data:,">'
        f"<style>{_CSS}</style></head><body><main>"
        f"<h1>{escape(words('heading'))}</h1><p>{escape(told)}</p>{_table(summary, words)}"
        f'<p class="muted">{escape(several + words("legend"))}</p><div class="pictures">{shown}</div>'
        f'<p class="muted">{escape(words("model"))}</p></main></body></html>\n'
    )


_CSS: Final = """
:root{color-scheme:light dark}body{margin:0;background:#F5F9F9;color:#10242B;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:16px}h1{font-size:28px;line-height:1.2;margin:8px 0}
.muted{color:#4A626B}.pictures{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}
figure{margin:0}svg{display:block;width:100%;height:auto}
.table{overflow-x:auto;background:#FFFFFF;border-radius:10px}table{border-collapse:collapse;width:100%}
th,td{padding:8px 12px;text-align:right;border-top:1px solid #D5DFE1}th{font-weight:600}
thead th{border-top:0;vertical-align:bottom}tbody th,th:first-child{text-align:left}
thead th:not(:first-child){width:18%}td{white-space:nowrap}
@media (max-width:560px){main{padding:8px}.table{font-size:12px}th,td{padding:8px 3px}
th:first-child{padding-left:8px}td:last-child,th:last-child{padding-right:8px}}
@media (prefers-color-scheme:dark){body{background:#0B1518;color:#E6F0F1}.muted{color:#A3B8BE}
.table{background:#122126}th,td{border-color:#2A3E45}}
"""


def table(summary: Sequence[Figures], words: Words) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of the figures: a column for each way, a row for each figure."""
    written: Sequence[tuple[str, Callable[[Figures], str]]] = (
        ("median", lambda one: words.number(one.page_p50)),
        ("p95", lambda one: words.number(one.page_p95)),
        ("office", lambda one: words.number(one.office_p95) if one.office_p95 else _NONE),
        ("use", lambda one: words.number(100 * one.use)),
        ("fair", lambda one: words.number(one.fairness, 2)),
        ("changes", lambda one: words.number(one.changes, 0)),
        ("pages", lambda one: words.number(one.pages, 0)),
        ("video", lambda one: words.number(one.video_bps / 1e6, 2) if one.video_bps else _NONE),
        ("still", lambda one: words.number(100 * one.video_still)),
        ("downloads", lambda one: words.number(one.download_octets / 1e9)),
    )
    rows = [[words(f"column_{key}"), *(write(one) for one in summary)] for key, write in written]
    return [words("column_way"), *(words(one.way.value) for one in summary)], rows


def _table(summary: Sequence[Figures], words: Words) -> str:
    heads, rows = table(summary, words)
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(one)}</td>" for one in row[1:]) + "</tr>"
        for row in rows
    )
    return f'<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _hours(scene: Scene) -> Axis:
    """Return the axis of the evening, in minutes since it began."""
    last = scene.hours * 60
    each = 60 if last <= 360 else 120
    ticks = [(float(at), f"{(_FIRST_HOUR + at // 60) % 24:02}.00") for at in range(0, int(last) + 1, each)]
    return Axis(0, last, ticks)


def _by_slices(scene: Scene, one: Evening) -> list[tuple[float, float]]:
    slices: dict[int, list[float]] = {}
    for load in one.pages:
        if load.kind is Kind.PAGES:
            slices.setdefault(int(load.began_at // _SLICE_SECONDS), []).append(load.seconds)
    width = _SLICE_SECONDS / 60
    last = scene.hours * 60
    return [(min(last, (number + 0.5) * width), percentile(found, 0.95)) for number, found in sorted(slices.items())]


def _smooth(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return means of five minutes around each, against the minute."""
    half = _SMOOTH_MINUTES // 2
    smoothed = []
    for number in range(len(values)):
        near = values[max(0, number - half) : number + half + 1]
        smoothed.append((number + 0.5, sum(near) / len(near)))
    return smoothed
