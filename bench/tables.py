"""Results as Markdown: medians of rounds, and medians of the ratios taken within a round."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from bench.measuring import Extent, Result
from bench.setting import Setting


class Row(NamedTuple):
    """A figure of a measurement: what it is called, how it is written, whether more is better (None: no ratio)."""

    words: str
    measurement: str
    figure: str
    written: str = "{:,.0f}"
    factor: float = 1.0
    more_is_better: bool | None = None


ROWS: Final = (
    Row("PAP, requests a second", "pap", "per_second", more_is_better=True),
    Row("PAP, p50, ms", "pap", "p50_ms", "{:.2f}"),
    Row("PAP, p99, ms", "pap", "p99_ms", "{:.2f}"),
    Row("PAP, CPU of the processes that answer, a request, µs", "pap", "server_us", "{:.1f}", more_is_better=False),
    Row("PAP, CPU of all its processes, a request, µs", "pap", "whole_us", "{:.1f}", more_is_better=False),
    Row("accounting, requests a second", "accounting", "per_second", more_is_better=True),
    Row("accounting, p50, ms", "accounting", "p50_ms", "{:.2f}"),
    Row("accounting, p99, ms", "accounting", "p99_ms", "{:.2f}"),
    Row("accounting, CPU of the processes that answer, a request, µs", "accounting", "server_us", "{:.1f}"),
    Row("PAP at {rate:,.0f} a second, p50, ms", "rate", "p50_ms", "{:.2f}"),
    Row("PAP at {rate:,.0f} a second, p99, ms", "rate", "p99_ms", "{:.2f}"),
    Row("PAP, {window:,} at a time, requests a second", "window", "per_second", more_is_better=True),
    Row("PAP, {window:,} at a time, p99, ms", "window", "p99_ms", "{:.1f}"),
    Row("PAP, {window:,} at a time, sent again", "window", "resent"),
    Row("evening storm, seconds until {phones:,} are online", "storm", "all_answered_seconds", "{:.2f}", 1.0, False),
    Row("evening storm, sent again", "storm", "resent"),
    Row("records a second into the database, sustained", "ingest", "merged_per_second", more_is_better=True),
    Row("seconds until the database has the last one", "ingest", "behind_seconds", "{:.1f}"),
    Row("memory of the processes that answer afterwards, MB", "pap", "memory_octets", "{:,.0f}", 1e-6),
    Row("seconds from start to the first answer", "restart", "seconds", "{:.2f}"),
)


def results_page(
    results: Sequence[Result], setting: Setting, extent: Extent, machine: Mapping[str, str], taken: str
) -> str:
    """Return the page of the comparison."""
    servers = list(dict.fromkeys(one.server for one in results))
    peers = [server for server in servers if not server.startswith("Pesisir")]
    own = [server for server in servers if server.startswith("Pesisir")]
    pairs = [(mine, peer) for mine in own for peer in peers]
    head = ["", *servers, *(f"{mine} : {peer}" for mine, peer in pairs)]
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    numbers = {"rate": extent.rate, "window": extent.wide_window, "phones": setting.phones}
    for row in ROWS:
        cells = [_median(results, row, server) for server in servers]
        if any(cells):
            ratios = [_ratio(results, row, mine, peer) for mine, peer in pairs]
            lines.append(_line([row.words.format(**numbers), *cells, *ratios]))
    introduction = (
        f"Taken on {taken} by `make bench`: {setting.people:,} people, {extent.rounds} "
        f"round{'s' if extent.rounds > 1 else ''} of {extent.seconds:g} s; Pesisir with "
        f"{setting.workers} RADIUS process{'es' if setting.workers > 1 else ''}. "
        "Medians of the rounds; a ratio is the median of the ratios within a round, and above 1 where Pesisir does "
        "more, or needs less."
    )
    told = [f"- {what}: {words}" for what, words in machine.items()]
    return "\n".join(["# Results", "", introduction, "", *lines, "", *_honesty(results), "", *told, ""])


def growth_page(rows: Sequence[Mapping[str, Any]], extent: Extent, machine: Mapping[str, str], taken: str) -> str:
    """Return the table of more and more people and routers."""
    head = ["people", "routers", "import, s", "start to first answer, s", "memory, MB", "PAP a second", "p99, ms"]
    head += ["CPU a request, µs", "faults"]
    lines = [_line(head), _line(["---:"] * len(head))]
    for row in rows:
        lines.append(
            _line(
                [
                    f"{row['people']:,}",
                    f"{row['routers']:,}",
                    f"{row['import_seconds']:.1f}",
                    f"{row['restart_seconds']:.2f}",
                    f"{row['memory_octets'] / 1e6:,.0f}",
                    f"{row['per_second']:,.0f}",
                    f"{row['p99_ms']:.1f}",
                    f"{row['server_us']:.1f}",
                    f"{row['faults']:,}",
                ]
            )
        )
    return "\n".join(
        [
            "# Growth",
            "",
            (
                f"Taken on {taken} by `make bench`: Pesisir on SQLite with one RADIUS process, {extent.seconds:g} s a "
                "row. More and more people, then more and more routers."
            ),
            "",
            *lines,
            "",
            "![What more people cost](growth.svg)",
            "",
            *(f"- {what}: {words}" for what, words in machine.items()),
            "",
        ]
    )


def values(results: Sequence[Result], row: Row, server: str) -> dict[int, float]:
    """Return a figure of a server by round."""
    return {
        one.round: one.figures[row.figure] * row.factor
        for one in results
        if (one.measurement, one.server) == (row.measurement, server) and one.figures.get(row.figure) is not None
    }


def _median(results: Sequence[Result], row: Row, server: str) -> str:
    found = values(results, row, server)
    return row.written.format(median(found.values())) if found else ""


def _ratio(results: Sequence[Result], row: Row, mine: str, peer: str) -> str:
    if row.more_is_better is None:
        return ""
    ours, theirs = values(results, row, mine), values(results, row, peer)
    both = [(ours[number], theirs[number]) for number in ours.keys() & theirs.keys()]
    ratios = [(a / b if row.more_is_better else b / a) for a, b in both if a and b]
    return f"{median(ratios):.2f}" if ratios else ""


def _honesty(results: Sequence[Result]) -> list[str]:
    """Say what was wrong: verdicts, signatures, answers that never came, rows that are not there."""
    lines = []
    for server in dict.fromkeys(one.server for one in results):
        faults = sum(one.figures.get("faults", 0) for one in results if one.server == server)
        stored = [
            one.figures["rightly_stored"] for one in results if one.server == server and "rightly_stored" in one.figures
        ]
        words = f"{server}: {faults:,} wrong verdicts, answers not to be believed, and requests without an answer"
        if stored:
            exact = "exactly" if all(stored) else "not exactly"
            words += f"; its database has {exact} the sessions and octets that were acknowledged"
        lines.append(f"- {words}.")
    return lines


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
