"""No order, repetition or splitting of the same reports gives another result."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.ledger import Ledger
from app.domain.local_time import WITA
from app.domain.reports import NasRestart, ReportKind, SessionReport
from app.domain.sessions import Flag, Session, SessionState, close_stale
from app.domain.usage import DayUsage, usage_by_day, usage_moved

if TYPE_CHECKING:
    from app.domain.readings import Reading

BEGIN = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # 22.00 WITA
Said = SessionReport | NasRestart


@st.composite
def reports(draw: st.DrawFn) -> SessionReport:
    kind, proof = draw(st.sampled_from(ReportKind)), draw(st.integers(0, 3))
    return SessionReport(
        kind=kind,
        nas_id="n",
        nas_scope="gusung",
        acct_session_id="80100001",
        mac="02:aa:00:00:00:01",
        user_name=draw(st.sampled_from(["anna", "budi"])),
        event_at=BEGIN + timedelta(seconds=draw(st.integers(0, 1_500)) * 20),
        up_octets=draw(st.integers(0, 2**40)),
        down_octets=draw(st.integers(0, 2**40)),
        session_seconds=draw(st.one_of(st.none(), st.integers(0, 3_000))),
        acceptance_id=None if proof == 0 else f"acceptance{proof}",
        account_id=None if proof == 0 else f"account{proof % 2}",
        ip=None if proof == 1 else f"10.0.0.{proof}",
        terminate_cause="User-Request" if kind is ReportKind.STOP else None,
        up_packets=draw(st.one_of(st.none(), st.integers(0, 2**20))),
        has_octets=draw(st.integers(0, 9)) > 0,
        has_gigawords=draw(st.integers(0, 3)) == 0,
    )


restarts = st.builds(
    lambda minute, cause: NasRestart("n", "gusung", BEGIN + timedelta(seconds=minute * 20), cause),
    st.integers(0, 1_500),
    st.sampled_from(["NAS-Reboot", "NAS-Request"]),
)
histories = st.lists(st.one_of(reports(), reports(), restarts), min_size=1, max_size=12)


def replay(said: Iterable[Said], *, size: int = 1, sweeps: bool = False) -> set[Session]:
    """Apply batch by batch as ingest does: what did not simply go on is settled from all readings that were kept."""
    sessions: list[Session] = []
    kept: dict[str, list[Reading | None]] = {}
    known: list[NasRestart] = []
    numbers = count(1)
    items = list(said)
    for batch in (items[at : at + size] for at in range(0, len(items), size)):
        ledger = Ledger(WITA, {}, lambda: f"{next(numbers):016d}")
        ledger.load(sessions)
        read = [(ledger.record(item), item.reading) for item in batch if isinstance(item, SessionReport)]
        ledger.settle({session_id: kept[session_id] for ids in ledger.unsettled().values() for session_id in ids})
        known += [item for item in batch if isinstance(item, NasRestart)]
        ledger.restart({("n", "gusung"): known})
        for session_id, readings in [(i, kept.pop(i)) for i in list(kept)] + [(i, [one]) for i, one in read]:
            kept.setdefault(ledger.survivor(session_id), []).extend(readings)
        sessions = [close_stale(session) if sweeps else session for session in ledger.sessions()]
    return {session._replace(id="") for session in sessions}


@settings(max_examples=100, deadline=None)
@given(st.data(), histories)
def test_order_and_repetition_change_nothing(data: st.DataObject, history: list[Said]) -> None:
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = data.draw(st.permutations(repeated))
    assert replay(shuffled, size=data.draw(st.integers(1, 4))) == replay(history)


@st.composite
def growing(draw: st.DrawFn) -> list[Said]:
    """Draw the reports of one session whose counters grow, wrap and begin again."""
    told: list[Said] = []
    seconds = up = down = packets = 0
    dated, wide, counts_packets = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    for _ in range(draw(st.integers(1, 10))):
        seconds += draw(st.sampled_from([20, 60, 600]))
        if draw(st.integers(0, 4)) == 0:
            up = down = packets = 0
        up, down = up + draw(st.integers(0, 10**9)), down + draw(st.integers(0, 3 * 10**9))
        packets += draw(st.integers(0, 10**6))
        told.append(
            SessionReport(
                kind=ReportKind.INTERIM,
                nas_id="n",
                nas_scope="gusung",
                acct_session_id="80100001",
                mac="02:aa:00:00:00:01",
                user_name="anna",
                event_at=BEGIN + timedelta(seconds=seconds + (0 if dated else draw(st.integers(0, 3)))),
                up_octets=up if wide else up % 2**32,
                down_octets=down if wide else down % 2**32,
                session_seconds=seconds if dated else None,
                up_packets=packets if counts_packets else None,
                down_packets=packets if counts_packets else None,
                has_gigawords=wide,
            )
        )
    return told


@settings(max_examples=100, deadline=None)
@given(st.data(), growing())
def test_a6_09_wraps_and_restarted_counters_are_the_same_in_any_order(data: st.DataObject, history: list[Said]) -> None:
    shuffled = data.draw(st.permutations(history))
    assert replay(shuffled, size=data.draw(st.integers(1, 4))) == replay(history)


@settings(max_examples=100, deadline=None)
@given(st.data(), histories)
def test_an_estimated_end_changes_nothing_but_itself(data: st.DataObject, history: list[Said]) -> None:
    def without_estimate(session: Session) -> Session:
        estimated = session.stop is not None and session.stop.estimated
        return session._replace(stop=None) if estimated else session

    swept = {without_estimate(s) for s in replay(data.draw(st.permutations(history)), sweeps=True)}
    assert swept == replay(history)


@settings(max_examples=100, deadline=None)
@given(histories)
def test_days_add_up_to_the_totals_and_are_never_negative(history: list[Said]) -> None:
    for session in replay(history):
        usage = usage_by_day(session, zone=WITA)
        assert sum(used.up_octets for used in usage.values()) == session.charged.up_octets <= session.up_octets
        assert sum(used.down_octets for used in usage.values()) == session.charged.down_octets <= session.down_octets
        assert all(used.up_octets >= 0 and used.down_octets >= 0 for used in usage.values())


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 12))
def test_what_is_added_in_two_steps_is_what_is_added_in_one(history: list[Said], cut: int) -> None:
    early, late = replay(history[:cut]), replay(history)
    first = usage_moved([], early, zone=WITA)
    second = usage_moved(early, late, zone=WITA)
    assert _summed([first, second]) == usage_moved([], late, zone=WITA)


def _summed(steps: Sequence[Mapping[tuple[str, date], DayUsage]]) -> dict[tuple[str, date], DayUsage]:
    total: dict[tuple[str, date], DayUsage] = {}
    for step in steps:
        for key, used in step.items():
            known = total.get(key, DayUsage())
            total[key] = DayUsage(known.up_octets + used.up_octets, known.down_octets + used.down_octets)
    return {key: used for key, used in total.items() if used != DayUsage()}


@settings(max_examples=100, deadline=None)
@given(st.lists(reports(), min_size=1, max_size=10), st.integers(0, 1_500))
def test_nothing_before_a_restart_is_open_after_it(history: list[Said], minute: int) -> None:
    restart = NasRestart("n", "gusung", BEGIN + timedelta(seconds=minute * 20), "NAS-Reboot")
    for session in replay([restart, *history]):
        if session.started_at < restart.at and session.last_report_at <= restart.at:
            assert session.state is SessionState.CLOSED
            assert Flag.ESTIMATED not in session.flags
