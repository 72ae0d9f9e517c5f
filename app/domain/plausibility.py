"""What a line can have carried and packets can have held: octets beyond it are counted, and not charged (A6.10)."""

from typing import Final, NamedTuple

from app.domain.readings import Reading

_UNKNOWN_LINK_BPS: Final = 10**9  # faster than any radio of a hotspot
_CAPACITY_FACTOR: Final = 2  # what a city pays for is less than what the line, a burst or a cache on the spot can give
_SLACK_SECONDS: Final = 60  # counters are read a moment before or after the clock, and some once a minute
_LARGEST_PACKET: Final = 65_535  # RFC 791 section 3.1


class Gain(NamedTuple):
    """What was used between two readings; packets are None where the router counts none."""

    up: int
    down: int
    up_packets: int | None
    down_packets: int | None

    @classmethod
    def between(cls, before: Reading, after: Reading) -> "Gain":
        """Return the difference."""
        return cls(
            after.up - before.up,
            after.down - before.down,
            _more(before.up_packets, after.up_packets),
            _more(before.down_packets, after.down_packets),
        )


def _more(before: int | None, after: int | None) -> int | None:
    if before is None or after is None or after < before:
        return after
    return after - before


def most_octets(seconds: int, link_bps: int | None) -> int:
    """Return what a line can have carried in one direction between two readings."""
    rate = _UNKNOWN_LINK_BPS if link_bps is None else _CAPACITY_FACTOR * link_bps
    return rate * (max(0, seconds) + _SLACK_SECONDS) // 8


def is_plausible(gain: Gain, most: int | None) -> bool:
    """Tell whether neither the line nor the packets contradict a gain.

    One packet more than was counted may be in the octets: a router does not read all its counters at once.
    """
    return all(
        (most is None or octets <= most) and (packets is None or octets <= _LARGEST_PACKET * (packets + 1))
        for octets, packets in ((gain.up, gain.up_packets), (gain.down, gain.down_packets))
    )


def charged(gain: Gain, most: int | None) -> tuple[int, int]:
    """Return what is charged of a gain, up and down: what the line can have carried and its packets have held.

    A packet counter that stands still is broken and bounds nothing.
    """
    return _charged(gain.up, gain.up_packets, most), _charged(gain.down, gain.down_packets, most)


def _charged(octets: int, packets: int | None, most: int | None) -> int:
    bounds = [octets] if most is None else [octets, most]
    if packets and octets > _LARGEST_PACKET * (packets + 1):
        bounds.append(_LARGEST_PACKET * packets)
    return min(bounds)
