"""ClientEngine: our half when we ask. Identifiers, retransmission times, replies matched to requests.

No socket, no clock, no chance: the caller hands in monotonic `now` and random octets. One engine is one of our
sockets towards one server, so it has 256 identifiers.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, assert_never

from radius.attributes import Attributes
from radius.codes import Code
from radius.credentials import ChapResponse, Credential, MsChapV2Response, PapPassword
from radius.errors import DecodeError, DropReason, RadiusError
from radius.messages import CoaRequest, DisconnectRequest
from radius.packet import Packet, header
from radius.signatures import (
    SharedSecret,
    hide_password,
    prepared,
    sign_access_request,
    sign_accounting_request,
    verify_message,
    verify_reply,
)

_WINDOW_SECONDS: Final = 300  # RFC 5176 section 6.3
CHANCE_OCTETS: Final = 32  # how many random octets a request needs: 16 for its authenticator, 16 for its timing

# What may come back (RFC 2865 section 4, RFC 2866 section 4.2, RFC 5176 section 2, RFC 5997 section 3).
_REPLIES: Final[dict[Code, frozenset[int]]] = {
    Code.ACCESS_REQUEST: frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE}),
    Code.ACCOUNTING_REQUEST: frozenset({Code.ACCOUNTING_RESPONSE}),
    Code.STATUS_SERVER: frozenset({Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE}),
    Code.DISCONNECT_REQUEST: frozenset({Code.DISCONNECT_ACK, Code.DISCONNECT_NAK}),
    Code.COA_REQUEST: frozenset({Code.COA_ACK, Code.COA_NAK}),
}


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """An Access-Request to send: who and where in `attributes`, the proof in `credential`."""

    attributes: Attributes
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class AccountingQuery:
    """An Accounting-Request to send."""

    attributes: Attributes


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """A Status-Server to send (RFC 5997)."""

    attributes: Attributes = field(default_factory=Attributes)


Query = AccessQuery | AccountingQuery | StatusQuery | CoaRequest | DisconnectRequest


@dataclass(frozen=True, slots=True)
class Timing:
    """When to send again (RFC 5080 section 2.2.1): seconds of IRT, MRT, MRD, and the count MRC."""

    first_seconds: float = 2.0
    longest_seconds: float = 16.0
    attempts: int = 5
    give_up_seconds: float = 30.0


class NoIdentifierError(RadiusError):
    """All 256 identifiers of this socket wait for replies: use another socket."""


@dataclass(slots=True)
class Exchange:
    """One request on its way. `datagram` is sent unchanged each time."""

    code: Code
    identifier: int
    datagram: bytes
    began: float
    next_at: float
    attempts: int = 1
    dropped: list[DropReason] = field(default_factory=list)  # why replies that came were not believed
    wait: float = 0.0
    chance: bytes = b""
    stamp: int | None = None  # its Event-Timestamp, of a request to a router

    @property
    def authenticator(self) -> bytes:
        """Return the Request Authenticator, which the reply is made with."""
        return self.datagram[4:20]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that was verified."""

    code: Code
    attributes: Attributes
    exchange: Exchange


