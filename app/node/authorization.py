"""One Access-Request decided: a ticket, a known MAC, or a person's password; RADIUS words become ours and back.

A failure of ours is None, never a refusal. What the snapshot does not hold waits for one read of the feed that began
after the request came; an unknown MAC never waits, is never written down, and costs a look into a dict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from app.domain.acceptances import (
    NONCE_OCTETS,
    Acceptance,
    chargeable_identity,
    class_value,
    new_acceptance_id,
)
from app.domain.access import Denial, DenialReason, decide_access
from app.domain.devices import parse_mac
from app.domain.granted import Limits, limits_of
from app.domain.keys import tag
from app.domain.reports import Method
from app.domain.resume import grant_for
from app.domain.text import TextError, canonical_username
from app.domain.tickets import TicketName, password_of, read_name
from app.domain.users import Account
from app.nas.authorization import authorization_of
from app.node.follower import Follower
from app.node.journal.records import Verdict
from app.node.nases import KnownNas
from app.node.passwords import Check, PasswordChecker
from app.node.reports import named, nas_scope, station_mac
from app.node.sessions import RESERVATION_SECONDS, Presence, device_name
from app.node.snapshot import Snapshot
from app.node.tickets import UsedTickets, same_place
from app.services import passwords
from radius.credentials import ChapResponse, Credential, MsChapV2Response, PapPassword, name_in_domain
from radius.messages import Accept, AccessRequest, Answer, Later, Reject

_LONGEST_WAIT_SECONDS: Final = 3.0  # for a read of the feed or a check of a password; routers give up about then
_LOOK_AGAIN_SECONDS: Final = 1.0  # if no wake-up comes
_REJECT_SECONDS: Final = 0.4  # half of RouterOS's 1100 ms, less jitter
_REJECT_JITTER_SECONDS: Final = 0.15
_CHARGEABLE_USER_IDENTITY: Final = 89
_UNKNOWN_MAC: Final = Reject(reason=DenialReason.RESUME_UNKNOWN.value)


class Outcome(NamedTuple):
    """The answer, and what is written down about it (None: nothing)."""

    answer: Answer
    verdict: Verdict | None = None


class _Asked(NamedTuple):
    """An Access-Request in our words."""

    request: AccessRequest
    nas: KnownNas
    name: str
    mac: str
    acct_session_id: str
    now: datetime


@dataclass(slots=True)
class Counters:
    """What was decided since the start; `unknown_macs` are in no other record."""

    accepts: int = 0
    rejects: int = 0
    undecided: int = 0
    parked: int = 0
    unknown_macs: int = 0
    repeats: int = 0  # the same ticket again from the same place: the same answer


class Authorizer:
    """Decides one request at a time, under the snapshot's lock."""

    def __init__(
        self,
        snapshot: Snapshot,
        follower: Follower,
        checker: PasswordChecker,
        *,
        monotonic: Callable[[], float],
        chance: Callable[[int], bytes],
        max_age_seconds: float,
    ) -> None:
        self.counters = Counters()
        self.tickets = UsedTickets()
        self._snapshot, self._follower, self._checker = snapshot, follower, checker
        self._monotonic, self._chance, self._max_age = monotonic, chance, max_age_seconds
        self._keyring = snapshot.keyring

    @property
    def outdated(self) -> bool:
        """Tell whether what the node knows is too old to decide by."""
        return self._follower.age_seconds > self._max_age

    def decide(self, request: AccessRequest) -> Outcome:
        """Decide; the answer is Later where something has to be waited for, None where we cannot decide."""
        known = self._snapshot.nases.by_id.get(request.nas_id)
        if known is None or self.outdated:
            self.counters.undecided += 1
            return Outcome(None)
        attributes = request.attributes
        asked = _Asked(
            request,
            known,
            request.user_name or "",
            station_mac(attributes),
            named(attributes.octets("Acct-Session-Id")),
            _moment(request.received_at),
        )
        ticket = read_name(asked.name)
        if ticket is not None:
            return self._by_ticket(asked, ticket)
        mac = parse_mac(asked.name)
        # Twelve bare digits may be a phone number: they are a MAC only where they are that of the device that asks.
        if mac is not None and (mac == asked.mac or not asked.name.isalnum()):
            return self._by_mac(asked, mac)
        return self._by_password(asked)

    def _account(self, asked: _Asked, account_id: str) -> Account | None:
        return self._snapshot.accounts.get(account_id, asked.now, site_id=asked.nas.nas.site_id)

    # Tickets

    def _by_ticket(self, asked: _Asked, ticket: TicketName) -> Outcome:
        key = self._keyring.ticket_key(asked.nas.nas.id)
        credential = asked.request.credential
        password = password_of(asked.name, key=key, binding=asked.mac or _address(asked.request))
        if credential is None or not credential.matches(password):
            return self._refuse(asked, Method.TICKET, DenialReason.TICKET_INVALID)
        used = self.tickets.use(asked.name)
        if used is not None:
            return _proving(credential, password, self._again(asked, used))
        if ticket.expires_at <= asked.now:
            return self._refuse(asked, Method.TICKET, DenialReason.TICKET_EXPIRED, ticket.account_id)
        account = self._account(asked, ticket.account_id)
        if account is None or account.version < ticket.account_version:
            waiting = self._wait_for_news(asked.request)
            if waiting is not None:
                return waiting
            if account is not None:
                return self._undecided()
            return self._refuse(asked, Method.TICKET, DenialReason.WRONG_CREDENTIALS, ticket.account_id)
        outcome = self._decide(asked, account, Method.TICKET)
        if outcome.verdict is not None and outcome.verdict.accepted:
            self.tickets.note(outcome.verdict, ticket.expires_at.timestamp())
            if asked.mac:
                self._snapshot.note_login(asked.mac, account.id, asked.now)
        return _proving(credential, password, outcome)

    def _again(self, asked: _Asked, used: Verdict) -> Outcome:
        if not same_place(used, asked.nas.nas.id, asked.mac, asked.acct_session_id):
            return self._refuse(asked, Method.TICKET, DenialReason.TICKET_USED, used.account_id)
        self.counters.repeats += 1
        return Outcome(self._accept(asked, used))

    # MAC addresses that a resume grant knows

    def _by_mac(self, asked: _Asked, mac: str) -> Outcome:
        grants = self._snapshot.grants.get(mac) if asked.nas.nas.mac_login else None
        grant = grant_for(grants, asked.nas.nas.site_id, asked.now) if grants and mac == asked.mac else None
        account = None if grant is None else self._account(asked, grant.account_id)
        password = None if account is None else self._mac_password(asked, mac)
        if account is None or password is None:
            self.counters.unknown_macs += 1
            return Outcome(_UNKNOWN_MAC)
        return _proving(asked.request.credential, password, self._decide(asked, account, Method.RESUME))

    def _mac_password(self, asked: _Asked, mac: str) -> str | None:
        """Return the password of this MAC that the request proves; None if it proves none."""
        credential = asked.request.credential
        if credential is None:
            return None
        if credential.matches(asked.nas.mac_secret):
            return asked.nas.mac_secret
        if not asked.nas.nas.takes_mac_as_password:
            return None
        if isinstance(credential, PapPassword) and parse_mac(credential.password.decode("ascii", "replace")) == mac:
            return mac  # some write the name with separators and the password without
        return next((password for password in (asked.name, mac) if credential.matches(password)), None)

    # Passwords

    def _by_password(self, asked: _Asked) -> Outcome:
        accounts = self._snapshot.accounts
        try:
            # Most people type their name as it is stored; folding it costs five times the look-up.
            account_id = accounts.id_of(asked.name) or accounts.id_of(_canonical(asked))
        except TextError:
            return self._refuse_slowly(asked, DenialReason.WRONG_CREDENTIALS)
        if account_id is None:
            return self._wait_for_news(asked.request) or self._refuse_slowly(asked, DenialReason.WRONG_CREDENTIALS)
        login = accounts.login(account_id)
        account = self._account(asked, account_id)
        if login is None or login.credential is None or account is None:
            return self._refuse_slowly(asked, DenialReason.WRONG_CREDENTIALS, account_id)
        match asked.request.credential:
            case PapPassword() as pap:
                try:
                    typed = pap.password.decode()
                except UnicodeDecodeError:
                    return self._refuse_slowly(asked, DenialReason.WRONG_CREDENTIALS, account_id)
                check = self._checker.check(account_id, login.credential, typed, lane=asked.nas.nas.id)
            case ChapResponse() | MsChapV2Response() as response:
                clear = passwords.clear_password(self._keyring, account_id, login.credential)
                if clear is None:
                    return self._refuse_slowly(asked, DenialReason.METHOD_NOT_ALLOWED, account_id)
                check = Check.RIGHT if response.matches(clear) else Check.WRONG
                return _proving(response, clear, self._by_check(asked, account, check))
            case None:
                return self._refuse_slowly(asked, DenialReason.METHOD_NOT_ALLOWED, account_id)
        return self._by_check(asked, account, check)

    def _by_check(self, asked: _Asked, account: Account, check: Check) -> Outcome:
        match check:
            case Check.RIGHT:
                return self._decide(asked, account, Method.PASSWORD)
            case Check.WRONG:
                return self._refuse_slowly(asked, DenialReason.WRONG_CREDENTIALS, account.id)
            case Check.PENDING:
                return self._later(asked.request)
            case Check.BUSY:
                return self._undecided()

    # The decision, and what becomes of it

    def _decide(self, asked: _Asked, account: Account, method: Method) -> Outcome:
        nas_id, now_at = asked.nas.nas.id, asked.request.received_at
        sessions = self._snapshot.sessions
        online = sessions.online(account.id, now_at)
        device = device_name(asked.mac, nas_id, asked.acct_session_id)
        decision = decide_access(
            account,
            self._snapshot.usage_of(account, asked.now),
            device=device,
            online_devices=online,
            now=asked.now,
            zone=self._snapshot.zone,
            ceilings=self._snapshot.ceilings.get(account.id, ()),
            garden=asked.nas.nas.can_garden,
        )
        if isinstance(decision, Denial):
            return self._refuse(asked, method, decision.reason, account.id)
        acceptance_id = sessions.acceptance_of(account.id, nas_id, asked.mac, asked.acct_session_id)
        if acceptance_id is None:
            acceptance_id = new_acceptance_id(self._nonce(asked, method))
        online.discard(device)
        verdict = Verdict(
            now_at,
            nas_id,
            method,
            True,
            "",
            asked.mac,
            account.id,
            acceptance_id,
            asked.acct_session_id,
            asked.name,
            limits_of(
                decision,
                others=len(online),
                acceptance_id=acceptance_id,
                interim_seconds=asked.nas.site.interim_seconds,
                accounts=asked.nas.accounts,
                steps=asked.nas.cuts_at_steps,
                unreached=asked.nas.unreached,
            ),
        )
        sessions.reserve(
            asked.mac,
            Presence(
                account.id,
                acceptance_id,
                nas_id,
                nas_scope(asked.request.attributes, asked.request.source[0]),
                asked.acct_session_id,
                asked.name,
                now_at,
                now_at + RESERVATION_SECONDS,
            ),
        )
        self.counters.accepts += 1
        return Outcome(self._accept(asked, verdict), verdict)

    def _nonce(self, asked: _Asked, method: Method) -> bytes:
        """Return what makes an acceptance unique: for a ticket it follows from its use, so that two servers agree."""
        if method is not Method.TICKET:
            return self._chance(NONCE_OCTETS)
        place = (asked.nas.nas.id, asked.mac, asked.acct_session_id, asked.name)
        return tag(self._keyring.class_key, *(part.encode() for part in place))[:NONCE_OCTETS]

    def _accept(self, asked: _Asked, verdict: Verdict) -> Accept:
        nas, limits = asked.nas, verdict.limits
        wants_identity = asked.request.attributes.first(_CHARGEABLE_USER_IDENTITY) is not None
        acceptance = Acceptance(verdict.acceptance_id, verdict.account_id)
        return Accept(
            authorization_of(limits),
            class_value(acceptance, key=self._keyring.class_key, nas_id=nas.nas.id),
            user_name=verdict.account_id if nas.profile.accounts_by_accept_name else None,
            reason=verdict.method.value,
            chargeable_identity=self._identity(nas, verdict.account_id) if wants_identity else None,
        )

    def _identity(self, nas: KnownNas, account_id: str) -> bytes:
        return chargeable_identity(account_id, key=self._keyring.identity_key, site_id=nas.nas.site_id)

    def _refuse(
        self, asked: _Asked, method: Method, reason: DenialReason, account_id: str = "", *, delay: float = 0.0
    ) -> Outcome:
        self.counters.rejects += 1
        verdict = Verdict(
            asked.request.received_at,
            asked.nas.nas.id,
            method,
            False,
            reason.value,
            asked.mac,
            account_id,
            "",
            asked.acct_session_id,
            asked.name,
            Limits(),
        )
        return Outcome(Reject(delay_seconds=delay, reason=reason.value), verdict)

    def _refuse_slowly(self, asked: _Asked, reason: DenialReason, account_id: str = "") -> Outcome:
        """Refuse a password: after a while, so that guessing is slow, and alike for names that do not exist."""
        jitter = _REJECT_JITTER_SECONDS * self._chance(1)[0] / 255
        return self._refuse(asked, Method.PASSWORD, reason, account_id, delay=_REJECT_SECONDS + jitter)

    # What waits

    def _wait_for_news(self, request: AccessRequest) -> Outcome | None:
        """Return what to answer until a read of the feed has begun after the request came; None once one has."""
        if self._follower.begun > request.received:
            return None
        if self._follower.failed > request.received:
            return self._undecided()
        self._follower.ask()
        return self._later(request)

    def _later(self, request: AccessRequest) -> Outcome:
        now = self._monotonic()
        if now - request.received >= _LONGEST_WAIT_SECONDS:
            return self._undecided()
        self.counters.parked += 1
        return Outcome(Later(now + _LOOK_AGAIN_SECONDS))

    def _undecided(self) -> Outcome:
        self.counters.undecided += 1
        return Outcome(None)


@lru_cache(maxsize=64)  # a batch of requests shares its moment
def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _canonical(asked: _Asked) -> str:
    """Return the one spelling of a person's name; Windows may send its domain with it (RFC 2759 section 4)."""
    if isinstance(asked.request.credential, MsChapV2Response):
        return canonical_username(name_in_domain(asked.name.encode()).decode())
    return canonical_username(asked.name)


def _proving(credential: Credential | None, password: str, outcome: Outcome) -> Outcome:
    """Add to an Accept what MS-CHAPv2 must be shown: that we know the password as well."""
    if isinstance(credential, MsChapV2Response) and isinstance(outcome.answer, Accept):
        return Outcome(outcome.answer._replace(ms_chap=credential.success(password)), outcome.verdict)
    return outcome


def _address(request: AccessRequest) -> str:
    address = request.attributes.address("Framed-IP-Address")
    return "" if address is None else str(address)
