"""The outbox: claimed with what sending needs, decided anew, finished by answer, silence or the session's end."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import insert, select, update

from app.db import hints, resume
from app.db.engine import Database
from app.db.hints import Notice
from app.db.tables.changes import changes
from app.db.tables.sessions import sessions as sessions_table
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.changes import MOST_ATTEMPTS, Answer, ChangeState, Result, Way, acknowledged, refused, silent
from app.domain.granted import Limits
from app.domain.hints import HintKind
from app.domain.local_time import WITA
from app.domain.quotas import Period, Quota
from app.domain.reports import Decided, Method, Reported, ReportKind
from app.domain.sessions import SessionState
from app.services import ingest, outbox, plans
from app.services.ceilings import set_ceilings
from app.services.changes import BY_HAND, disconnect, tell
from app.services.expiry import end_expired
from app.services.keyring import Keyring
from app.services.nases import set_nas
from app.services.outbox import Busy, Job, Outcome
from app.services.quotas import change_quotas
from app.services.stale import close_superseded
from app.services.users import set_user, suspend_user
from tests.factories import MAC, NOON, by_tally, make_report
from tests.node.city import City

MINUTE = timedelta(minutes=1)
FREE = Busy(100, {}, ())
ACCEPTANCE = "8000000000000000"
numbers = count(1)


class Outbox:
    """A city with Budi online, and the outbox of his session."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.city = City(database, keyring)
        self.database, self.keyring = database, keyring
        self.budi = self.city.add_user("budi")
        self.accept()
        self.report(ReportKind.START)
        self.report(ReportKind.INTERIM, minute=1, down=100_000)
        (self.session_id,) = self.sessions(SessionState.OPEN)

    def accept(self) -> None:
        limits = '{"down_bps": 4000000, "up_bps": 2000000, "octets": 1000000}'
        verdict = Decided(
            NOON, self.city.nas.id, MAC, self.budi.id, "budi", Method.PASSWORD, True, "", ACCEPTANCE, limits
        )
        self.merge(verdict)

    def report(
        self, kind: ReportKind, *, minute: float = 0, down: int = 0, session: str = "80100001", cause: str | None = None
    ) -> None:
        report = make_report(
            kind,
            minute=minute,
            down=down,
            nas_id=self.city.nas.id,
            acct_session_id=session,
            account_id=self.budi.id,
            acceptance_id=ACCEPTANCE,
            cause=cause,
        )
        source = f"127.0.0.1:{40_000 + next(numbers)}"
        self.merge(Reported(report, f"{session}/{minute}".encode(), report.event_at, source, self.city.nas.id))

    def merge(self, *items: Decided | Reported) -> None:
        now = max(NOON, *(item.at if isinstance(item, Decided) else item.received_at for item in items))
        ingest.merge(self.database, items, position=None, origin="", zone=WITA, now=now, chance=self.city.chance)

    def sessions(self, state: SessionState) -> list[str]:
        with self.database.read() as connection:
            query = select(sessions_table.c.id).where(sessions_table.c.state == state.value)
            return list(connection.scalars(query))

    def tell(self, reason: str = "policy") -> None:
        with self.database.write() as connection:
            tell(connection, [self.session_id], reason=reason, now=NOON, chance=self.city.chance)

    def end(self, reason: str = BY_HAND) -> None:
        with self.database.write() as connection:
            disconnect(connection, [self.session_id], reason=reason, now=NOON, chance=self.city.chance)

    def claim(self, *, minute: float = 2, busy: Busy = FREE) -> list[Job]:
        now = NOON + minute * MINUTE
        return outbox.claim(self.database, self.keyring, busy=busy, now=now, zone=WITA)

    def answer(self, answer: Answer, *, minute: float = 2, told: Limits | None = None) -> None:
        (job,) = self.claim(minute=minute)
        self.record(job, answer, minute=minute, told=told)

    def record(self, job: Job, answer: Answer, *, minute: float = 2, told: Limits | None = None) -> None:
        outbox.record(self.database, [Outcome(job, answer, Way.COA, told)], now=NOON + minute * MINUTE)

    @property
    def states(self) -> list[tuple[str, str]]:
        with self.database.read() as connection:
            rows = connection.execute(select(changes).order_by(changes.c.created_at))
            return [(row.state, row.result) for row in rows]

    @property
    def hints(self) -> list[tuple[HintKind, str]]:
        with self.database.read() as connection:
            return [(hint.kind, hint.detail) for some in hints.read_all(connection).values() for hint in some]


