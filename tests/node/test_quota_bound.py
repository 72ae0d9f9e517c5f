"""No evening lets anybody use more than the quota and the stated bound, or cuts anybody early.

Phones come and go between two sites, by password or by themselves, vanish and come back under another MAC, change their
rate; their routers ask and tell two servers in turn, journals are merged late, nights and weeks pass, and accounts have
billing days. Routers cut at the octet that they were told and take a Disconnect. What each phone truly used is the
oracle.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.db import tables
from app.db.engine import open_database
from app.domain.local_time import WITA, local_day
from app.domain.quotas import Measure, Period, Quota, Tally
from app.domain.spending import Used, usage_from_days
from app.services import plans, sites, users
from app.services.keyring import Keyring
from radius.codes import StatusType
from radius.messages import Accept, Later, Reject
from tests.node.city import MAC_SECRET, City, Node, worker_of
from tests.node.journals import until

if TYPE_CHECKING:
    from radius.values import Value

TICK = 60
"""Seconds between two reports, and between two moments at which anything happens."""

LATEST_MERGE = 2
"""Ticks after which a report is merged at the latest."""

RATES = (0, 500, 4_000)
PHONES = 3
NOBODY_KNOWS = 1 + LATEST_MERGE
"""Ticks of interim interval and feed delay: what was used before them is known."""


def waited(ask: Callable[[], object]) -> object:
    """Return an answer, however slow the disk is."""
    answers: list[object] = []
    until(lambda: answers.append(ask()) or not isinstance(answers[-1], Later))  # type: ignore[func-returns-value]
    return answers[-1]


@dataclass
class Phone:
    number: int
    generation: int = 0
    nas_id: str = ""
    name: str = ""
    session: str = ""
    claims: bytes = b""
    node: int = 0
    rate: int = 4_000
    up: int = 0
    down: int = 0
    began: datetime | None = None
    most: dict[Measure, int | None] = field(default_factory=dict)
    until: datetime | None = None

    @property
    def mac(self) -> str:
        return f"02:aa:00:00:{self.generation:02x}:{self.number:02x}"

    @property
    def left(self) -> int:
        """Return how many octets its router lets it use; a tenth of them goes up."""
        limits = [
            most - {Measure.BOTH: self.up + self.down, Measure.DOWN: self.down, Measure.UP: self.up}[measure]
            for measure, most in self.most.items()
            if most is not None
        ]
        return max(0, min(limits, default=10**12))


class Evening:
    """One person, with some phones, two servers, and a database that learns of it later."""

    def __init__(
        self, folder: Path, template: Path, keyring: Keyring, quotas: Sequence[Quota], billing_day: int
    ) -> None:
        shutil.copyfile(template, folder / "city.db")
        self.city = City(open_database(f"sqlite:///{folder / 'city.db'}"), keyring)
        by_tally: dict[Tally, tuple[Quota, ...]] = {Tally(Period.DAY, Measure.BOTH): ()}
        by_tally |= {quota.tally: (quota,) for quota in quotas}
        plans.set_plan(self.city.database, "Warga", now=self.city.time.at, chance=self.city.chance, quotas=by_tally)
        sites.add_site(self.city.database, "Melahing", now=self.city.time.at, chance=self.city.chance)
        self.nas_ids = [self.city.nas.id, self.city.add_nas("melahing-1", address="127.0.0.2", site="Melahing").id]
        self.account = self.city.add_user("budi")
        users.set_user(self.city.database, "budi", billing_day=billing_day, **self.city.circumstances)
        self.billing_day = billing_day
        self.known: set[str] = set()  # MACs that may come back by themselves at the first site
        journals = folder / "journal" / "nodenodenodenode"
        self.nodes = [Node(self.city, journals / str(number), worker=number) for number in range(2)]
        self.worker = worker_of(self.city, journals / "0")
        self.quotas, self.phones = quotas, [Phone(number) for number in range(PHONES)]
        self.days: dict[date, Used] = {}
        self.used = [0] * NOBODY_KNOWS  # in each of the last ticks, by all phones
        self.sessions = self.waiting = self.beyond = 0

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.worker.close()
        self.city.database.close()

    @property
    def now(self) -> datetime:
        return self.city.time.at

    def truly_left(self) -> dict[Quota, int]:
        tallies = tuple({quota.tally for quota in self.quotas})
        usage = usage_from_days(self.days, local_day(self.now, WITA), tallies, self.billing_day)
        return {quota: quota.amount - usage.used(quota.tally) for quota in self.quotas}

    # What happens

    def log_in(self, phone: Phone, node: int, site: int | None = None) -> None:
        self.sessions += 1
        phone.session, phone.node = f"81a{self.sessions:05x}", node
        phone.nas_id = phone.nas_id or self.nas_ids[0] if site is None else self.nas_ids[site]
        name, proof = "budi", "rahasia-123"
        if phone.mac in self.known and phone.nas_id == self.nas_ids[0]:
            name, proof = phone.mac.upper().replace(":", "-"), MAC_SECRET
        request = self.nodes[node].request(name, proof, mac=phone.mac, session=phone.session, nas_id=phone.nas_id)
        answer = waited(lambda: self.nodes[node].ask(request))
        if isinstance(answer, Reject):
            assert answer.reason == "quota_exhausted"
            assert any(left <= 0 for left in self.truly_left().values()), "refused early"
            phone.session = ""
            return
        assert isinstance(answer, Accept)
        told = answer.authorization
        phone.claims, phone.began, phone.up, phone.down = answer.class_value, self.now, 0, 0
        phone.most = {Measure.BOTH: told.total_octets, Measure.DOWN: told.down_octets, Measure.UP: told.up_octets}
        seconds = told.session_timeout_seconds
        phone.until = None if seconds is None else self.now + timedelta(seconds=seconds)
        phone.name = name
        self.tell(phone, StatusType.START)
        if phone.mac not in self.known:
            self.known.add(phone.mac)
            self.city.add_grant(phone.mac, self.account, days=400)
            for one in self.nodes:
                one.learn()

    def tell(self, phone: Phone, status: StatusType) -> None:
        assert phone.began is not None
        said: dict[str, Value] = {
            "Acct_Session_Id": phone.session,
            "Calling_Station_Id": phone.mac,
            "User_Name": phone.name,
            "Class": phone.claims,
            "Acct_Input_Octets": phone.up,
            "Acct_Output_Octets": phone.down,
            "Acct_Input_Gigawords": 0,
            "Acct_Output_Gigawords": 0,
            "Acct_Session_Time": int((self.now - phone.began).total_seconds()),
        }
        node = self.nodes[phone.node]
        report = node.report(status, phone.nas_id, **said)
        assert waited(lambda: node.backend.account([report])[0]) is True

    def leave(self, phone: Phone) -> None:
        self.tell(phone, StatusType.STOP)
        phone.session = ""

    def vanish(self, phone: Phone) -> None:
        """Let a phone choose another MAC: of the session that it had nothing is heard any more."""
        phone.session = ""
        phone.generation += 1

    def pass_days(self, days: int) -> None:
        for phone in self.phones:
            if phone.session:
                self.leave(phone)
        self.merge()
        self.city.time.pass_by(days * 86_400)
        self.merge()
        self.used, self.beyond = [0] * NOBODY_KNOWS, max(0, -min(self.truly_left().values()))

    def tick(self, turns: Sequence[int], *, merge: bool) -> None:
        """Let a minute pass: phones use what they may, their router tells one of the servers, and cuts."""
        day = local_day(self.now, WITA)
        self.city.time.pass_by(TICK - self.now.timestamp() % TICK)  # whole minutes, however long answers took
        self.used = [*self.used[1:], 0]
        for phone, turn in zip(self.phones, turns, strict=True):
            if not phone.session:
                continue
            octets = min(phone.rate * TICK, phone.left)
            up = octets // 10
            phone.up, phone.down, phone.node = phone.up + up, phone.down + octets - up, turn
            used = self.days.get(day, Used())
            self.days[day] = Used(used.up_octets + up, used.down_octets + octets - up)
            self.used[-1] += octets
            over = phone.left == 0 or (phone.until is not None and phone.until <= self.now)
            self.tell(phone, StatusType.STOP if over else StatusType.INTERIM_UPDATE)
            if over:
                phone.session = ""
                self.log_in(phone, turn)  # a known phone comes back by itself
        self.waiting += 1
        if merge or self.waiting >= LATEST_MERGE:
            self.merge()
        worst, bound = min(self.truly_left().values()), sum(self.used)
        assert worst >= -max(bound, self.beyond), f"{-worst} octets beyond the quota"
        self.beyond = max(0, -worst)  # it stays so until the period ends

    def merge(self) -> None:
        self.waiting = 0
        self.worker.drain()
        with self.city.database.write() as connection:
            query = select(tables.changes.c.kind, tables.sessions.c.acct_session_id).join(
                tables.sessions, tables.sessions.c.id == tables.changes.c.session_id
            )
            to_end = {row.acct_session_id for row in connection.execute(query) if row.kind == "disconnect"}
            connection.execute(update(tables.changes).values(state="done", finished_at=self.now))
        for node in self.nodes:
            node.learn()
        for phone in self.phones:
            if phone.session in to_end:
                assert any(left <= 0 for left in self.truly_left().values()), "ended early"
                self.leave(phone)


STEPS = st.one_of(
    st.tuples(st.just("in"), st.integers(0, PHONES - 1), st.integers(0, 3)),
    st.tuples(st.just("out"), st.integers(0, PHONES - 1), st.just(0)),
    st.tuples(st.just("rate"), st.integers(0, PHONES - 1), st.integers(0, len(RATES) - 1)),
    st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(2, 11)),
    st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(2, 11)),
    st.tuples(st.just("night"), st.just(0), st.just(0)),
    st.tuples(st.just("other MAC"), st.integers(0, PHONES - 1), st.integers(0, 3)),
    st.tuples(st.just("days"), st.integers(1, 40), st.just(0)),
)

QUOTAS = st.lists(
    st.builds(
        Quota,
        st.sampled_from(Period),
        st.integers(1, 3_000_000),
        st.sampled_from([Measure.BOTH, Measure.DOWN, Measure.UP]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda quota: quota.tally,
)


@settings(max_examples=25, deadline=None)
@given(quotas=QUOTAS, billing_day=st.sampled_from([1, 15, 25, 29, 31]), steps=st.lists(STEPS, min_size=5, max_size=25))
def test_nobody_uses_more_than_quota_and_bound_and_nobody_is_cut_early(
    migrated_sqlite_file: Path,
    keyring: Keyring,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    quotas: list[Quota],
    billing_day: int,
    steps: list[tuple[str, int, int]],
) -> None:
    evening = Evening(tmp_path_factory.mktemp("evening"), migrated_sqlite_file, keyring, quotas, billing_day)
    try:
        for phone in evening.phones:
            evening.log_in(phone, phone.number % 2)
        for what, number, more in steps:
            match what:
                case "in" if not evening.phones[number].session:
                    evening.log_in(evening.phones[number], more % 2, more // 2)
                case "out" if evening.phones[number].session:
                    evening.leave(evening.phones[number])
                case "rate":
                    evening.phones[number].rate = RATES[more]
                case "minutes":
                    for _ in range(more // 2):
                        evening.tick([number >> n & 1 for n in range(PHONES)], merge=more % 2 == 1)
                case "other MAC":
                    evening.vanish(evening.phones[number])
                    evening.log_in(evening.phones[number], more % 2, more // 2)
                case "days":
                    evening.pass_days(number)
                case "night":
                    for phone in evening.phones:
                        phone.rate = 0
                    for _ in range(3):  # the last minutes before midnight, and the first after it
                        evening.tick([0] * PHONES, merge=True)
                    midnight = 16 * 3_600
                    seconds = (midnight - evening.now.timestamp()) % 86_400
                    evening.city.time.pass_by(seconds - TICK if seconds > TICK else seconds)
                    for phone in evening.phones:
                        phone.rate = RATES[-1]
        evening.merge()
        with evening.city.database.read() as connection:
            rows = connection.execute(select(tables.usage)).all()
        stored = {row.day: Used(row.up_octets, row.down_octets) for row in rows if row.up_octets or row.down_octets}
        assert stored == {day: used for day, used in evening.days.items() if used != Used()}
    finally:
        evening.close()
