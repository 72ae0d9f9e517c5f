"""The simulated router on the wire, with a small RADIUS server at the far edge."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar, cast
from urllib.parse import urlsplit

import pytest

from app.domain.nases import NasSecrets
from app.nas.handoff import VisitOutcome
from app.nas.mikrotik import read_visit
from app.nas.mikrotik_config import pages
from app.simulator.browser import Browser
from app.simulator.coa import answer_to
from app.simulator.hotspot import NO_ANSWER
from app.simulator.http import Request, parse_fields
from app.simulator.island import Island
from app.simulator.router import Outcome, RouterSettings
from app.simulator.sessions import Cause
from radius.attributes import Attributes
from radius.client_engine import ClientEngine, Timing
from radius.codes import Code
from radius.messages import CoaRequest, DisconnectRequest
from radius.packet import Packet
from radius.signatures import prepared, reveal_password, sign_bare_reply, sign_reply, verify_accounting, verify_message
from tests.factories import make_nas

SECRET = b"testing-123"
PATIENT = Timing(first_seconds=20.0)  # so long no answer takes
FAST = Timing(first_seconds=0.05, longest_seconds=0.05, attempts=3)
AGAIN = Timing(first_seconds=0.5, longest_seconds=20.0)
PORTAL = ("127.0.0.1", 9)  # nobody needs it here
PAGE = "http://127.0.0.1:9/hotspot/gusung-1"
T = TypeVar("T")


@dataclass
class FakeServer(asyncio.DatagramProtocol):
    """Accepts with `accept`, refuses, or says nothing; keeps what it was sent."""

    accept: Attributes | None = field(default_factory=lambda: Attributes([("Class", b"class-1")]))
    deaf_to: int = 0  # how many datagrams are lost first
    access: list[Packet] = field(default_factory=list)
    accounting: list[Packet] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # 3.11's own class does not derive from it

    @property
    def address(self) -> tuple[str, int]:
        assert self.transport is not None
        host, port = self.transport.get_extra_info("sockname")
        return host, port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.deaf_to:
            self.deaf_to -= 1
            return
        packet = Packet.parse(data)
        secret = prepared(SECRET)
        assert self.transport is not None
        if packet.code == Code.ACCOUNTING_REQUEST:
            assert verify_accounting(secret, packet.raw)
            self.accounting.append(packet)
            code, body, sign = Code.ACCOUNTING_RESPONSE, Attributes(), sign_bare_reply
        else:
            assert verify_message(secret, packet.raw, packet.signature_at)
            self.access.append(packet)
            code = Code.ACCESS_REJECT if self.accept is None else Code.ACCESS_ACCEPT
            body, sign = self.accept or Attributes([("Reply-Message", "habis")]), sign_reply
        self.transport.sendto(sign(secret, code, packet.identifier, packet.authenticator, body.to_bytes()), addr)

    def reports(self) -> list[str | None]:
        return [packet.attributes.word("Acct-Status-Type") for packet in self.accounting]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A router, its phone, its server and its clock."""

    island: Island
    server: FakeServer
    clock: Clock
    phone: Browser


def on_an_island(
    scenario: Callable[[Place], Coroutine[object, object, T]],
    *,
    server: FakeServer | None = None,
    chap: bool = True,
    timing: Timing = PATIENT,
) -> T:
    """Run a scenario on an island that has power."""

    async def run() -> T:
        fake = server or FakeServer()
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: fake, local_addr=("127.0.0.1", 0))
        settings = RouterSettings(
            name="gusung-1",
            address="127.20.0.1",
            radius_secret=SECRET,
            mac_secret="mac-secret",
            auth=fake.address,
            acct=fake.address,
            pages=pages(PAGE),
            garden=frozenset((PORTAL,)),
            chap=chap,
            timing=timing,
        )
        clock = Clock()
        island = Island(settings, clock=clock, chance=Random(1).randbytes)
        await island.boot()
        try:
            return await scenario(Place(island, fake, clock, island.phone(1)))
        finally:
            island.cut_power()
            assert fake.transport is not None
            fake.transport.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


def _request(phone: Browser, host: str, path: str, **form: str) -> Request:
    return Request("GET", path, "", host, form, phone.ip)


def _query(url: str) -> dict[str, str]:
    return parse_fields(urlsplit(url).query)