class ClientEngine:
    """Requests to one server from one socket.

    `sign` puts Message-Authenticator first in every request; without it Status-Server is signed all the same.
    `require_message_authenticator` drops replies that have none.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        timing: Timing | None = None,
        sign: bool = True,
        require_message_authenticator: bool = False,
    ) -> None:
        self._secret = prepared(secret)
        self._timing = timing or Timing()
        self._sign = sign
        self._require = require_message_authenticator
        self._free = deque(range(256))  # the identifier that has rested longest is taken first
        self._open: dict[int, Exchange] = {}

    @property
    def waiting(self) -> int:
        """Count the requests without a reply."""
        return len(self._open)

    def ask(self, query: Query, *, now: float, chance: bytes) -> Exchange:
        """Begin an exchange: the caller sends its `datagram`, now and whenever `due` says so."""
        if not self._free:
            raise NoIdentifierError
        assert len(chance) >= CHANCE_OCTETS
        identifier = self._free.popleft()
        try:
            code, datagram = self._build(query, identifier, chance[:16])
        except Exception:
            self._free.append(identifier)
            raise
        exchange = Exchange(code, identifier, datagram, began=now, next_at=now, chance=chance[16:], stamp=_stamp(query))
        self._schedule(exchange, now)
        self._open[identifier] = exchange
        return exchange

    def receive(self, datagram: bytes) -> Reply | DropReason:
        """Take what came back. What is dropped leaves the exchange and its times as they are."""
        try:
            packet = Packet.parse(datagram)
        except DecodeError as error:
            return error.reason
        exchange = self._open.get(packet.identifier)
        if exchange is None:
            return DropReason.UNEXPECTED
        reason = self._doubt(packet, exchange)
        if reason is not None:
            exchange.dropped.append(reason)
            return reason
        self._close(exchange)
        return Reply(Code(packet.code), packet.attributes, exchange)

    def due(self, now: float) -> tuple[list[Exchange], list[Exchange]]:
        """Return the exchanges to send again now, and those that are given up."""
        again: list[Exchange] = []
        over: list[Exchange] = []
        for exchange in [exchange for exchange in self._open.values() if exchange.next_at <= now]:
            if exchange.attempts >= self._timing.attempts or now >= exchange.began + self._timing.give_up_seconds:
                self._close(exchange)
                over.append(exchange)
            else:
                exchange.attempts += 1
                self._schedule(exchange, now)
                again.append(exchange)
        return again, over

    def next_at(self) -> float | None:
        """Return when `due` has something to say; None if nothing is open."""
        return min((exchange.next_at for exchange in self._open.values()), default=None)

    def cancel(self, exchange: Exchange) -> None:
        """Give an exchange up before its time."""
        self._close(exchange)

    def _build(self, query: Query, identifier: int, authenticator: bytes) -> tuple[Code, bytes]:
        match query:
            case AccessQuery():
                code = Code.ACCESS_REQUEST
                body = query.attributes.to_bytes() + _proof(self._secret, authenticator, query.credential)
                if not self._sign:
                    return code, header(code, identifier, len(body)) + authenticator + body
                return code, sign_access_request(self._secret, code, identifier, authenticator, body)
            case StatusQuery():
                code = Code.STATUS_SERVER
                body = query.attributes.to_bytes()
                return code, sign_access_request(self._secret, code, identifier, authenticator, body)
            case AccountingQuery():
                # Message-Authenticator adds nothing to what the Request Authenticator proves (RFC 2866 section 3).
                code = Code.ACCOUNTING_REQUEST
                body = query.attributes.to_bytes()
                return code, sign_accounting_request(self._secret, code, identifier, body, message=False)
            case CoaRequest():
                code = Code.COA_REQUEST
                body = query.identity.to_bytes() + query.changes.to_bytes()
                return code, sign_accounting_request(self._secret, code, identifier, body, message=self._sign)
            case DisconnectRequest():
                code = Code.DISCONNECT_REQUEST
                body = query.attributes.to_bytes()
                return code, sign_accounting_request(self._secret, code, identifier, body, message=self._sign)
            case _:
                assert_never(query)

    def _doubt(self, packet: Packet, exchange: Exchange) -> DropReason | None:
        if packet.code not in _REPLIES[exchange.code]:
            return DropReason.BAD_CODE
        if not packet.signature_at and self._require:
            return DropReason.MISSING_MESSAGE_AUTHENTICATOR
        if not verify_reply(self._secret, packet.raw, exchange.authenticator):
            return DropReason.BAD_AUTHENTICATOR
        at = packet.signature_at
        if at and not verify_message(self._secret, packet.raw, at, exchange.authenticator):
            return DropReason.BAD_MESSAGE_AUTHENTICATOR
        stamp = packet.attributes.integer("Event-Timestamp") if exchange.stamp is not None else None
        if stamp is not None and exchange.stamp is not None and abs(stamp - exchange.stamp) > _WINDOW_SECONDS:
            return DropReason.STALE
        return None

    def _schedule(self, exchange: Exchange, now: float) -> None:
        """Set the next time: twice the last wait up to the longest, each by a chance of a tenth more or less."""
        timing = self._timing
        spread = (exchange.chance[exchange.attempts % len(exchange.chance)] / 255 - 0.5) / 5
        wait = timing.first_seconds if exchange.attempts == 1 else 2 * exchange.wait
        exchange.wait = min(wait, timing.longest_seconds) * (1 + spread)
        exchange.next_at = min(now + exchange.wait, exchange.began + timing.give_up_seconds)

    def _close(self, exchange: Exchange) -> None:
        if self._open.get(exchange.identifier) is exchange:
            del self._open[exchange.identifier]
            self._free.append(exchange.identifier)


def _stamp(query: Query) -> int | None:
    match query:
        case CoaRequest():
            return query.identity.integer("Event-Timestamp")
        case DisconnectRequest():
            return query.attributes.integer("Event-Timestamp")
        case _:
            return None


def _proof(secret: SharedSecret, authenticator: bytes, credential: Credential | None) -> bytes:
    match credential:
        case None:
            return b""
        case PapPassword():
            hidden = hide_password(secret, authenticator, credential.password)
            return Attributes([("User-Password", hidden)]).to_bytes()
        case ChapResponse():
            response = bytes((credential.identifier,)) + credential.response
            challenge = credential.challenge
            return Attributes([("CHAP-Password", response), ("CHAP-Challenge", challenge)]).to_bytes()
        case MsChapV2Response():
            response = bytes((credential.identifier, 0)) + credential.peer_challenge + bytes(8) + credential.response
            challenge = credential.challenge
            return Attributes([("MS-CHAP2-Response", response), ("MS-CHAP-Challenge", challenge)]).to_bytes()
        case _:
            assert_never(credential)
