"""The same octets to two servers, and what each says: conversations of one or several requests from one port."""

import selectors
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Final

from radius.codes import Code
from radius.packet import Packet
from radius.signatures import prepared, verify_message, verify_reply
from tests.lab.wire import SECRET

# How long nobody may say anything more before silence is taken for one: longer than our slowest Reject, 0.55 s.
_QUIET_SECONDS: Final = 1.5
_PATIENCE_SECONDS: Final = 15.0
_AT_ONCE: Final = 40  # what fits into the buffer of a socket whose server reads slowly


class Outcome(StrEnum):
    """What became of one request."""

    ACCEPT = "Access-Accept"
    REJECT = "Access-Reject"
    RESPONSE = "Accounting-Response"
    SILENCE = "silence"


_OUTCOMES: Final = {
    Code.ACCESS_ACCEPT: Outcome.ACCEPT,
    Code.ACCESS_REJECT: Outcome.REJECT,
    Code.ACCOUNTING_RESPONSE: Outcome.RESPONSE,
}


@dataclass(frozen=True, slots=True)
class Case:
    """Requests from one address and port, each sent once the one before it has its answer, and what must come of them.

    `theirs` is what the other server makes of them where that differs, and `why` then says which rule we follow.
    """

    name: str
    requests: tuple[bytes, ...]
    ours: tuple[Outcome, ...]
    address: str
    accounting: bool = False
    theirs: tuple[Outcome, ...] | None = None
    why: str = ""
    same_octets: bool = False  # every answer is the first one again

    def __post_init__(self) -> None:
        """Hold the tables to their form."""
        assert len(self.requests) == len(self.ours) == len(self.theirs or self.ours), self.name
        assert (self.theirs is None) == (not self.why), self.name
        assert self.theirs != self.ours, self.name

    def expected(self, *, of_us: bool) -> tuple[Outcome, ...]:
        """Return what one of the two servers makes of it."""
        return self.ours if of_us or self.theirs is None else self.theirs


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer and what it answers."""

    request: bytes
    octets: bytes
    packet: Packet = field(compare=False)

    @property
    def outcome(self) -> Outcome:
        """Return the code in words."""
        return _OUTCOMES[Code(self.packet.code)]

    @property
    def proxy_states(self) -> list[bytes]:
        """Return all Proxy-States in order."""
        return self.packet.attributes.every(33)

    @property
    def authentic(self) -> bool:
        """Tell whether Identifier, Response Authenticator and Message-Authenticator, where there is one, are right."""
        secret, asked, at = prepared(SECRET), self.request[4:20], self.packet.signature_at
        if self.octets[1] != self.request[1] or not verify_reply(secret, self.packet.raw, asked):
            return False
        return not at or verify_message(secret, self.packet.raw, at, asked)


@dataclass(slots=True)
class _Conversation:
    case: Case
    of_us: bool
    server: tuple[str, int]
    socket: socket.socket
    heard: list[list[bytes]] = field(default_factory=list)


Heard = Mapping[str, Sequence[Answer | None]]


def converse(
    cases: Sequence[Case], ours: Callable[[Case], int], theirs: Callable[[Case], int], *, host: str = "127.0.0.1"
) -> tuple[Heard, Heard]:
    """Send all cases to both servers, at the ports that `ours` and `theirs` name; return what each has answered."""
    open_ones = []
    try:
        for case in cases:
            for of_us, port in ((True, ours(case)), (False, theirs(case))):
                one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                one.bind((case.address, 0))
                open_ones.append(_Conversation(case, of_us, (host, port), one))
        for turn in range(max(len(case.requests) for case in cases)):
            with selectors.DefaultSelector() as selector:
                _one_turn([one for one in open_ones if turn < len(one.case.requests)], turn, selector)
    finally:
        for one_open in open_ones:
            one_open.socket.close()
    return _answers(open_ones, of_us=True), _answers(open_ones, of_us=False)


def _one_turn(conversations: Sequence[_Conversation], turn: int, selector: selectors.BaseSelector) -> None:
    for at in range(0, len(conversations), _AT_ONCE):
        waiting = set()
        for one in conversations[at : at + _AT_ONCE]:
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.heard.append([])
            one.socket.sendto(one.case.requests[turn], one.server)
            if one.case.expected(of_us=one.of_us)[turn] is not Outcome.SILENCE:
                waiting.add(one.socket)
        ends_at = monotonic() + _PATIENCE_SECONDS
        while waiting and monotonic() < ends_at:
            waiting -= _hear(selector)
    while _hear(selector):
        pass


def _hear(selector: selectors.BaseSelector) -> set[socket.socket]:
    """Wait until somebody says something; return who did, nobody when it has been quiet for long."""
    ready: list[_Conversation] = [key.data for key, _ in selector.select(_QUIET_SECONDS)]
    for one in ready:
        one.heard[-1].append(one.socket.recv(65_535))
    return {one.socket for one in ready}


def _answers(conversations: Sequence[_Conversation], *, of_us: bool) -> Heard:
    heard: dict[str, list[Answer | None]] = {}
    for one in conversations:
        if one.of_us is of_us:
            answers = heard.setdefault(one.case.name, [])
            for request, datagrams in zip(one.case.requests, one.heard, strict=True):
                assert len(datagrams) < 2, f"{one.case.name}: {len(datagrams)} answers"
                answers.append(Answer(request, datagrams[0], Packet.parse(datagrams[0])) if datagrams else None)
    return heard