def _secrets() -> NasSecrets:
    return NasSecrets(radius="r", portal="p", mac="m")


def test_known_phone_is_online_by_its_mac_alone() -> None:
    async def scenario(place: Place) -> None:
        assert await place.island.router.appear(place.phone.ip, place.phone.mac) is Outcome.ONLINE
        await place.island.router.drain()
        request = place.server.access[0]
        asked = request.attributes
        assert asked.text("User-Name") == place.phone.mac.upper() == asked.text("Calling-Station-Id")
        hidden = asked.octets("User-Password")
        assert hidden is not None
        assert reveal_password(prepared(SECRET), request.authenticator, hidden) == b"mac-secret"
        assert asked.text("NAS-Identifier") == "gusung-1"
        assert str(asked.address("NAS-IP-Address")) == "127.20.0.1"
        start = place.server.accounting[0].attributes
        assert start.octets("Class") == b"class-1"
        assert start.text("Acct-Session-Id") == asked.text("Acct-Session-Id") == "80100001"

    on_an_island(scenario)


def test_refused_phone_is_sent_to_the_splash_page_with_what_the_family_reads() -> None:
    async def scenario(place: Place) -> None:
        page = await place.phone.hotspot.answer(_request(place.phone, "berita.example", "/pasar?hari=ini"))
        assert page.headers["location"].startswith(f"http://127.20.0.1:{place.island.hotspot.address[1]}/login?dst=")
        own = f"127.20.0.1:{place.island.hotspot.address[1]}"
        splash = await place.phone.hotspot.answer(
            _request(place.phone, own, "/login", dst="http://berita.example/pasar")
        )
        url = splash.headers["location"]
        assert url.startswith(PAGE + "?page=login&")
        visit = read_visit(_query(url), "", make_nas(name="gusung-1", login_address=own), _secrets())
        assert (visit.mac, visit.ip) == (place.phone.mac, place.phone.ip)
        assert visit.continue_url == "http://berita.example/pasar"
        assert "chap-challenge" in visit.state

    on_an_island(scenario, server=FakeServer(accept=None))


@pytest.mark.parametrize("chap", [pytest.param(True, id="CHAP"), pytest.param(False, id="PAP")])
def test_login_carries_the_credential_that_the_page_made(chap: bool) -> None:
    async def scenario(place: Place) -> None:
        own = f"127.20.0.1:{place.island.hotspot.address[1]}"
        place.server.accept = None
        await place.phone.hotspot.answer(_request(place.phone, own, "/login"))
        host = place.island.router.hosts[place.phone.ip]
        place.server.accept = Attributes([("Class", b"c")])
        answer = "ab" * 16 if chap else "rahasia"
        page = await place.phone.hotspot.answer(
            _request(place.phone, own, "/login", username="abc~1", password=answer, dst="http://127.0.0.1:9/status?t=1")
        )
        assert page.headers["location"] == "http://127.0.0.1:9/status?t=1"
        request = place.server.access[-1]
        if chap:
            assert request.attributes.octets("CHAP-Password") == bytes((host.chap_id,)) + bytes.fromhex(answer)
            assert request.attributes.octets("CHAP-Challenge") == host.challenge
        else:
            hidden = request.attributes.octets("User-Password")
            assert hidden is not None
            assert reveal_password(prepared(SECRET), request.authenticator, hidden) == b"rahasia"

    on_an_island(scenario, chap=chap)


def test_refusal_returns_to_the_splash_page_with_the_words_of_radius() -> None:
    async def scenario(place: Place) -> None:
        own = f"127.20.0.1:{place.island.hotspot.address[1]}"
        page = await place.phone.hotspot.answer(_request(place.phone, own, "/login", username="x", password="y"))
        assert _query(page.headers["location"])["error"] == "habis"

    on_an_island(scenario, server=FakeServer(accept=None))


def test_silent_server_is_named_after_the_router_has_asked_again() -> None:
    async def scenario(place: Place) -> None:
        own = f"127.20.0.1:{place.island.hotspot.address[1]}"
        page = await place.phone.hotspot.answer(_request(place.phone, own, "/login", username="x", password="y"))
        assert _query(page.headers["location"])["error"] == NO_ANSWER
        assert place.server.deaf_to == 997

    on_an_island(scenario, server=FakeServer(deaf_to=1_000), timing=FAST)


