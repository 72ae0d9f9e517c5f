"""No order, repetition or splitting of the same reports gives another result."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.plans import WITA
from app.domain.sessions import (
    Flag,
    NasRestart,
    ReportKind,
    Session,
    SessionReport,
    SessionState,
    apply_report,
    apply_restarts,
    close_stale,
    find_sessions,
    join,
)
from app.domain.usage import DayUsage, usage_by_day, usage_moved

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
    )


restarts = st.builds(
    lambda minute, cause: NasRestart("n", "gusung", BEGIN + timedelta(seconds=minute * 20), cause),
    st.integers(0, 1_500),
    st.sampled_from(["NAS-Reboot", "NAS-Request"]),
)
histories = st.lists(st.one_of(reports(), reports(), restarts), min_size=1, max_size=12)


def replay(said: Iterable[Said], *, sweeps: bool = False) -> set[Session]:
    """Apply one after the other as ingest does: the restarts known so far are applied again after each report."""
    sessions: list[Session] = []
    known: list[NasRestart] = []
    for item in said:
        if isinstance(item, NasRestart):
            known.append(item)
            sessions = [apply_restarts(session, [item]) for session in sessions]
        else:
            parts = find_sessions(sessions, item)
            merged = apply_report(None, item, zone=WITA)
            for part in parts:
                merged = join(part, merged)
            sessions = [s for s in sessions if s not in parts] + [apply_restarts(merged, known)]
        if sweeps:
            sessions = [close_stale(session) for session in sessions]
    return set(sessions)


@settings(max_examples=400, deadline=None)
@given(st.data(), histories)
def test_order_and_repetition_change_nothing(data: st.DataObject, history: list[Said]) -> None:
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = data.draw(st.permutations(repeated))
    assert replay(shuffled) == replay(history)


@settings(max_examples=200, deadline=None)
@given(st.data(), histories)
def test_an_estimated_end_changes_nothing_but_itself(data: st.DataObject, history: list[Said]) -> None:
    def without_estimate(session: Session) -> Session:
        estimated = session.stop is not None and session.stop.estimated
        return replace(session, stop=None) if estimated else session

    swept = {without_estimate(s) for s in replay(data.draw(st.permutations(history)), sweeps=True)}
    assert swept == replay(history)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_days_add_up_to_the_totals_and_are_never_negative(history: list[Said]) -> None:
    for session in replay(history):
        usage = usage_by_day(session, zone=WITA)
        assert sum(used.up_octets for used in usage.values()) == session.up_octets
        assert sum(used.down_octets for used in usage.values()) == session.down_octets
        assert all(used.up_octets >= 0 and used.down_octets >= 0 for used in usage.values())


@settings(max_examples=200, deadline=None)
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


@settings(max_examples=200, deadline=None)
@given(st.lists(reports(), min_size=1, max_size=10), st.integers(0, 1_500))
def test_nothing_before_a_restart_is_open_after_it(history: list[Said], minute: int) -> None:
    restart = NasRestart("n", "gusung", BEGIN + timedelta(seconds=minute * 20), "NAS-Reboot")
    for session in replay([restart, *history]):
        if session.started_at < restart.at and session.last_report_at <= restart.at:
            assert session.state is SessionState.CLOSED
            assert Flag.ESTIMATED not in session.flags
