"""ServerEngine: a datagram in, a request, an earlier reply or a DropReason out; a decision in, a reply out.

No socket, no clock, no chance: addresses and times come in, octets go out. What a router is told is decided here and
nowhere else; a failure to decide is never a refusal:

| what happened                                | Access-Request               | Accounting-Request         |
|----------------------------------------------|------------------------------|----------------------------|
| decided                                      | Accept, Reject or Challenge  | Response, once it is safe  |
| we failed or were too slow                   | no reply: the router retries | no reply: the router keeps |
|                                              | or asks the next server      | the record                 |
| seen before                                  | the same octets again        | the same octets again      |
| unknown NAS, bad signature, malformed        | no reply, counted            | no reply, counted          |
| a method we do not speak (EAP, MS-CHAPv1),   | Reject                       |                            |
| or a credential of impossible shape          |                              |                            |

Status-Server gets an Accept or an Accounting-Response while the service behind the port is ready, else nothing.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from radius.attributes import Attributes
from radius.backend import Backend, Demand, Nas, Service
from radius.codes import Code, StatusType
from radius.counters import Counters
from radius.credentials import MsChapV2Response
from radius.duplicates import Key, ReplyCache
from radius.errors import DecodeError, DropReason, EncodeError
from radius.limits import Rate
from radius.messages import Accept, AccessRequest, AccountingRecord, Challenge, Reject
from radius.methods import READERS, as_text, method_of, plausible_secret
from radius.packet import HEADER_LENGTH, MAX_ATTRIBUTES, Packet
from radius.replies import ms_chap, proxy_states, reply_to
from radius.signatures import SharedSecret, sign_bare_reply, sign_reply
from radius.verification import Verifier

# RFC 2865 section 3, RFC 2866 section 3, RFC 5997 section 4.2: all else is for other ports or for nobody.
_CODES: Final[dict[Service, frozenset[int]]] = {
    Service.AUTH: frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER}),
    Service.ACCT: frozenset({Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER}),
}

_ACCESS_REQUEST: Final = int(Code.ACCESS_REQUEST)
_ACCOUNTING_REQUEST: Final = int(Code.ACCOUNTING_REQUEST)

# Numbers of the attributes that the protocol itself looks at.
_USER_NAME: Final = 1
_USER_PASSWORD: Final = 2
_NAS_IP_ADDRESS: Final = 4
_FRAMED_IP_ADDRESS: Final = 8
_CLASS: Final = 25
_CALLING_STATION_ID: Final = 31
_NAS_IDENTIFIER: Final = 32
_ACCT_STATUS_TYPE: Final = 40
_ACCT_SESSION_ID: Final = 44

# RouterOS lets a phone's login form add attributes to the request (`radius<id>` fields of its hotspot): whoever the
# request is about must be said once.
_SAID_ONCE: Final = frozenset(
    {_NAS_IP_ADDRESS, _FRAMED_IP_ADDRESS, _CLASS, _CALLING_STATION_ID, _NAS_IDENTIFIER, _ACCT_SESSION_ID}
)
_STATUS_TYPES: Final[dict[int, StatusType]] = {int(status): status for status in StatusType}

_STATUS_PER_SECOND: Final = 10  # Status-Server of one NAS (RFC 5997 section 4.2 asks for a limit)
_DEBUG_ANSWERS_PER_SECOND: Final = 1
_UNSIGNED: Final = frozenset({DropReason.MISSING_MESSAGE_AUTHENTICATOR, DropReason.PROXY_STATE_UNSIGNED})
_MUST_SIGN: Final = Attributes([("Error-Cause", 510)]).to_bytes()


class Arrival(NamedTuple):
    """Where and when a datagram came in. `local` stands for the socket, and the address, that it was sent to."""

    source: tuple[str, int]
    local: Hashable
    service: Service
    received: float  # monotonic seconds
    received_at: float  # seconds since 1970


@dataclass(slots=True)
class PendingAccess:
    """An Access-Request that waits for its answer; the engine's own half is what the reply must be made with."""

    request: AccessRequest
    nas: Nas
    secret: SharedSecret
    packet: Packet
    key: Key


@dataclass(slots=True)
class PendingAccounting:
    """An Accounting-Request that waits until it is safe."""

    record: AccountingRecord
    nas: Nas
    secret: SharedSecret
    packet: Packet
    key: Key


