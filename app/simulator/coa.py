"""The router's port for Disconnect- and CoA-Requests (RFC 5176), answered in the manner of its family."""

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import Final, cast

from app.simulator.manners import MANNERS, Effect, Manners
from app.simulator.router import Router
from app.simulator.sessions import Cause, Limits, Session
from radius.attributes import Attributes
from radius.codes import Code
from radius.errors import DecodeError
from radius.packet import Packet
from radius.signatures import (
    ZEROS,
    SharedSecret,
    prepared,
    sign_bare_reply,
    sign_reply,
    verify_accounting,
    verify_message,
)

Address = tuple[str, int]
_AFTER_STOP_SECONDS: Final = 0.05
_REMEMBERED: Final = 256  # answers kept for requests that are sent again (RFC 5080 section 2.2.2)

_NAKS: Final = {Code.DISCONNECT_REQUEST: Code.DISCONNECT_NAK, Code.COA_REQUEST: Code.COA_NAK}
_ACKS: Final = {Code.DISCONNECT_REQUEST: Code.DISCONNECT_ACK, Code.COA_REQUEST: Code.COA_ACK}


class IncomingPort(asyncio.DatagramProtocol):
    """One router's port. What is not signed with the router's secret gets no answer."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._secret = prepared(router.settings.radius_secret)
        self._answers: OrderedDict[tuple[Address, bytes], bytes] = OrderedDict()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer from."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # 3.11's own class does not derive from it

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Answer one datagram, or drop it."""
        key = (addr, data[:20])
        answer = self._answers.get(key) or answer_to(data, self._router, self._secret)
        if answer is None or self._transport is None:
            return
        self._answers[key] = answer
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        if MANNERS[self._router.settings.family].stops_first:
            asyncio.get_running_loop().call_later(_AFTER_STOP_SECONDS, self._transport.sendto, answer, addr)
        else:
            self._transport.sendto(answer, addr)

    @property
    def port(self) -> int:
        """Return where it listens."""
        assert self._transport is not None
        address: Address = self._transport.get_extra_info("sockname")
        return address[1]

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.abort()


async def listen(router: Router, port: int) -> IncomingPort:
    """Open a port of a router at its own address; 0 takes any."""
    _, incoming = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: IncomingPort(router), local_addr=(router.settings.address, port)
    )
    return incoming


def answer_to(datagram: bytes, router: Router, secret: SharedSecret) -> bytes | None:
    """Do what a request says and return the answer; None if it is to be dropped in silence."""
    try:
        packet = Packet.parse(datagram)
    except DecodeError:
        return None
    if packet.code not in _ACKS or not _genuine(packet, secret):
        return None
    manners = MANNERS[router.settings.family]
    if manners.silent_without is not None and manners.silent_without not in packet.attributes:
        return None
    code = Code(packet.code)
    problem = _apply(code, packet.attributes, router, manners)
    reply = Attributes() if problem is None or not manners.explains else Attributes([("Error-Cause", problem)])
    for state in packet.attributes.all_octets("Proxy-State"):
        reply.add("Proxy-State", state)
    sign = sign_reply if packet.signature_at and manners.explains else sign_bare_reply
    answer = _ACKS[code] if problem is None else _NAKS[code]
    return sign(secret, answer, packet.identifier, packet.authenticator, reply.to_bytes())


def _genuine(packet: Packet, secret: SharedSecret) -> bool:
    if not verify_accounting(secret, packet.raw):
        return False
    return not packet.signature_at or verify_message(secret, packet.raw, packet.signature_at, ZEROS)


def _apply(code: Code, attributes: Attributes, router: Router, manners: Manners) -> str | None:
    """Carry a request out; return the Error-Cause if it cannot be."""
    names = {name for name, _ in attributes}
    changes = names - manners.known
    if manners.strict and changes - (manners.changeable if code is Code.COA_REQUEST else frozenset()):
        return "Unsupported-Attribute"
    if not _addressed_to(attributes, router):
        return "NAS-Identification-Mismatch"
    if manners.named_by and not manners.named_by & names:
        return "Missing-Attribute"
    session = router.find_session(attributes.only(manners.identity))
    if session is None:
        return "Session-Context-Not-Found"
    if code is Code.DISCONNECT_REQUEST:
        router.log_out(session.mac, Cause.ADMIN_RESET)
        return None
    told = attributes.only(changes & manners.changeable)
    if not told:
        return "Missing-Attribute"
    _change(session, told, router, manners)
    router.on_change(session)
    return None


def _change(session: Session, changes: Attributes, router: Router, manners: Manners) -> None:
    if manners.effect is Effect.REPLACES:
        session.limits = Limits.of_accept(changes)
        return
    limits = session.limits.changed_by(changes)
    if manners.counts_from_now and limits.session_seconds is not None:
        limits = replace(limits, session_seconds=limits.session_seconds + int(router.age(session)))
    session.limits = limits


def _addressed_to(attributes: Attributes, router: Router) -> bool:
    identifier, address = attributes.text("NAS-Identifier"), attributes.address("NAS-IP-Address")
    settings = router.settings
    return identifier in (None, settings.name) and (address is None or str(address) == settings.address)
