"""A small application with a memory, and packets for it: what the tests of `radius` stand on."""

from collections.abc import Callable, Sequence
from hashlib import md5
from ipaddress import ip_address

from radius import (
    Accept,
    AccessQuery,
    AccessRequest,
    AccountingQuery,
    AccountingRecord,
    Answer,
    Arrival,
    Attributes,
    Authorization,
    ClientEngine,
    Demand,
    Nas,
    PapPassword,
    Query,
    Reject,
    Service,
    profile_for,
)

SECRET = b"a shared secret of 32 octets, ok"
OTHER_SECRET = b"quite another one of 32 octets.."
CLASS = b"class of the session"
SOURCE = ("192.0.2.7", 40000)
NOW = 1000.0
NOW_AT = 1_800_000_000.0


class FakeBackend:
    """An application that knows some NASes and one password, and remembers what it was asked."""

    def __init__(self, *nases: Nas, password: str = "rahasia") -> None:
        self.nases: dict[str, list[Nas]] = {}
        self.password = password
        self.answer: Callable[[AccessRequest], Answer] = self._by_password
        self.disk_full = False
        self.is_ready = True
        self.requests: list[AccessRequest] = []
        self.records: list[AccountingRecord] = []
        self.batches: list[int] = []
        for nas in nases:
            self.add(SOURCE[0], nas)

    def add(self, address: str, nas: Nas) -> None:
        self.nases.setdefault(str(ip_address(address)), []).append(nas)

    def find_nas(self, host: str) -> Sequence[Nas]:
        return self.nases.get(host, ())

    def authorize(self, requests: Sequence[AccessRequest]) -> Sequence[Answer]:
        self.batches.append(len(requests))
        self.requests += requests
        return [self.answer(request) for request in requests]

    def account(self, records: Sequence[AccountingRecord]) -> Sequence[bool]:
        if self.disk_full:
            return [False] * len(records)
        self.records += records
        return [True] * len(records)

    def ready(self, service: Service) -> bool:
        return self.is_ready

    def _by_password(self, request: AccessRequest) -> Answer:
        if request.credential is not None and request.credential.matches(self.password):
            return Accept(Authorization(session_timeout_seconds=3600), CLASS)
        return Reject("Coba lagi")


def make_nas(
    nas_id: str = "nas",
    *,
    secrets: tuple[bytes, ...] = (SECRET,),
    family: str = "generic",
    identifier: str | None = None,
    require: Demand = Demand.AUTO,
    limit: Demand = Demand.YES,
    exact_address: bool = True,
) -> Nas:
    return Nas(nas_id, secrets, profile_for(family), identifier, require, limit, exact_address)


def make_query(password: str = "rahasia", *, user_name: str = "budi", **more: str) -> AccessQuery:
    attributes = Attributes([("User-Name", user_name)])
    for name, value in more.items():
        attributes.add(name.replace("_", "-"), value)
    return AccessQuery(attributes, PapPassword(password.encode()))


def make_accounting(status: str = "Start", session: str = "s1") -> AccountingQuery:
    return AccountingQuery(Attributes([("Acct-Status-Type", status), ("Acct-Session-Id", session)]))


def make_datagram(query: Query, *, secret: bytes = SECRET, sign: bool = True, chance: bytes = b"c" * 32) -> bytes:
    return ClientEngine(secret, sign=sign).ask(query, now=0.0, chance=chance).datagram


def reveal_key(secret: bytes, authenticator: bytes, whole: bytes) -> bytes:
    """Take a salted key as a router does (RFC 2548 section 2.4.2)."""
    salt, hidden = whole[:2], whole[2:]
    clear, last = b"", authenticator + salt
    for at in range(0, len(hidden), 16):
        stream = md5(secret + last).digest()
        last = hidden[at : at + 16]
        clear += bytes(one ^ other for one, other in zip(last, stream, strict=True))
    return clear[1 : 1 + clear[0]]


def make_arrival(
    service: Service = Service.AUTH, *, source: tuple[str, int] = SOURCE, now: float = NOW, local: int = 0
) -> Arrival:
    return Arrival(source, local, service, now, NOW_AT)