@pytest.fixture
def box(database: Database, keyring: Keyring) -> Outbox:
    return Outbox(database, keyring)


# What is claimed


def test_job_holds_what_the_session_has_and_what_it_is_granted(box: Outbox) -> None:
    box.tell()
    (job,) = box.claim()
    assert (job.down_octets, job.up_octets, job.elapsed_seconds) == (100_000, 0, 120)
    assert job.granted == Limits(4_000_000, 2_000_000, 900_000, None, None, 60)
    assert (job.left.octets, job.held) == (900_000, Limits(4_000_000, 2_000_000, 1_000_000))
    assert job.packet == b"80100001/1"
    assert job.source is not None
    assert job.source.startswith("127.0.0.1:")
    assert job.secrets == ("a-shared-secret-of-gusung",)
    assert not job.resumes


def test_what_is_said_is_what_holds_when_it_is_claimed(box: Outbox) -> None:
    box.tell()
    change_quotas(
        box.database,
        "budi",
        by_tally(Quota(Period.DAY, 5_000_000)),
        reason="sekolah",
        author="admin",
        **box.city.circumstances,
    )
    (job,) = box.claim()
    assert job.left.octets == 4_900_000


def test_change_of_who_may_not_stay_ends_the_session(box: Outbox) -> None:
    box.tell()
    suspend_user(box.database, "budi", suspended=True, **box.city.circumstances)
    jobs = box.claim()
    assert [job.granted for job in jobs] == [None]


def test_end_of_who_may_stay_again_is_withdrawn(box: Outbox) -> None:
    box.end("suspended")
    assert box.claim() == []
    assert box.states == [("done", "withdrawn")]


def test_end_by_hand_asks_for_no_reason_of_the_rules(box: Outbox) -> None:
    box.end()
    (job,) = box.claim()
    assert job.granted is None


def test_device_that_comes_back_by_itself_is_known(box: Outbox) -> None:
    box.city.add_grant(MAC, box.budi)
    box.tell()
    (job,) = box.claim()
    assert job.resumes


def test_what_an_earlier_change_told_is_what_the_session_is_held_to(box: Outbox) -> None:
    box.tell()
    box.answer(acknowledged(), told=Limits(512_000, 256_000, 5_000_000))
    box.tell()
    (job,) = box.claim(minute=3)
    assert job.held == Limits(512_000, 256_000, 5_000_000)


def test_one_change_of_a_session_is_on_its_way_at_a_time(box: Outbox) -> None:
    box.tell()
    (job,) = box.claim()
    box.tell()
    assert box.claim(busy=Busy(100, {}, {box.session_id})) == []
    box.record(job, acknowledged())
    assert len(box.claim()) == 1


def test_change_that_comes_while_one_is_on_its_way_is_not_lost(box: Outbox) -> None:
    box.tell()
    box.claim()
    box.tell()
    assert [state for state, _ in box.states] == ["sent", "pending"]


def test_what_another_machine_has_on_its_way_is_waited_for(box: Outbox) -> None:
    box.tell()
    (job,) = box.claim()
    box.end()
    assert box.claim() == []
    box.record(job, acknowledged())
    assert [other.granted for other in box.claim()] == [None]


def test_router_without_room_is_passed_over(box: Outbox) -> None:
    box.tell()
    lane = (box.city.nas.id, "gusung-1")
    assert box.claim(busy=Busy(100, {lane: 0}, ())) == []
    assert box.claim(busy=Busy(0, {}, ())) == []
    assert len(box.claim(busy=Busy(100, {lane: 1}, ()))) == 1


def test_claim_of_a_worker_that_died_is_sent_again(box: Outbox) -> None:
    box.tell()
    box.claim()
    assert outbox.requeue_lost(box.database, now=NOON + 2 * MINUTE + outbox.LEASE - timedelta(seconds=1)) == 0
    assert outbox.requeue_lost(box.database, now=NOON + 2 * MINUTE + outbox.LEASE) == 1
    assert len(box.claim(minute=6)) == 1


# What answers mean


def test_a7_05_no_such_session_closes_it_here(box: Outbox) -> None:
    box.end()
    box.answer(refused(503, attempts=1, now=NOON))
    assert box.states == [("done", "no_session")]
    assert box.sessions(SessionState.CLOSED) == [box.session_id]


