"""Figures from what was kept: rates, percentiles, medians of rounds. Plain arithmetic, no I/O, no clock."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import Final

from app.bench.judging import Tally
from app.bench.loop import Stretch

PERCENTILES: Final = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a request to its answer; None where there was no answer."""

    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the requests."""

    sent: int
    answered: int
    right: int
    wrong: int
    bad: int
    repeated: int
    resent: int
    lost: int

    @property
    def faults(self) -> int:
        """Count what must not be: wrong verdicts, answers that are not to be believed, requests without an answer."""
        return self.wrong + self.bad + self.lost


@dataclass(frozen=True, slots=True)
class Sessions:
    """What a correct server knows by now of the sessions of a round, from the reports that it has acknowledged."""

    started: int
    stopped: int
    up_octets: int
    down_octets: int


@dataclass(frozen=True, slots=True)
class Used:
    """What the server's processes and the generator used in the measured time; None where nobody asked."""

    server_seconds: float | None
    generator_seconds: float
    server_octets: int | None


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement. `seconds` is the measured time, `all_answered_seconds` until the last answer of all had come.

    `per_second` are the answers of the measured time; `latency` is that of all answers; `began_at` is in epoch seconds.
    """

    began_at: float
    counts: Counts
    seconds: float
    all_answered_seconds: float
    per_second: float
    latency: Latency
    by_kind: dict[str, Latency]
    server_us: float | None
    server_cores: float | None
    server_octets: int | None
    generator_us: float | None
    generator_cores: float
    sessions: Sessions | None


def figures(
    tallies: dict[str, Tally],
    stretch: Stretch,
    used: Used,
    *,
    began_at: float,
    resent: int,
    sessions: Sessions | None = None,
) -> Round:
    """Put the figures of a round together; `tallies` by kind of request."""
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    seconds = stretch.ended - stretch.began
    in_time = sum(moment <= stretch.ended for moment in whole.moments)
    return Round(
        began_at=began_at,
        counts=Counts(
            sent=whole.sent,
            answered=whole.answered,
            right=whole.right,
            wrong=whole.wrong,
            bad=whole.bad,
            repeated=whole.repeated,
            resent=resent,
            lost=whole.lost,
        ),
        seconds=seconds,
        all_answered_seconds=stretch.last_answer - stretch.began,
        per_second=in_time / seconds if seconds else 0.0,
        latency=latency(whole.waits),
        by_kind={kind: latency(tally.waits) for kind, tally in tallies.items()},
        server_us=_each_us(used.server_seconds, in_time),
        server_cores=None if used.server_seconds is None or not seconds else used.server_seconds / seconds,
        server_octets=used.server_octets,
        generator_us=_each_us(used.generator_seconds, in_time),
        generator_cores=used.generator_seconds / seconds if seconds else 0.0,
        sessions=sessions,
    )


def medians(rounds: Sequence[Round]) -> dict[str, float | None]:
    """Return the median of each figure over the rounds."""
    return {
        "per_second": middle([one.per_second for one in rounds]),
        "p50_ms": middle([one.latency.p50_ms for one in rounds]),
        "p90_ms": middle([one.latency.p90_ms for one in rounds]),
        "p99_ms": middle([one.latency.p99_ms for one in rounds]),
        "max_ms": middle([one.latency.max_ms for one in rounds]),
        "all_answered_seconds": middle([one.all_answered_seconds for one in rounds]),
        "server_us": middle([one.server_us for one in rounds]),
        "server_cores": middle([one.server_cores for one in rounds]),
        "generator_us": middle([one.generator_us for one in rounds]),
    }


def total(rounds: Sequence[Round]) -> Counts:
    """Return the counts of all rounds together."""
    return Counts(*(sum(values) for values in zip(*(astuple(one.counts) for one in rounds), strict=True)))


def latency(waits: Sequence[float]) -> Latency:
    """Return the percentiles of waits in seconds."""
    ordered = sorted(waits)
    p50, p90, p99 = (percentile(ordered, percent) for percent in PERCENTILES)
    return Latency(_ms(p50), _ms(p90), _ms(p99), _ms(ordered[-1] if ordered else None))


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that so many of 100 do not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def middle(values: Sequence[float | None]) -> float | None:
    """Return the median; None if any is missing."""
    present = [value for value in values if value is not None]
    return median(present) if present and len(present) == len(values) else None


def _each_us(seconds: float | None, count: int) -> float | None:
    return None if seconds is None or not count else seconds / count * 1e6


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3
