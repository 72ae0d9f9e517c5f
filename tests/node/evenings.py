"""One person's evening: phones at routers of some family, two servers, and a database that learns of it later.

The phones and their routers are models; what they ask, report and are told goes through the product. What each phone
truly used, whoever has heard of it, is the oracle.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from app.db import feed, hints
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.hints import Notice
from app.db.tables.changes import changes
from app.db.tables.sessions import usage
from app.domain.access import LEAST_SECONDS
from app.domain.changes import Answer, ChangeState, Result, Way, acknowledged, refused, silent
from app.domain.granted import LEAST_OCTETS
from app.domain.hints import HintKind
from app.domain.local_time import WITA, local_day, period_begins_on, period_ends_at
from app.domain.nases import Family
from app.domain.quotas import Action, Measure, Period, Quota, Tally
from app.domain.schedules import Window
from app.nas.dispatch import Rest, Send
from app.services import outbox, plans, sites, users
from app.services.edges import pass_edges
from app.services.keyring import Keyring
from app.services.outbox import Busy, Job, Outcome
from app.services.slices import SLICE
from app.services.top_ups import Addition, top_up_user
from app.services.windows import set_plan_window
from app.worker.dispatcher import plan
from radius.codes import StatusType
from radius.messages import Accept, AccessRequest, CoaRequest, Later, Reject
from radius.vendors.abilities import CoaKind
from tests.node.city import MAC_SECRET, City, Node, worker_of
from tests.node.journals import until
from tests.node.router_models import Router, Session

MINUTE: Final = 60
FEED: Final = 1
"""Minutes after which a report is known to the database and to all servers at the latest."""

NEAR: Final = timedelta(minutes=10)
"""So long before a period ends what is granted is that of the next one too."""

SESSION_SECONDS: Final = 600
"""How long a session lasts at most where its router cannot be told to end it."""


def waited(ask: Callable[[], object]) -> object:
    """Return an answer, however slow the disk is."""
    answers: list[object] = []

    def answered() -> bool:
        answers.append(ask())
        return not isinstance(answers[-1], Later)

    until(answered)
    return answers[-1]


@dataclass(frozen=True)
class Terms:
    """What the person may have, and what stands where. A router that is `deaf` takes no request while people are online.

    `free` are the minutes of the day between which nothing counts.
    """

    quotas: tuple[Quota, ...]
    families: tuple[Family, Family] = (Family.MIKROTIK, Family.MIKROTIK)
    billing_day: int = 1
    phones: int = 3
    servers: int = 2
    free: tuple[int, int] | None = None
    deaf: bool = False
    wire: bool = False
    scale: int = 1  # by which amounts and rates are multiplied

    @property
    def alone(self) -> bool:
        """Tell whether one phone speaks with one server: then a router that cuts exactly lets nothing pass."""
        return self.phones == 1 and self.servers == 1


@dataclass
class Phone:
    """One phone, and its session if it is online. A session is `loose` if the router itself may let it go too far."""

    number: int
    rate: int
    generation: int = 0
    router: int = 0
    server: int = 0
    session: Session | None = None
    loose: bool = True
    counted_until: datetime | None = None  # by a report after which data had moved

    @property
    def mac(self) -> str:
        return f"02:aa:00:00:{self.generation:02x}:{self.number:02x}"


@dataclass
class Used:
    """What was used on one day."""

    up: int = 0
    down: int = 0
    free_up: int = 0
    free_down: int = 0
    seconds: set[int] = field(default_factory=set)  # since 1970, in which any phone was online
    free_seconds: int = 0  # of these
    paid: int = 0  # octets, by top-ups

    def counted(self, measure: Measure) -> int:
        match measure:
            case Measure.BOTH:
                return self.up + self.down - self.free_up - self.free_down - self.paid
            case Measure.DOWN:
                return self.down - self.free_down
            case Measure.UP:
                return self.up - self.free_up
            case Measure.TIME:
                return len(self.seconds) - self.free_seconds


@dataclass
class Passed:
    """After which minute a quota was used up in a period, and by how much it was passed."""

    period: date | None
    since: int = 0
    by: int = 0


class Evening:
    """What happens, from noon on. Every method that does something leaves all clocks at a whole second."""

    def __init__(self, database: Database, folder: Path, keyring: Keyring, terms: Terms) -> None:
        self.terms, self.city = terms, City(database, keyring)
        self._set_up_plan()
        sites.add_site(database, "Melahing", now=self.now, chance=self.city.chance)
        self.routers = [
            self._router(name, family, address, site)
            for name, family, address, site in zip(
                ("ini", "itu"), terms.families, ("127.0.0.8", "127.0.0.9"), ("Gusung", "Melahing"), strict=True
            )
        ]
        self.account = self.city.add_user("budi")
        users.set_user(database, "budi", billing_day=terms.billing_day, **self.city.circumstances)
        self.known: set[str] = set()  # MACs that may come back by themselves at the first site
        journals = folder / "journal" / "nodenodenodenode"
        self.nodes = [Node(self.city, journals / str(number), worker=number) for number in range(terms.servers)]
        self.worker = worker_of(self.city, journals / "0")
        self.phones = [Phone(number, 4_000 * terms.scale) for number in range(terms.phones)]
        self.days: dict[date, Used] = {}
        self.balance = 0  # of top-ups
        self.unpaid = False  # whether more was reported since something was last taken from them
        self.passed: dict[Quota, Passed] = {}
        self.loose_octets = self.loose_seconds = 0  # used by loose sessions in this minute
        self.minutes = self.waiting = self.logins = 0
        self.cuts_at_slices = 0  # by routers, while the person had more left
        self.lately = deque([Counter[Measure]()], maxlen=FEED + 1)  # octets that all phones used, by the minute

    def _set_up_plan(self) -> None:
        by_tally: dict[Tally, list[Quota]] = {Tally(Period.DAY, Measure.BOTH): []}
        for quota in self.terms.quotas:
            by_tally.setdefault(quota.tally, []).append(quota)
        plans.set_plan(
            self.city.database,
            "Warga",
            now=self.now,
            chance=self.city.chance,
            quotas=by_tally,
            session_seconds=SESSION_SECONDS if self.endless else None,
        )
        if self.terms.free is not None:
            window = Window("gratis", tuple(range(7)), *self.terms.free, free=True)
            set_plan_window(self.city.database, "Warga", window, **self.city.circumstances)

    def _router(self, name: str, family: Family, address: str, site: str) -> Router:
        nas = self.city.add_nas(name, family=family, address=address, site=site)
        if self.terms.deaf:
            with self.city.database.write() as connection:
                hints.add(connection, [Notice(nas.id, HintKind.COA_SILENT, "", 1)], now=self.now)
                feed.append(connection, now=self.now, items={FeedKind.NAS: [nas.id]})
        return Router(family, nas.id, address, deaf=self.terms.deaf, wire=self.terms.wire)

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.worker.close()
        self.city.database.close()

    @property
    def now(self) -> datetime:
        return self.city.time.at

    @property
    def endless(self) -> bool:
        """Tell whether a session at one of the routers lasts until its time is over, whatever is used."""
        return not all(takes_an_end(family) for family in self.terms.families)

    @property
    def minutes_unknown(self) -> int:
        """Return after how many minutes at the latest a session that may not go on has ended: interim and feed.

        Where a router asks again, a minute more; where it takes no end, when the session's time is over.
        """
        if self.terms.deaf:
            return 0  # it cuts at a step by itself, and the phone comes back within what holds then
        minutes = max(router.interim_minutes for router in self.routers) + FEED
        if any(router.asks_again for router in self.routers):
            minutes += 1
        elif self.endless:
            minutes += SESSION_SECONDS // MINUTE
        return minutes

    # What is true

    def is_free(self, second: int) -> bool:
        if self.terms.free is None:
            return False
        begins, ends = self.terms.free
        minute = (second + 8 * 3_600) % 86_400 // MINUTE  # WITA
        return begins <= minute < ends if begins < ends else not ends <= minute < begins

    @property
    def free_now(self) -> bool:
        return self.is_free(int(self.now.timestamp()))

    def left(self, quota: Quota, day: date | None = None) -> int:
        """Return how much of a quota is left today, below zero if it was passed; a top-up adds to it."""
        begins = period_begins_on(quota.period, day or local_day(self.now, WITA), self.terms.billing_day)
        used = sum(used.counted(quota.measure) for on, used in self.days.items() if begins is None or begins <= on)
        return quota.amount - used + (0 if quota.measure is Measure.TIME else self.balance)

    @property
    def cuts(self) -> list[Quota]:
        return [quota for quota in self.terms.quotas if quota.then is None or quota.then.action is Action.CUT]

    @property
    def may_be_cut(self) -> bool:
        return not self.free_now and any(self.left(quota) <= 0 for quota in self.cuts)

    def _near_an_end(self) -> bool:
        ends = (period_ends_at(quota.period, self.now, WITA, self.terms.billing_day) for quota in self.terms.quotas)
        return any(end is not None and end - self.now <= NEAR for end in ends)

    # What phones and routers do

    def log_in(self, phone: Phone, server: int, router: int | None = None) -> None:
        """Let a phone ask to be let in: by its MAC where it is known, else with the person's name and password."""
        self.logins += 1
        phone.server = server % self.terms.servers
        phone.router = phone.router if router is None else router
        at = self.routers[phone.router]
        session = f"81a{self.logins:05x}"
        answer = self._ask(phone, session)
        if isinstance(answer, Reject):
            assert answer.reason == "quota_exhausted"
            assert self.may_be_cut, "refused early"
            return
        assert isinstance(answer, Accept)
        name = answer.user_name or self._credentials(phone)[0]
        told = at.profile.attributes(answer.authorization)
        phone.session = Session(session, phone.mac, name, answer.class_value, self.now, at.held(told))
        phone.counted_until = self.now
        assert self.cuts or self.terms.deaf or not phone.session.held.octets, "a throttle cuts for good"
        phone.loose = not self.terms.alone or self._near_an_end() or not self._is_exact(at)
        at.sessions[phone.mac] = phone.session
        self._tell(phone, StatusType.START)
        if phone.mac not in self.known:
            self.known.add(phone.mac)
            self.city.add_grant(phone.mac, self.account, days=400)
            self._learn()

    def _is_exact(self, router: Router) -> bool:
        """Tell whether a router ends a session at everything that it can be counted by."""
        measures = {quota.measure for quota in self.cuts}
        octets = measures <= {Measure.TIME} or router.profile.limits.octets is not None
        seconds = Measure.TIME not in measures or router.keeps_time
        return octets and seconds

    def _credentials(self, phone: Phone) -> tuple[str, str]:
        if phone.mac in self.known and phone.router == 0:
            return phone.mac.upper().replace(":", "-"), MAC_SECRET
        return "budi", "rahasia-123"

    def _ask(self, phone: Phone, session: str) -> object:
        at = self.routers[phone.router]
        request: AccessRequest = self.nodes[phone.server].request(
            *self._credentials(phone), mac=phone.mac, session=session, nas_id=at.nas_id
        )
        request.attributes.add("NAS-IP-Address", at.address)
        return waited(lambda: self.nodes[phone.server].ask(request))

    def _tell(self, phone: Phone, status: StatusType) -> None:
        session, at = phone.session, self.routers[phone.router]
        assert session is not None
        if session.used(Measure.BOTH) > session.told or at.wire:
            session.told = session.used(Measure.BOTH)
            self._note_online(phone)
            self.unpaid = True
        said = {name.replace("-", "_"): value for name, value in at.counters_of(session, self.now).items()}
        report = self.nodes[phone.server].report(status, at.nas_id, **said)
        report.attributes.extend(at.says_of(session))
        body = report.attributes.to_bytes()
        report = report._replace(raw=report.raw[:2] + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
        assert waited(lambda: self.nodes[phone.server].backend.account([report])[0]) is True

    def leave(self, phone: Phone) -> None:
        """Let a phone log out."""
        assert phone.session is not None
        self._tell(phone, StatusType.STOP)
        self._forget(phone)

    def _forget(self, phone: Phone) -> None:
        self.routers[phone.router].sessions.pop(phone.mac, None)
        phone.session = None

    def vanish(self, phone: Phone) -> None:
        """Let a phone choose another MAC: its session moves nothing any more, and no end of it is heard."""
        if phone.session is not None:
            self._tell(phone, StatusType.INTERIM_UPDATE)
        self._forget(phone)
        phone.generation += 1

    def top_up(self, octets: int) -> None:
        """Add octets to the account."""
        top_up_user(
            self.city.database, "budi", Addition(octets), reason="beli", author="loket", **self.city.circumstances
        )
        self.balance += octets
        self.merge()

    def pass_days(self, days: int) -> None:
        """Let everybody log out and days pass."""
        for phone in self.phones:
            if phone.session is not None:
                self.leave(phone)
        self.merge()
        self.city.time.pass_by(days * 86_400)
        self.merge()

    def pass_the_night(self) -> None:
        """Let everybody sleep until the last minute of the day. Who would be cut meanwhile logs out, and in again."""
        awake = [phone.rate for phone in self.phones]
        for phone in self.phones:
            phone.rate = 0
        for _ in range(3):
            self.pass_minute([0] * len(self.phones), merge=True)
        midnight = 16 * 3_600
        seconds = max(0, (midnight - int(self.now.timestamp())) % 86_400 - MINUTE)
        short = [phone for phone in self.phones if phone.session is not None and self._ends_within(phone, seconds)]
        for phone in short:
            self.leave(phone)
        self._pass_seconds(seconds)
        for phone in self.phones:
            if phone.session is not None:
                self._tell(phone, StatusType.INTERIM_UPDATE)  # as all night long: nothing has moved
        self.merge()
        for phone in short:
            self.log_in(phone, 0)
        for phone, rate in zip(self.phones, awake, strict=True):
            phone.rate = rate

    def _ends_within(self, phone: Phone, seconds: int) -> bool:
        assert phone.session is not None
        left = phone.session.seconds_left(self.now)
        return left is not None and left <= seconds

    def pass_minute(self, turns: Sequence[int], *, merge: bool) -> None:
        """Let the rest of a minute pass: phones use what they may, routers cut, and tell one of the servers."""
        self.loose_octets = self.loose_seconds = 0
        self.lately.append(Counter())
        rest = MINUTE - int(self.now.timestamp()) % MINUTE
        while rest > 0:
            part = min([rest, *self._until_something_ends()])
            self._pass_seconds(part)
            rest -= part
            self._end_what_is_over(turns)
        self.minutes += 1
        for phone, turn in zip(self.phones, turns, strict=True):
            at = self.routers[phone.router]
            if phone.session is not None and int(self.now.timestamp()) // MINUTE % at.interim_minutes == 0:
                phone.server = turn % self.terms.servers
                self._tell(phone, StatusType.INTERIM_UPDATE)
        for phone in self.phones:
            if phone.session is not None and self.routers[phone.router].asks_again:
                self._ask_again(phone)
        self.waiting += 1
        if merge or self.waiting > FEED:
            self.merge()
        self._check()

    def _until_something_ends(self) -> list[int]:
        """Return in how many seconds each session is cut by its router, as far as it is known."""
        found: list[int] = []
        for phone in self.phones:
            if phone.session is None:
                continue
            seconds, room = phone.session.seconds_left(self.now), phone.session.room()
            found += [] if seconds is None else [max(1, seconds)]
            found += [] if room is None or not phone.rate else [max(1, -(-room // phone.rate))]
        return found

    def _pass_seconds(self, seconds: int) -> None:
        day, free = local_day(self.now, WITA), self.free_now
        self.city.time.pass_by(seconds)
        used = self.days.setdefault(day, Used())
        for phone in self.phones:
            session = phone.session
            if session is None:
                continue
            room = session.room()
            octets = phone.rate * seconds if room is None else min(phone.rate * seconds, room)
            up = octets // 10
            for measure, part in ((Measure.BOTH, octets), (Measure.UP, up), (Measure.DOWN, octets - up)):
                self.lately[-1][measure] += part
            session.up, session.down = session.up + up, session.down + octets - up
            if not self.terms.wire:
                used.up, used.down = used.up + up, used.down + octets - up
                if free:
                    used.free_up, used.free_down = used.free_up + up, used.free_down + octets - up
                if phone.loose and not free:
                    self.loose_octets += octets

    def _note_online(self, phone: Phone) -> None:
        """Note until when a phone was online: until the report of its last data, a pause before them included."""
        assert phone.counted_until is not None
        for second in range(int(phone.counted_until.timestamp()), int(self.now.timestamp())):
            used = self.days.setdefault(_day_of(second), Used())
            if second not in used.seconds:
                used.seconds.add(second)
                used.free_seconds += self.is_free(second)
                self.loose_seconds += phone.loose
        phone.counted_until = self.now

    def _end_what_is_over(self, turns: Sequence[int]) -> None:
        for phone, turn in zip(self.phones, turns, strict=True):
            if phone.session is not None and phone.session.is_over(self.now):
                self.cuts_at_slices += phone.session.room() == 0 and not self.may_be_cut
                self._tell(phone, StatusType.STOP)
                self._forget(phone)
                self.log_in(phone, turn)  # a phone comes back, by itself or by its owner's hand

    def _ask_again(self, phone: Phone) -> None:
        session, at = phone.session, self.routers[phone.router]
        assert session is not None
        answer = self._ask(phone, session.id)
        if isinstance(answer, Reject):
            assert self.may_be_cut, "refused early"
            self.leave(phone)
            return
        assert isinstance(answer, Accept)
        new = at.held(at.profile.attributes(answer.authorization))
        session.held = type(new)(session.held.octets, session.held.seconds, new.down_bps, new.up_bps)

    # What the servers do

    def merge(self) -> None:
        """Let the database learn of everything, routers of what follows from it, and the servers of both."""
        self.waiting = 0
        self.worker.drain()
        self._pay()
        pass_edges(self.city.database, zone=WITA, now=self.now, chance=self.city.chance)
        self._learn()
        divided = False
        while jobs := outbox.claim(
            self.city.database,
            self.city.keyring,
            busy=Busy(512, {}, ()),
            now=self.now,
            zone=WITA,
        ):
            outcomes = [self._carried_out(job) for job in jobs]
            outbox.record(self.city.database, outcomes, now=self.now)
            divided |= any(one.job.change.reason == SLICE and one.way is Way.COA for one in outcomes)
        if divided:
            self._check_slices()
        self._learn()
        for router in self.routers:
            ended, router.ended = router.ended, []
            for session in ended:
                phone = next((one for one in self.phones if one.session is session), None)
                if phone is not None:
                    self.leave(phone)
                    self.log_in(phone, phone.server)

    def _carried_out(self, job: Job) -> Outcome:
        """Do what the dispatcher does with one change, at a router that answers at once."""
        step: Send | Rest | None = plan(job, int(self.now.timestamp()))
        router = next(one for one in self.routers if one.nas_id == job.nas.id)
        answer, way = Answer(ChangeState.FAILED, Result.UNSUPPORTED), None
        if router.deaf and isinstance(step, Send):
            return Outcome(job, silent("", attempts=job.change.attempts + 1), step.way)
        while isinstance(step, Send):
            assert job.granted is not None or self.may_be_cut, "ended early"
            cause = router.take(step.query, self.now)
            if cause is None:
                if isinstance(step.query, CoaRequest) and self._near_an_end():  # the next period's amount is told too
                    for phone in self.phones:
                        phone.loose |= self.routers[phone.router] is router
                return Outcome(job, acknowledged(), step.way, step.told)
            answer, way = refused(cause, attempts=job.change.attempts + 1, now=self.now), step.way
            step = step.otherwise
        return Outcome(job, answer if step is None else Answer(step.state, step.result, step.detail), way)

    def _learn(self) -> None:
        """Let every server read the feed; the clock on the wall stays at its second."""
        at = self.city.time.at
        for node in self.nodes:
            node.learn()
        self.city.time.at = at

    def _pay(self) -> None:
        """Take from top-ups what was used beyond a quota of octets, now that the database knows of it."""
        beyond = [self.balance - self.left(quota) for quota in self.terms.quotas if quota.measure is not Measure.TIME]
        paid = min(self.balance, max([0, *beyond])) if self.unpaid else 0
        self.unpaid = False
        self.balance -= paid
        self.days.setdefault(local_day(self.now, WITA), Used()).paid += paid

    # What must hold

    def _check(self) -> None:
        """Hold what was used in this minute, and what routers hold everybody to, against each quota."""
        today = local_day(self.now - timedelta(seconds=1), WITA)
        periods = {quota: period_begins_on(quota.period, today, self.terms.billing_day) for quota in self.terms.quotas}
        for quota, begins in periods.items():
            if self.passed.get(quota, Passed(begins)).period != begins:
                del self.passed[quota]
            beyond = max(0, -self.left(quota, today))
            passed = self.passed.setdefault(quota, Passed(begins, self.minutes - 1))
            if self.free_now or self.left(quota, today) > 0:
                passed.since = self.minutes
            known = self.minutes - passed.since > self.minutes_unknown
            if quota in self.cuts:
                allowed = 0 if known else self.loose_seconds if quota.measure is Measure.TIME else self.loose_octets
                if quota.measure is Measure.TIME:  # the last minute is granted whole
                    allowed = max(allowed, LEAST_SECONDS - 1 - passed.by)
                assert beyond - passed.by <= allowed, f"{beyond - passed.by} more beyond {quota}, {allowed} allowed"
            elif known and not self.free_now and self.left(quota) <= 0:  # not any more at midnight
                self._check_step(quota)
            passed.by = beyond

    def _check_slices(self) -> None:
        """Hold what phones may use together against what is left, after slices of it were granted anew.

        Who was told less than an interim interval ago keeps that, of which some was used since; and no slice is too small.
        """
        online = [phone.session for phone in self.phones if phone.session is not None]
        untold = any(router.profile.coa.kind is not CoaKind.FULL_SET or router.ended for router in self.routers)
        if untold or self.free_now or self._near_an_end():
            return
        for measure in {quota.measure for quota in self.cuts} - {Measure.TIME}:
            left = min(self.left(quota) for quota in self.cuts if quota.measure is measure)
            granted = sum(max(0, session.held.octets[measure] - session.used(measure)) for session in online)
            lately = sum(minute[measure] for minute in self.lately)
            allowed = left + lately + (len(online) - 1) * LEAST_OCTETS + len(online)
            assert granted <= allowed, f"{granted} granted of {left} {measure}, {lately} used since"

    def _check_step(self, quota: Quota) -> None:
        assert quota.then is not None
        assert quota.then.down_bps is not None
        for phone in self.phones:
            if phone.session is not None and not (self.terms.deaf and phone.loose):
                down_bps = phone.session.held.down_bps
                assert down_bps is not None, "not slowed at all"
                assert down_bps <= quota.then.down_bps, "not slowed"

    def check_stored(self) -> None:
        """Hold what is stored against what was used, to the octet and to the second, and count who was told slices."""
        for phone in self.phones:
            if phone.session is not None:
                self.leave(phone)
        self.merge()
        with self.city.database.read() as connection:
            rows = connection.execute(select(usage)).all()
            query = select(changes.c.session_id, changes.c.created_at).where(changes.c.reason == SLICE)
            sliced = connection.execute(query.order_by(changes.c.created_at)).all()
        stored = {
            (row.day, name): value for row in rows for name, value in row._mapping.items() if name in _STORED and value
        }
        true = {
            (day, name): value
            for day, used in self.days.items()
            for name, value in zip(
                _STORED,
                (used.up, used.down, used.free_up, used.free_down, len(used.seconds), used.free_seconds),
                strict=True,
            )
            if value
        }
        assert stored == true, set(stored.items()) ^ set(true.items())
        assert sum(row.topped_octets for row in rows) == sum(used.paid for used in self.days.values())
        told: dict[str, datetime] = {}
        for row in sliced:
            before = told.get(row.session_id)
            assert before is None or row.created_at - before >= timedelta(seconds=50), "told twice within a minute"
            told[row.session_id] = row.created_at


_STORED: Final = ("up_octets", "down_octets", "free_up_octets", "free_down_octets", "seconds", "free_seconds")


def takes_an_end(family: Family) -> bool:
    """Tell whether a session at a router of a family can be ended from here."""
    router = Router(family, "", "")
    return router.takes_disconnect or router.asks_again


def _day_of(second: int) -> date:
    return date(1970, 1, 1) + timedelta(seconds=second + 8 * 3_600)  # WITA