@pytest.mark.parametrize("cause", [401, 402, 404, 405, 407, 501, None])
def test_a7_05_what_is_refused_for_good_is_not_tried_again(box: Outbox, cause: int | None) -> None:
    box.tell()
    box.answer(refused(cause, attempts=1, now=NOON))
    assert box.states == [("failed", f"refused:{cause or 0}")]
    assert box.claim(minute=60) == []
    assert box.hints == []


@pytest.mark.parametrize("cause", [403, 502])
def test_a7_05_wrong_configuration_is_an_alarm_until_it_works(box: Outbox, cause: int) -> None:
    box.tell()
    box.answer(refused(cause, attempts=1, now=NOON))
    assert box.hints == [(HintKind.COA_REFUSED, str(cause))]
    box.tell()
    box.answer(acknowledged())
    assert box.hints == []


@pytest.mark.parametrize("cause", [504, 506, 508])
def test_a7_05_what_cannot_be_done_now_is_tried_later_and_given_up(cause: int) -> None:
    waits = []
    for attempts in range(1, MOST_ATTEMPTS):
        answer = refused(cause, attempts=attempts, now=NOON)
        assert answer.state is ChangeState.PENDING
        assert answer.due_at is not None
        waits.append(answer.due_at - NOON)
    assert waits == sorted(waits)
    assert len(set(waits)) == len(waits)
    assert refused(cause, attempts=MOST_ATTEMPTS, now=NOON).state is ChangeState.FAILED


def test_a7_05_later_is_later(box: Outbox) -> None:
    box.tell()
    box.answer(refused(506, attempts=1, now=NOON + 2 * MINUTE))
    assert box.states == [("pending", "later:506")]
    assert box.claim() == []
    assert len(box.claim(minute=3)) == 1


def test_a7_06_silence_is_unknown_and_tried_again_at_the_next_report(box: Outbox) -> None:
    box.end()
    box.answer(silent("", attempts=1))
    assert box.states == [("unknown", "silent")]
    assert box.sessions(SessionState.OPEN) == [box.session_id]
    assert box.claim(minute=60) == []
    box.report(ReportKind.INTERIM, minute=3, down=200_000)
    assert [state for state, _ in box.states] == ["pending"]
    assert box.hints == []
    box.answer(silent("bad_authenticator", attempts=2), minute=3)
    assert box.hints == [(HintKind.COA_SILENT, "bad_authenticator")]