def test_phone_whose_session_has_just_ended_is_sent_to_the_splash_page() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        assert await router.appear(place.phone.ip, place.phone.mac) is Outcome.ONLINE
        assert router.log_out(place.phone.mac, Cause.USER_REQUEST)
        page = await place.phone.hotspot.answer(_request(place.phone, "berita.example", "/"))
        assert "/login?dst=" in page.headers["location"]

    on_an_island(scenario)


def test_status_page_of_a_router_writes_the_class_of_the_session() -> None:
    async def scenario(place: Place) -> None:
        own = f"127.20.0.1:{place.island.hotspot.address[1]}"
        await place.island.router.appear(place.phone.ip, place.phone.mac)
        page = await place.phone.hotspot.answer(_request(place.phone, own, "/"))
        visit = read_visit(
            _query(page.headers["location"]), "", make_nas(name="gusung-1", login_address=own), _secrets()
        )
        assert (visit.outcome, visit.acceptance_class) == (VisitOutcome.ALREADY, "class-1")

    on_an_island(scenario)


def test_lost_packet_is_sent_again() -> None:
    async def scenario(place: Place) -> None:
        assert await place.island.router.appear(place.phone.ip, place.phone.mac) is Outcome.ONLINE

    on_an_island(scenario, server=FakeServer(deaf_to=1), timing=AGAIN)


def test_two_taps_are_one_session() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        host = router.host(place.phone.ip, place.phone.mac)
        first, second = await asyncio.gather(router.log_in(host, "a", "00"), router.log_in(host, "a", "00"))
        assert first == second
        assert len(place.server.access) == 1

    on_an_island(scenario)


def test_interim_reports_come_as_often_as_radius_says() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        await router.appear(place.phone.ip, place.phone.mac)
        for _ in range(130):
            place.clock.now += 1
            router.carry(place.phone.mac, up_octets=10, down_octets=100, seconds=1)
            router.tick()
        await router.drain()
        assert place.server.reports() == ["Start", "Interim-Update", "Interim-Update"]
        assert place.server.accounting[-1].attributes.integer("Acct-Output-Octets") == 12_000

    on_an_island(scenario, server=FakeServer(accept=Attributes([("Acct-Interim-Interval", 60)])))


def test_quota_is_cut_at_the_octet_and_reported() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        ended: list[Cause] = []
        router.on_end = lambda _, cause: ended.append(cause)
        await router.appear(place.phone.ip, place.phone.mac)
        place.clock.now += 1
        router.carry(place.phone.mac, up_octets=10, down_octets=10_000, seconds=1)
        router.tick()
        await router.drain()
        stop = place.server.accounting[-1].attributes
        assert (stop.word("Acct-Status-Type"), stop.word("Acct-Terminate-Cause")) == ("Stop", "Session-Timeout")
        assert (stop.integer("Acct-Input-Octets"), stop.integer("Acct-Output-Octets")) == (0, 5_000)
        assert ended == [Cause.SESSION_TIMEOUT]

    on_an_island(scenario, server=FakeServer(accept=Attributes([("Mikrotik-Total-Limit", 5_000)])))


def test_phone_out_of_reach_ends_after_the_keepalive_time() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        await router.appear(place.phone.ip, place.phone.mac)
        router.lose(place.phone.ip)
        place.clock.now += 119.9
        router.tick()
        assert router.sessions
        place.clock.now += 0.1
        router.tick()
        await router.drain()
        assert place.server.accounting[-1].attributes.word("Acct-Terminate-Cause") == "Lost-Service"

    on_an_island(scenario)


def test_power_cut_tells_nobody_and_the_next_start_counts_on() -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        await router.appear(place.phone.ip, place.phone.mac)
        await router.drain()
        place.island.cut_power()
        assert await router.appear(place.phone.ip, place.phone.mac) is Outcome.NO_ANSWER
        await place.island.boot()
        await router.appear(place.phone.ip, place.phone.mac)
        await router.drain()
        assert place.server.reports() == ["Start", "Start"]
        assert router.sessions[place.phone.mac].id == "80200001"

    on_an_island(scenario)


IDENTITY = [("User-Name", "02:1A:7F:15:00:02"), ("Framed-IP-Address", "127.21.0.2")]