class Answered(NamedTuple):
    """A reply to send at once: the same octets again, an answer to Status-Server, or a Reject of our own.

    `reason` says why we reject, else it is empty.
    """

    reply: bytes
    nas_id: str
    repeated: bool = False
    reason: str = ""


Pending = PendingAccess | PendingAccounting
Received = PendingAccess | PendingAccounting | Answered | DropReason


class ServerEngine:
    """The server's half of RADIUS for one process.

    `learned` is what was learnt earlier about which NASes sign; `on_learned` is told what is learnt now, so that the
    application can keep it and propose to pin it. `require_message_authenticator` and `limit_proxy_state` are demanded
    of every NAS that leaves them at `auto`.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        max_attributes: int = MAX_ATTRIBUTES,
        replies: ReplyCache | None = None,
        learned: Mapping[str, Demand] | None = None,
        on_learned: Callable[[str, Demand], None] | None = None,
        require_message_authenticator: Demand = Demand.AUTO,
        limit_proxy_state: Demand = Demand.AUTO,
    ) -> None:
        self.counters = Counters()
        self._backend = backend
        self._max_attributes = max_attributes
        self._replies = replies or ReplyCache()
        self._verifier = Verifier(
            self.counters,
            learned=learned,
            on_learned=on_learned,
            require=require_message_authenticator,
            limit=limit_proxy_state,
        )
        self._status_rate, self._debug_rate = Rate(_STATUS_PER_SECOND), Rate(_DEBUG_ANSWERS_PER_SECOND)

    # Datagrams in

    def receive(self, datagram: bytes, arrival: Arrival) -> Received:
        """Take one datagram: a request to decide or store, a reply to send at once, or why there is none."""
        nases = self._backend.find_nas(arrival.source[0])
        if not nases:
            return self._drop(None, arrival, DropReason.UNKNOWN_NAS)
        only = nases[0].id if len(nases) == 1 else None
        if len(datagram) < HEADER_LENGTH:
            return self._drop(only, arrival, DropReason.TOO_SHORT)
        if datagram[0] not in _CODES[arrival.service]:
            return self._drop(only, arrival, DropReason.BAD_CODE)
        try:
            packet = Packet.parse(datagram, max_attributes=self._max_attributes)
        except DecodeError as error:
            return self._drop(only, arrival, error.reason)
        candidates = nases if len(nases) == 1 else _fitting(packet, nases)
        if not candidates:
            return self._drop(None, arrival, DropReason.NAS_MISMATCH)
        if packet.code == _ACCESS_REQUEST:
            return self._receive_access(packet, candidates, arrival)
        if packet.code == _ACCOUNTING_REQUEST:
            return self._receive_accounting(packet, candidates, arrival)
        return self._receive_status(packet, candidates, arrival)

    def skip(self, arrival: Arrival, reason: DropReason = DropReason.TOO_OLD) -> DropReason:
        """Count a datagram that is not read: it waited too long and its router has asked again, or there is no room."""
        return self._drop(self.whose(arrival.source[0]), arrival, reason)

    def has_signed(self, nas_id: str) -> bool:
        """Tell whether a NAS is known to have sent a Message-Authenticator once."""
        return self._verifier.has_signed(nas_id)

    def correct(self, nas_id: str, demand: Demand | None) -> None:
        """Take over what others have learnt about a NAS, or (None) learn anew; may be called from another thread."""
        self._verifier.correct(nas_id, demand)

    def whose(self, host: str) -> str | None:
        """Return the id of the only NAS at an address; None if there is none, or several."""
        return _only(self._backend.find_nas(host))

    def _receive_access(self, packet: Packet, candidates: Sequence[Nas], arrival: Arrival) -> Received:
        verified = self._verifier.access(packet, candidates, arrival.received_at)
        if isinstance(verified, DropReason):
            return self._explain(packet, candidates, arrival, verified)
        nas, secret = verified
        if packet.repeated and not packet.repeated.isdisjoint(_SAID_ONCE):
            return self._drop(nas.id, arrival, DropReason.REPEATED_ATTRIBUTE)
        method = method_of(packet)
        if isinstance(method, DropReason):
            return self._drop(nas.id, arrival, method)
        key = (arrival.source, arrival.local, packet.code, packet.identifier)
        earlier = self._replies.begin(key, packet.authenticator, arrival.received)
        if earlier is not True:
            return self._again(nas, arrival, earlier)
        counters = self.counters.by_nas[nas.id]
        counters.access_requests += 1
        self._verifier.note_signing(nas, packet, counters)
        known = self._verifier.note_identity(nas, packet, counters)
        if method == _USER_PASSWORD and not packet.signature_at and len(nas.secrets) > 1:
            secret = plausible_secret(packet, secret, nas)
        credential = READERS[method](packet, secret) if method else None
        name = packet.attributes.first(_USER_NAME)
        request = AccessRequest(
            nas.id,
            None if name is None else as_text(name),
            credential,
            packet.attributes,
            arrival.source,
            arrival.received_at,
            arrival.received,
        )
        pending = PendingAccess(request, nas, secret, packet, key)
        if not known:
            return Answered(self.reply(pending, Reject(), arrival.received), nas.id, reason="nas_mismatch")
        if method and credential is None:
            counters.refused_methods += 1
            return Answered(self.reply(pending, Reject(), arrival.received), nas.id, reason="method_not_spoken")
        return pending

    def _receive_accounting(self, packet: Packet, candidates: Sequence[Nas], arrival: Arrival) -> Received:
        verified = self._verifier.accounting(packet, candidates, arrival.received_at)
        if isinstance(verified, DropReason):
            return self._drop(_only(candidates), arrival, verified)
        nas, secret = verified
        key = (arrival.source, arrival.local, packet.code, packet.identifier)
        earlier = self._replies.begin(key, packet.authenticator, arrival.received)
        if earlier is not True:
            return self._again(nas, arrival, earlier)
        counters = self.counters.by_nas[nas.id]
        counters.accounting_requests += 1
        if not self._verifier.note_identity(nas, packet, counters):
            self._replies.forget(key, packet.authenticator)
            self.counters.leave(nas.id, arrival.service, DropReason.NAS_MISMATCH)
            return DropReason.NAS_MISMATCH
        status = packet.attributes.first(_ACCT_STATUS_TYPE)
        number = int.from_bytes(status) if status is not None and len(status) == 4 else None
        record = AccountingRecord(
            nas.id,
            None if number is None else _STATUS_TYPES.get(number, number),
            packet.attributes,
            packet.raw,
            arrival.source,
            arrival.received_at,
            arrival.received,
        )
        return PendingAccounting(record, nas, secret, packet, key)

    def _receive_status(self, packet: Packet, candidates: Sequence[Nas], arrival: Arrival) -> Received:
        """Answer Status-Server, which must be signed (RFC 5997 section 3), while the service can do its work."""
        if not packet.signature_at:
            return self._drop(_only(candidates), arrival, DropReason.MISSING_MESSAGE_AUTHENTICATOR)
        verified = self._verifier.signed(packet, candidates, arrival.received_at)
        if isinstance(verified, DropReason):
            return self._drop(_only(candidates), arrival, verified)
        nas, secret = verified
        if not nas.answers_status:
            return self._drop(nas.id, arrival, DropReason.BAD_CODE)
        key = (arrival.source, arrival.local, packet.code, packet.identifier)
        earlier = self._replies.begin(key, packet.authenticator, arrival.received)
        if earlier is not True:
            return self._again(nas, arrival, earlier)
        counters = self.counters.by_nas[nas.id].port(arrival.service)
        counters.status_requests += 1
        reason = self._hindrance(nas, arrival)
        if reason is not None:
            self._replies.forget(key, packet.authenticator)
            self.counters.leave(nas.id, arrival.service, reason)
            return reason
        code = Code.ACCESS_ACCEPT if arrival.service is Service.AUTH else Code.ACCOUNTING_RESPONSE
        reply = sign_reply(secret, code, packet.identifier, packet.authenticator, proxy_states(packet))
        counters.status_replies += 1
        self._replies.finish(key, packet.authenticator, reply, arrival.received)
        return Answered(reply, nas.id)

    def _hindrance(self, nas: Nas, arrival: Arrival) -> DropReason | None:
        """Return why Status-Server gets no answer: asked too often, or the service behind the port is not ready."""
        if self._status_rate.exceeded(nas.id, arrival.received):
            return DropReason.OVERLOAD
        return None if self._backend.ready(arrival.service) else DropReason.NOT_READY

    def _explain(
        self, packet: Packet, candidates: Sequence[Nas], arrival: Arrival, reason: DropReason
    ) -> Answered | DropReason:
        """Drop what is not signed; where an admin wants it so, tell the router that it must, until it once has.

        It is a signed Reject with Error-Cause 510 (draft-ietf-radext-deprecating-radius, section 5.3.3).
        """
        self._drop(_only(candidates), arrival, reason)
        nas = candidates[0]
        if len(candidates) > 1 or not nas.debug_answers or reason not in _UNSIGNED or self.has_signed(nas.id):
            return reason
        if self._debug_rate.exceeded(nas.id, arrival.received):
            return reason
        body = _MUST_SIGN + proxy_states(packet)
        secret = self._verifier.newest_secret(nas)
        reply = sign_reply(secret, Code.ACCESS_REJECT, packet.identifier, packet.authenticator, body)
        return Answered(reply, nas.id, reason=reason.value)

    # Replies out

    def reply(self, pending: PendingAccess, answer: Accept | Reject | Challenge, now: float) -> bytes:
        """Return the signed reply to an Access-Request, and remember it for copies of the request.

        An Accept or a Challenge that does not fit a packet goes as a Reject, and is counted.
        """
        counters = self.counters.by_nas[pending.nas.id]
        try:
            datagram = _signed(pending, answer)
        except EncodeError:
            counters.unbuildable += 1
            answer = Reject()
            datagram = _signed(pending, answer)
        if isinstance(answer, Accept):
            counters.accepts += 1
        elif isinstance(answer, Reject):
            counters.rejects += 1
        else:
            counters.challenges += 1
        self._replies.finish(pending.key, pending.packet.authenticator, datagram, now)
        return datagram

    def acknowledge(self, pending: PendingAccounting, now: float) -> bytes:
        """Return the Accounting-Response, with nothing but Proxy-State (RFC 2866 section 4.2), and remember it."""
        packet = pending.packet
        body = proxy_states(packet)
        code = Code.ACCOUNTING_RESPONSE
        datagram = sign_bare_reply(pending.secret, code, packet.identifier, packet.authenticator, body)
        self.counters.by_nas[pending.nas.id].accounting_responses += 1
        self._replies.finish(pending.key, packet.authenticator, datagram, now)
        return datagram

    def leave(self, pending: Pending, reason: DropReason) -> None:
        """Give no reply, and take the next copy of the request for a new one."""
        self._replies.forget(pending.key, pending.packet.authenticator)
        service = Service.AUTH if isinstance(pending, PendingAccess) else Service.ACCT
        self.counters.leave(pending.nas.id, service, reason)

    def sweep(self, now: float) -> None:
        """Forget replies that are over; called every few seconds."""
        self._replies.sweep(now)

    def _again(self, nas: Nas, arrival: Arrival, earlier: bytes | bool) -> Answered | DropReason:
        if isinstance(earlier, bytes):
            self.counters.by_nas[nas.id].port(arrival.service).repeated_replies += 1
            return Answered(earlier, nas.id, repeated=True)
        return self._drop(nas.id, arrival, DropReason.DUPLICATE_IN_PROGRESS)

    def _drop(self, nas_id: str | None, arrival: Arrival, reason: DropReason) -> DropReason:
        self.counters.drop(nas_id, arrival.service, reason)
        return reason


def _signed(pending: PendingAccess, answer: Accept | Reject | Challenge) -> bytes:
    packet = pending.packet
    code, body = reply_to(packet, answer, pending.nas.profile)
    credential = pending.request.credential
    if type(credential) is MsChapV2Response:
        body = ms_chap(pending.secret, packet, credential, answer, pending.nas.profile) + body
    return sign_reply(pending.secret, code, packet.identifier, packet.authenticator, body)


def _only(candidates: Sequence[Nas]) -> str | None:
    return candidates[0].id if len(candidates) == 1 else None


def _fitting(packet: Packet, nases: Sequence[Nas]) -> list[Nas]:
    """Return those of several NASes behind one address that the packet may be from.

    With a NAS-Identifier those registered under it, else those that fit any; without one all: the signature tells.
    """
    identifier = packet.attributes.first(_NAS_IDENTIFIER)
    if identifier is None:
        return list(nases)
    named = [nas for nas in nases if nas.identifier is not None and nas.identifier.encode() == identifier]
    return named or [nas for nas in nases if nas.identifier is None]