def test_a7_06_silence_is_given_up_at_last() -> None:
    states = [silent("", attempts=attempts).state for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert set(states[:-1]) == {ChangeState.UNKNOWN}
    assert states[-1] is ChangeState.FAILED


def give_up(box: Outbox) -> None:
    """Let Budi be suspended and his router never answer."""
    suspend_user(box.database, "budi", suspended=True, **box.city.circumstances)
    box.answer(silent("", attempts=MOST_ATTEMPTS))
    assert box.states == [("failed", "silent")]


@pytest.mark.parametrize("reason", ["suspended", BY_HAND])
def test_router_that_answers_again_is_asked_anew_to_put_out_whom_the_rules_do(box: Outbox, reason: str) -> None:
    give_up(box)
    with box.database.write() as connection:
        connection.execute(update(changes).values(reason=reason))
        hints.add(connection, [Notice(box.city.nas.id, HintKind.COA_SILENT, "", 1)], now=NOON)
    box.report(ReportKind.START, minute=3, session="80100002")
    (other,) = set(box.sessions(SessionState.OPEN)) - {box.session_id}
    with box.database.write() as connection:
        disconnect(connection, [other], reason=BY_HAND, now=NOON + 3 * MINUTE, chance=box.city.chance)
    box.answer(acknowledged(), minute=3)
    assert box.hints == []
    assert [job.change.session_id for job in box.claim(minute=4)] == [box.session_id][: reason == "suspended"]


def test_end_that_was_given_up_is_asked_for_again_where_the_router_is_set_otherwise(box: Outbox) -> None:
    give_up(box)
    set_nas(box.database, box.keyring, box.city.nas.name, now=NOON + 3 * MINUTE, coa_port=3800)
    (job,) = box.claim(minute=3)
    assert job.change.attempts == 0
    assert job.nas.coa_port == 3800


def test_who_may_stay_again_is_not_put_out_by_an_end_that_was_given_up(box: Outbox) -> None:
    give_up(box)
    suspend_user(box.database, "budi", suspended=False, **box.city.circumstances)
    set_nas(box.database, box.keyring, box.city.nas.name, now=NOON + 3 * MINUTE, coa_port=3800)
    box.answer(acknowledged(), minute=3)  # of his limits: one change of a session at a time
    assert box.claim(minute=3) == []
    assert ("done", "withdrawn") in box.states


def test_all_that_is_due_for_a_silent_router_waits_for_news_of_its_sessions(box: Outbox) -> None:
    box.tell()
    assert outbox.postpone(box.database, (box.city.nas.id, "another"), now=NOON) == 0
    assert outbox.postpone(box.database, (box.city.nas.id, "gusung-1"), now=NOON) == 1
    assert box.states == [("unknown", "silent")]


@pytest.mark.parametrize("state", ["pending", "sent", "unknown", "waiting"])
def test_stop_before_the_answer_ends_whatever_was_to_be_told(box: Outbox, state: str) -> None:
    box.end()
    (job,) = box.claim()
    with box.database.write() as connection:
        connection.execute(update(changes).values(state=state))
    box.report(ReportKind.STOP, minute=2)
    assert box.states == [("done", "ended")]
    box.record(job, refused(503, attempts=1, now=NOON))  # the answer that comes after it
    assert box.states == [("done", "ended")]


def test_session_that_falls_silent_takes_its_changes_along(box: Outbox) -> None:
    box.tell()
    with box.database.write() as connection:
        values = {"id": "newer", "started_at": NOON + 5 * MINUTE, "last_report_at": NOON + 5 * MINUTE}
        row = connection.execute(select(sessions_table)).mappings().one()
        connection.execute(insert(sessions_table).values({**row, **values}))
    assert close_superseded(box.database, now=NOON + 6 * MINUTE) == 1
    assert box.states == [("done", "ended")]


@pytest.mark.parametrize(("asked", "comes_back"), [(True, True), (False, False)])
def test_stop_that_we_asked_for_is_no_log_out_whatever_the_router_calls_it(
    box: Outbox, asked: bool, comes_back: bool
) -> None:
    box.city.add_grant(MAC, box.budi)
    box.tell()
    if asked:
        box.claim()
    box.report(ReportKind.STOP, minute=2, cause="User-Request")
    with box.database.read() as connection:
        grants = resume.of_macs(connection, [MAC], now=NOON)[MAC]
    assert bool(grants) is comes_back


# What queues


def test_everybody_of_a_plan_is_told_when_it_changes(box: Outbox) -> None:
    plans.set_plan(box.database, "Warga", down_bps=1_000_000, now=NOON, chance=box.city.chance)
    (job,) = box.claim()
    assert job.granted is not None
    assert job.granted.down_bps == 1_000_000


def test_who_expires_is_cut_once(box: Outbox) -> None:
    set_user(box.database, "budi", valid_until=NOON + MINUTE, **box.city.circumstances)
    with box.database.write() as connection:
        connection.execute(changes.delete())
    assert end_expired(box.database, now=NOON, chance=box.city.chance) == 0
    assert end_expired(box.database, now=NOON + MINUTE, chance=box.city.chance) == 1
    assert end_expired(box.database, now=NOON + MINUTE, chance=box.city.chance) == 0
    assert [job.granted for job in box.claim()] == [None]


def test_router_that_says_yes_and_does_nothing_is_asked_again_after_minutes(box: Outbox) -> None:
    set_user(box.database, "budi", valid_until=NOON + MINUTE, **box.city.circumstances)
    with box.database.write() as connection:
        connection.execute(changes.delete())
    end_expired(box.database, now=NOON + MINUTE, chance=box.city.chance)
    box.answer(acknowledged())
    assert end_expired(box.database, now=NOON + 6 * MINUTE, chance=box.city.chance) == 0
    assert end_expired(box.database, now=NOON + 8 * MINUTE, chance=box.city.chance) == 1


def test_ceiling_is_what_the_session_is_granted(box: Outbox) -> None:
    held = Ceiling(box.budi.id, MAC, CeilingSource.GOVERNOR, 512_000, None, NOON + 60 * MINUTE, "antre", "governor")
    set_ceilings(box.database, [held], now=NOON, chance=box.city.chance)
    (job,) = box.claim()
    assert job.granted is not None
    assert (job.granted.down_bps, job.granted.up_bps) == (512_000, 2_000_000)


def test_result_without_detail_is_one_word() -> None:
    assert Answer(ChangeState.WAITING, Result.NEXT_LOGIN).text == "next_login"