@pytest.mark.parametrize(
    ("request_", "code", "error"),
    [
        pytest.param(DisconnectRequest(Attributes(IDENTITY)), Code.DISCONNECT_ACK, None, id="disconnect"),
        pytest.param(
            DisconnectRequest(Attributes([("User-Name", "nobody")])),
            Code.DISCONNECT_NAK,
            "Session-Context-Not-Found",
            id="unknown session",
        ),
        pytest.param(
            DisconnectRequest(Attributes([("NAS-Identifier", "gusung-1")])),
            Code.DISCONNECT_NAK,
            "Missing-Attribute",
            id="no session named",
        ),
        pytest.param(
            DisconnectRequest(Attributes([*IDENTITY, ("NAS-IP-Address", "127.20.0.9")])),
            Code.DISCONNECT_NAK,
            "NAS-Identification-Mismatch",
            id="for another router",
        ),
        pytest.param(
            DisconnectRequest(Attributes([*IDENTITY, ("Session-Timeout", 5)])),
            Code.DISCONNECT_NAK,
            "Unsupported-Attribute",
            id="disconnect with a limit",
        ),
        pytest.param(
            CoaRequest(Attributes(IDENTITY), Attributes([("Mikrotik-Rate-Limit", "512000/512000")])),
            Code.COA_ACK,
            None,
            id="new rate",
        ),
        pytest.param(
            CoaRequest(Attributes(IDENTITY), Attributes([("Mikrotik-Total-Limit", 5)])),
            Code.COA_NAK,
            "Unsupported-Attribute",
            id="the total is not changeable",
        ),
        pytest.param(CoaRequest(Attributes(IDENTITY)), Code.COA_NAK, "Missing-Attribute", id="nothing to change"),
    ],
)
def test_changes_are_answered_as_routeros_does(
    request_: CoaRequest | DisconnectRequest, code: Code, error: str | None
) -> None:
    async def scenario(place: Place) -> None:
        router = place.island.router
        await router.appear("127.21.0.2", "02:1a:7f:15:00:02")
        engine = ClientEngine(SECRET)
        asked = engine.ask(request_, now=0.0, chance=bytes(32))
        answer = answer_to(asked.datagram, router, prepared(SECRET))
        assert answer is not None
        reply = engine.receive(answer)
        assert not isinstance(reply, str), reply
        assert reply.code is code
        assert reply.attributes.word("Error-Cause") == error
        session = router.sessions.get("02:1a:7f:15:00:02")
        assert (session is None) is (code is Code.DISCONNECT_ACK)
        if code is Code.COA_ACK:
            assert session is not None
            assert session.limits.down_bps == 512_000

    on_an_island(scenario)


def test_change_with_another_secret_gets_no_answer() -> None:
    async def scenario(place: Place) -> None:
        asked = ClientEngine(b"wrong").ask(DisconnectRequest(Attributes(IDENTITY)), now=0.0, chance=bytes(32))
        assert answer_to(asked.datagram, place.island.router, prepared(SECRET)) is None
        assert answer_to(b"\x28\x01", place.island.router, prepared(SECRET)) is None

    on_an_island(scenario)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"302", id="a request"),
        pytest.param(b"\r\n\r\n", b"400", id="nothing"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400", id="TLS"),
        pytest.param(b"GET http://[/ HTTP/1.1\r\n\r\n", b"400", id="no URL"),
        pytest.param(b"POST /login HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"400", id="a body too long"),
        pytest.param(b"POST /login HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400", id="a length below zero"),
        pytest.param(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"400", id="a head too long"),
        pytest.param(
            b"GET /login?dst=http://x/%0d%0aSet-Cookie:a HTTP/1.1\r\nHost: 127.20.0.1\r\n\r\n",
            b"302",
            id="a split header",
        ),
    ],
)
def test_router_answers_whatever_a_phone_sends(sent: bytes, status: bytes) -> None:
    async def scenario(place: Place) -> None:
        reader, writer = await asyncio.open_connection(*place.island.hotspot.address)
        writer.write(sent)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] == status
        assert b"\r\nSet-Cookie" not in answer.partition(b"\r\n\r\n")[0]

    on_an_island(scenario, server=FakeServer(accept=None))
