"""What a server counts, per NAS, port and reason; the application publishes it under the names of RFC 4669 and 4671."""

from collections import defaultdict
from dataclasses import dataclass, field

from radius.backend import Service
from radius.errors import DropReason


@dataclass(slots=True)
class PortCounters:
    """What came to one kind of port and was no new request, or got no reply."""

    repeated_replies: int = 0  # the same octets again
    status_requests: int = 0
    status_replies: int = 0
    left: int = 0  # requests that were taken and then given no reply; each is a drop as well
    drops: dict[DropReason, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class NasCounters:
    """What one NAS has sent and got since the start. Requests are those that were new and proved their origin."""

    access_requests: int = 0
    accepts: int = 0
    rejects: int = 0
    challenges: int = 0
    accounting_requests: int = 0
    accounting_responses: int = 0
    refused_methods: int = 0  # EAP, MS-CHAPv1, or a credential of impossible shape: a Reject of ours
    unbuildable: int = 0  # an Accept that did not fit a packet and went as a Reject
    unsigned: int = 0  # Access-Requests without Message-Authenticator that were taken
    downgrades: int = 0  # unsigned ones from a NAS that has signed before: somebody may be in between
    identifier_mismatches: int = 0  # NAS-Identifier is not the registered one, yet the only NAS of the address
    address_mismatches: int = 0  # NAS-IP-Address is none of the registered ones: usual behind NAT
    nameless: int = 0  # neither NAS-Identifier nor an address of its own (RFC 2865 section 4.1 demands one)
    identifier_found: bytes = b""  # the last one of these
    older_secret_last_used_at: float | None = None  # when another than the newest secret was last proved, since 1970
    auth: PortCounters = field(default_factory=PortCounters)
    acct: PortCounters = field(default_factory=PortCounters)

    def port(self, service: Service) -> PortCounters:
        """Return what belongs to one kind of port."""
        return self.auth if service is Service.AUTH else self.acct

    def received(self, service: Service) -> int:
        """Count every datagram that came to one kind of port, whatever became of it."""
        requests = self.access_requests if service is Service.AUTH else self.accounting_requests
        port = self.port(service)
        return requests + port.status_requests + port.repeated_replies + sum(port.drops.values()) - port.left


@dataclass(slots=True)
class Counters:
    """Counters by NAS id; `nobody` has what came from no NAS, or from one of several behind an address."""

    by_nas: dict[str, NasCounters] = field(default_factory=lambda: defaultdict(NasCounters))
    nobody: NasCounters = field(default_factory=NasCounters)

    def drop(self, nas_id: str | None, service: Service, reason: DropReason) -> None:
        """Count one datagram without an answer."""
        counters = self.nobody if nas_id is None else self.by_nas[nas_id]
        counters.port(service).drops[reason] += 1

    def leave(self, nas_id: str, service: Service, reason: DropReason) -> None:
        """Count one request that was taken and then given no reply."""
        self.by_nas[nas_id].port(service).left += 1
        self.drop(nas_id, service, reason)

    def drops(self) -> dict[DropReason, int]:
        """Return all drops by reason."""
        total: dict[DropReason, int] = defaultdict(int)
        for counters in (self.nobody, *self.by_nas.values()):
            for port in (counters.auth, counters.acct):
                for reason, count in port.drops.items():
                    total[reason] += count
        return total
