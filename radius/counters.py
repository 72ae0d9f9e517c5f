"""What a server counts, per NAS and reason (after RFC 4669 and RFC 4671); the application publishes it."""

from collections import defaultdict
from dataclasses import dataclass, field

from radius.errors import DropReason


@dataclass(slots=True)
class NasCounters:
    """What one NAS has sent and got since the start (after RFC 4669 and RFC 4671)."""

    access_requests: int = 0
    accepts: int = 0
    rejects: int = 0
    challenges: int = 0
    accounting_requests: int = 0
    accounting_responses: int = 0
    status_requests: int = 0
    status_replies: int = 0
    repeated_replies: int = 0  # the same octets again
    refused_methods: int = 0  # EAP, MS-CHAP, or a User-Password of impossible length: a Reject of ours
    unbuildable: int = 0  # an Accept that did not fit a packet and went as a Reject
    unsigned: int = 0  # Access-Requests without Message-Authenticator that were taken
    downgrades: int = 0  # unsigned ones from a NAS that has signed before: somebody may be in between
    identifier_mismatches: int = 0  # NAS-Identifier is not the registered one, yet the only NAS of the address
    older_secret_last_used_at: float | None = None  # when another than the newest secret was last proved, since 1970
    drops: dict[DropReason, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class Counters:
    """Counters by NAS id, and the drops that belong to no NAS or to one of several."""

    by_nas: dict[str, NasCounters] = field(default_factory=lambda: defaultdict(NasCounters))
    other_drops: dict[DropReason, int] = field(default_factory=lambda: defaultdict(int))

    def drop(self, nas_id: str | None, reason: DropReason) -> None:
        """Count one datagram without an answer."""
        drops = self.other_drops if nas_id is None else self.by_nas[nas_id].drops
        drops[reason] += 1

    def drops(self) -> dict[DropReason, int]:
        """Return all drops by reason."""
        total: dict[DropReason, int] = defaultdict(int, self.other_drops)
        for counters in self.by_nas.values():
            for reason, count in counters.drops.items():
                total[reason] += count
        return total
