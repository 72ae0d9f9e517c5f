"""All that the library asks of an application: four questions, a batch at a time. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from radius.messages import AccessRequest, AccountingRecord, Answer, Later
from radius.vendors.profile import Profile


class Demand(StrEnum):
    """How strictly a protection is demanded of a NAS (CVE-2024-3596, "BlastRADIUS")."""

    YES = "yes"
    NO = "no"
    AUTO = "auto"


class Service(StrEnum):
    """What a port serves; Status-Server asks for the readiness of its own port (RFC 5997)."""

    AUTH = "auth"
    ACCT = "acct"


@dataclass(frozen=True, slots=True)
class Nas:
    """One router as the library must know it.

    `secrets` are the valid shared secrets, newest first (two during a rotation). `identifier` is the NAS-Identifier
    that tells several NASes behind one address apart; None fits any. `exact_address` is False when the entry covers
    more than one address. `addresses` are the first and the last that it covers, as octets; empty: they do not matter.
    `answers_status` is the switch of Status-Server. `strict_identity` refuses whoever calls itself otherwise than it is
    registered. `debug_answers` tells a router that does not sign why it is not answered, until it does.
    """

    id: str
    secrets: tuple[bytes, ...]
    profile: Profile
    identifier: str | None = None
    require_message_authenticator: Demand = Demand.AUTO
    limit_proxy_state: Demand = Demand.YES
    exact_address: bool = True
    addresses: tuple[bytes, bytes] = (b"", b"")
    answers_status: bool = True
    strict_identity: bool = False
    debug_answers: bool = False

    def __post_init__(self) -> None:
        """Refuse a NAS without a secret, or with an empty one: it would be anybody (RFC 2865 section 3)."""
        if not self.secrets or not all(self.secrets):
            raise ValueError(f"{self.id}: a shared secret must not be empty")


class Backend(Protocol):
    """The application behind a server. Every method is called from the server's one loop and must not block."""

    def find_nas(self, host: str) -> Sequence[Nas]:
        """Return the NASes registered for this source address, those of the longest prefix only; a hash lookup.

        `host` is a literal address in the kernel's spelling.
        """

    def authorize(self, requests: Sequence[AccessRequest]) -> Sequence[Answer]:
        """Decide a batch; one answer per request, in order.

        `Later` parks that request alone. None means "we could not decide": no reply is sent, the router asks again
        or asks its second server.
        """

    def account(self, records: Sequence[AccountingRecord]) -> Sequence[bool | Later]:
        """Store a batch; True only for what is safe on disk. False is not acknowledged, and the router keeps it.

        `Later` parks that record alone: it is on its way to a slow disk, and asking again with the very same object
        tells how that ended.
        """

    def ready(self, service: Service) -> bool:
        """Tell whether the service behind a port can do its work now."""
