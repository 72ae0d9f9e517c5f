"""One island's router: its hosts and sessions, what it asks and reports by RADIUS, and what it may be told.

RouterOS as its hotspot manual and packet logs show it: MAC authentication when a host appears, Acct-Session-Id that
counts restarts in one symbol, no Accounting-On, and a power cut that leaves no Stop behind.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.simulator.sessions import Cause, Limits, Session
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, AccountingQuery, Query, Timing
from radius.codes import Code, StatusType
from radius.credentials import ChapResponse, Credential, PapPassword
from radius.net.async_client import AsyncClient
from radius.net.client import Answered, Silence

Address = tuple[str, int]
Clock = Callable[[], float]  # monotonic seconds
Chance = Callable[[int], bytes]  # so many octets

ROUTEROS_TIMING: Final = Timing(first_seconds=1.1, longest_seconds=1.1, attempts=3, give_up_seconds=3.0)
"""Resent after 1100 ms; the configuration that Pesisir generates sets `timeout=3s`."""

MAC_AGAIN_SECONDS: Final = 5.0  # a host that was refused is not asked about more often than this
_AT_ONCE: Final = 2048  # requests on their way from one router


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """What its operator has configured.

    `name` is the identity (NAS-Identifier). `address` is its own loopback address: RADIUS leaves from it, phones log
    in at it. `pages` is the hotspot folder, `garden` what phones reach before they log in. `interim_seconds` None
    takes what RADIUS says (`radius-interim-update=received`).
    """

    name: str
    address: str
    radius_secret: bytes = field(repr=False)
    mac_secret: str = field(repr=False)
    auth: Address
    acct: Address
    pages: Mapping[str, str] = field(repr=False)
    garden: frozenset[Address]
    http_port: int = 0
    coa_port: int = 0
    family: str = "mikrotik"  # in whose manner it takes changes
    chap: bool = True
    interim_seconds: float | None = None
    keepalive_seconds: float = 120.0  # a phone out of reach for so long is gone
    timing: Timing = ROUTEROS_TIMING


class Outcome(StrEnum):
    """How a log-in ended."""

    ONLINE = "online"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class LogIn:
    """The end of a log-in: the outcome and what RADIUS said to the person (Reply-Message), "" if nothing."""

    outcome: Outcome
    message: str = ""


@dataclass(slots=True)
class Host:
    """A phone that the router has seen. `chap_id` and `challenge` are what its login page was last given."""

    mac: str
    ip: str
    chap_id: int
    challenge: bytes
    asked: float | None = None  # when MAC authentication was last tried
    heard: Outcome = Outcome.NO_ANSWER  # and what came of it
    gone: float | None = None  # when it went out of reach; None while it is there
    logging_in: asyncio.Future[LogIn] | None = None


@dataclass(slots=True)
class Counts:
    """What the router has done since it was made."""

    accepts: int = 0
    rejects: int = 0
    unknown: int = 0  # rejects by MAC authentication: phones that have to see the splash page
    unanswered: int = 0
    resumes: int = 0  # accepts by MAC authentication
    reports: int = 0  # accounting that was acknowledged
    lost_reports: int = 0


class Router:
    """A router with power or without. All methods belong to one event loop."""

    def __init__(self, settings: RouterSettings, *, clock: Clock, chance: Chance) -> None:
        self.settings = settings
        self.sessions: dict[str, Session] = {}  # by MAC
        self.hosts: dict[str, Host] = {}  # by IP address
        self.counts = Counts()
        self._own = Attributes(
            [
                ("NAS-Port-Type", "Wireless-802.11"),
                ("Called-Station-Id", "hotspot1"),
                ("NAS-Port-Id", "bridge-hotspot"),
                ("NAS-Identifier", settings.name),
                ("NAS-IP-Address", settings.address),
            ]
        )
        self.on_begin: Callable[[Session], None] = lambda _: None
        self.on_change: Callable[[Session], None] = lambda _: None
        self.on_end: Callable[[Session, Cause], None] = lambda _, __: None
        self._clock = clock
        self._chance = chance
        self._boots = 0
        self._serial = 0
        self._auth: AsyncClient | None = None
        self._acct: AsyncClient | None = None
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    # Power

    @property
    def powered(self) -> bool:
        """Tell whether it runs."""
        return self._auth is not None

    def boot(self) -> None:
        """Start with nothing remembered."""
        assert not self.powered
        settings = self.settings
        self._boots += 1
        self._serial = 0
        self._auth, self._acct = (
            AsyncClient(port, settings.radius_secret, timing=settings.timing, source=settings.address)
            for port in (settings.auth, settings.acct)
        )

    def cut_power(self) -> None:
        """Forget every host and session at once; nobody is told."""
        for client in (self._auth, self._acct):
            if client is not None:
                client.close()
        self._auth = self._acct = None
        for task in self._tasks:
            task.cancel()
        for host in self.hosts.values():
            if host.logging_in is not None and not host.logging_in.done():
                host.logging_in.set_result(LogIn(Outcome.NO_ANSWER))
        self.hosts.clear()
        self.sessions.clear()

    async def drain(self) -> None:
        """Wait until every report on its way is acknowledged or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # Hosts

    def host(self, ip: str, mac: str) -> Host:
        """Return the host at an address; a new one is remembered, as if it had just asked for a lease."""
        known = self.hosts.get(ip)
        if known is None or known.mac != mac:
            known = self.hosts[ip] = Host(mac, ip, 0, b"")
            self.renew_challenge(known)
        return known

    def renew_challenge(self, host: Host) -> None:
        """Give the host's next login page a challenge of its own."""
        host.chap_id = self._chance(1)[0]
        host.challenge = self._chance(16)

    async def appear(self, ip: str, mac: str) -> Outcome:
        """Let a phone send its first packet; say whether it is online, by MAC authentication if need be."""
        if not self.powered:
            return Outcome.NO_ANSWER
        host = self.host(ip, mac)
        host.gone = None
        if mac in self.sessions:
            return Outcome.ONLINE
        if host.logging_in is None:
            now = self._clock()
            if host.asked is not None and now - host.asked < MAC_AGAIN_SECONDS:
                return Outcome.REFUSED if host.heard is Outcome.ONLINE else host.heard  # that session is over
            host.asked = now
        password = PapPassword(self.settings.mac_secret.encode())
        host.heard = (await self._log_in_once(host, mac.upper(), password, by_mac=True)).outcome
        return host.heard

    async def log_in(self, host: Host, user_name: str, password: str) -> LogIn:
        """Log a phone in with what its browser brought: the answer to the challenge, or the password itself."""
        return await self._log_in_once(host, user_name, self._credential(host, password), by_mac=False)

    def lose(self, ip: str) -> None:
        """Let a phone walk out of reach: its session ends when the router notices."""
        host = self.hosts.get(ip)
        if host is not None:
            host.gone = self._clock()

    def log_out(self, mac: str, cause: Cause) -> bool:
        """End a session and report it; False if there is none."""
        session = self.sessions.pop(mac, None)
        if session is None:
            return False
        self._report(session, StatusType.STOP, cause)
        self.on_end(session, cause)
        return True

    # Time and traffic

    def carry(self, mac: str, *, up_octets: int, down_octets: int, seconds: float) -> None:
        """Move what a phone sends and gets within the last `seconds`; nothing while it is offline."""
        session = self.sessions.get(mac)
        if session is not None:
            session.use(up_octets, down_octets, seconds, self._clock())

    def tick(self) -> None:
        """End what is over and report what is due; called about once a second."""
        now = self._clock()
        for session in list(self.sessions.values()):
            cause = session.ends(now) or self._lost(session, now)
            if cause is not None:
                self.log_out(session.mac, cause)
            elif now - session.reported >= self._interim_seconds(session):
                session.reported = now
                self._report(session, StatusType.INTERIM_UPDATE)

    # What it is told (RFC 5176)

    def find_session(self, identity: Attributes) -> Session | None:
        """Return the session that every given identifier fits; None if there is none."""
        name, session_id = identity.text("User-Name"), identity.text("Acct-Session-Id")
        ip, mac = identity.address("Framed-IP-Address"), identity.mac("Calling-Station-Id")
        for session in self.sessions.values():
            fits = name in (None, session.user_name) and session_id in (None, session.id) and mac in (None, session.mac)
            if fits and (ip is None or str(ip) == session.ip):
                return session
        return None

    def age(self, session: Session) -> float:
        """Return how long a session has lasted, in seconds."""
        return self._clock() - session.started

    # Inside

    async def _log_in_once(self, host: Host, user_name: str, credential: Credential, *, by_mac: bool) -> LogIn:
        """Let a second tap wait for the first: one phone never opens two sessions."""
        if host.mac in self.sessions:
            return LogIn(Outcome.ONLINE)
        if host.logging_in is not None:
            return await asyncio.shield(host.logging_in)
        if not self.powered:
            return LogIn(Outcome.NO_ANSWER)
        host.logging_in = asyncio.get_running_loop().create_future()
        result = LogIn(Outcome.NO_ANSWER)
        try:
            result = await self._ask_access(host, user_name, credential, by_mac=by_mac)
        finally:
            if host.logging_in is not None and not host.logging_in.done():
                host.logging_in.set_result(result)
            host.logging_in = None
        return result

    async def _ask_access(self, host: Host, user_name: str, credential: Credential, *, by_mac: bool) -> LogIn:
        boots = self._boots
        self._serial += 1
        session_id = f"80{boots % 16:x}{self._serial % 2**20:05x}"
        query = AccessQuery(self._access_attributes(host, user_name, session_id), credential)
        answer = await self._ask(self._auth, query)
        if boots != self._boots or not self.powered:
            return LogIn(Outcome.NO_ANSWER)
        if answer is None:
            self.counts.unanswered += 1
            return LogIn(Outcome.NO_ANSWER)
        if answer.reply.code is not Code.ACCESS_ACCEPT:
            self.counts.rejects += not by_mac
            self.counts.unknown += by_mac
            return LogIn(Outcome.REFUSED, answer.reply.attributes.text("Reply-Message") or "")
        self.counts.accepts += 1
        self.counts.resumes += by_mac
        self._begin(host, user_name, session_id, answer.reply.attributes)
        return LogIn(Outcome.ONLINE)

    def _begin(self, host: Host, user_name: str, session_id: str, accept: Attributes) -> None:
        session = Session(
            id=session_id,
            mac=host.mac,
            ip=host.ip,
            user_name=user_name,  # RouterOS takes no User-Name from an Accept
            class_values=tuple(accept.all_octets("Class")),
            limits=Limits.of_accept(accept),
            started=self._clock(),
        )
        self.sessions[host.mac] = session
        self._report(session, StatusType.START)
        self.on_begin(session)

    def _credential(self, host: Host, password: str) -> Credential:
        if not self.settings.chap:
            return PapPassword(password.encode()[:128])
        try:
            response = bytes.fromhex(password)
        except ValueError:
            response = b""
        return ChapResponse(host.chap_id, response.ljust(16, b"\0")[:16], host.challenge)

    def _access_attributes(self, host: Host, user_name: str, session_id: str) -> Attributes:
        attributes = Attributes([("User-Name", _capped(user_name)), ("Service-Type", "Login")])
        attributes.extend(self._place(host.mac, host.ip, session_id))
        return attributes

    def _place(self, mac: str, ip: str, session_id: str) -> Attributes:
        place = Attributes(
            [
                ("Calling-Station-Id", mac.upper()),
                ("Acct-Session-Id", session_id),
                ("Framed-IP-Address", ip),
                ("Mikrotik-Host-IP", ip),
            ]
        )
        return place.extend(self._own)

    def _lost(self, session: Session, now: float) -> Cause | None:
        gone = self.hosts[session.ip].gone
        return None if gone is None or now - gone < self.settings.keepalive_seconds else Cause.LOST_SERVICE

    def _interim_seconds(self, session: Session) -> float:
        own = self.settings.interim_seconds
        received = session.limits.interim_seconds
        if own is not None:
            return own
        return float("inf") if received is None else received

    def _report(self, session: Session, status: StatusType, cause: Cause | None = None) -> None:
        """Send an Accounting-Request in the background: the counters are those of now."""
        attributes = Attributes([("Acct-Status-Type", status), ("User-Name", _capped(session.user_name))])
        attributes.extend(self._place(session.mac, session.ip, session.id))
        attributes.add("Acct-Authentic", "RADIUS")
        for value in session.class_values:
            attributes.add("Class", value)
        if status is not StatusType.START:
            attributes.extend(session.counters(self._clock()))
        if cause is not None:
            attributes.add("Acct-Terminate-Cause", cause.value)
        self._begin_task(self._account(attributes))

    async def _account(self, attributes: Attributes) -> None:
        answer = await self._ask(self._acct, AccountingQuery(attributes))
        self.counts.reports += answer is not None
        self.counts.lost_reports += answer is None

    async def _ask(self, client: AsyncClient | None, query: Query) -> Answered | None:
        async with self._room:
            if client is None:
                return None
            answer = await client.ask(query)
            return None if isinstance(answer, Silence) else answer

    def _begin_task(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _capped(text: str) -> str:
    """Cut a name to what an attribute can carry, at a whole character; an empty one becomes a dash."""
    return text.encode()[:253].decode(errors="ignore") or "-"
