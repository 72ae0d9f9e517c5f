"""Every kept answer is verified and held against what was expected. No I/O here.

An answer is believed if it is whole, its Response Authenticator and its Message-Authenticator are right, and the
request's Proxy-State came back; an answer to an Access-Request must have a Message-Authenticator unless `unsigned` is
good enough (RFC 2865 section 3, RFC 3579 section 3.2, RFC 5080 section 2.2.2).
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.bench.lanes import Departure, Lane
from radius.codes import Code
from radius.errors import DecodeError
from radius.packet import Packet
from radius.signatures import SharedSecret, verify_message, verify_reply


@dataclass(frozen=True, slots=True)
class Demands:
    """What an answer must have to be believed."""

    secret: SharedSecret
    unsigned: bool = False
    proxy_state: bool = False


@dataclass(slots=True)
class Tally:
    """What became of some requests. `bad` answers are not believed; `repeated` ones came once more than asked for.

    An answer that came after its request was given up changes nothing: a router has gone elsewhere by then.
    `waits` are the seconds from each request to its answer, `moments` when that came, both in the order of answers.
    """

    sent: int = 0
    right: int = 0
    wrong: int = 0
    bad: int = 0
    repeated: int = 0
    lost: int = 0
    waits: "array[float]" = field(default_factory=lambda: array("d"))
    moments: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def answered(self) -> int:
        """Count the requests that got an answer which is believed."""
        return self.right + self.wrong

    def add(self, other: "Tally") -> None:
        """Take in what became of others."""
        self.sent += other.sent
        self.right += other.right
        self.wrong += other.wrong
        self.bad += other.bad
        self.repeated += other.repeated
        self.lost += other.lost
        self.waits.extend(other.waits)
        self.moments.extend(other.moments)


@dataclass(slots=True)
class Judged:
    """What became of the requests of one lane; `acknowledged` are the marks of those that were answered rightly."""

    tally: Tally
    acknowledged: list[int]


def judge(lane: Lane, demands: Demands) -> Judged:
    """Verify all that a lane has kept."""
    tally = Tally(sent=sum(many for *_, many in lane.departures))
    answered = bytearray(lane.prepared)
    left_at = _moments(lane.departures, lane.prepared)
    acknowledged = []
    for batch in lane.batches:
        for number, octets in batch.answers():
            reply = _believed(lane, number, octets, demands)
            if reply is None:
                tally.bad += 1
                continue
            if lane.was_given_up(number):
                continue
            if answered[number]:
                tally.repeated += 1
                continue
            answered[number] = 1
            tally.waits.append(batch.at - left_at[number])
            tally.moments.append(batch.at)
            if reply.code == lane.expected[number]:
                tally.right += 1
                acknowledged.append(lane.marks[number])
            else:
                tally.wrong += 1
    tally.lost = tally.sent - tally.answered
    return Judged(tally, acknowledged)


def _believed(lane: Lane, number: int, octets: bytes, demands: Demands) -> Packet | None:
    """Return the answer if it is one to this request."""
    if number < 0:
        return None
    try:
        reply = Packet.parse(octets)
    except DecodeError:
        return None
    request = lane.request(number)
    if not verify_reply(demands.secret, reply.raw, request[4:20]):
        return None
    if not _signed(reply, request, demands):
        return None
    if demands.proxy_state:
        asked, said = (packet.attributes.all_octets("Proxy-State") for packet in (Packet.parse(request), reply))
        if asked != said:
            return None
    return reply


def _signed(reply: Packet, request: bytes, demands: Demands) -> bool:
    if not reply.signature_at:
        return demands.unsigned or request[0] != Code.ACCESS_REQUEST
    return verify_message(demands.secret, reply.raw, reply.signature_at, request[4:20])


def _moments(departures: Iterable[Departure], count: int) -> "array[float]":
    """Return when each request left, by its number; 0 for those that did not."""
    moments = array("d", bytes(8 * count))
    for at, step, first, many in departures:
        for place in range(many):
            moments[first + place] = at + place * step
    return moments
