"""Endpoints: many datagrams at a time, from and to the right addresses, and how old they are."""

import socket

import pytest

from radius.net.buffers import receive_buffer
from radius.net.datagrams import BatchEndpoint, Datagram, PlainEndpoint, open_endpoint, waited_seconds
from tests.radius.serving import HOSTS, KINDS, read_late, wait_until


def test_endpoint_is_of_the_kind_asked_for() -> None:
    for plain, kind in ((False, BatchEndpoint), (True, PlainEndpoint)):
        endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
        assert isinstance(endpoint, kind)
        endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
@pytest.mark.parametrize(("host", "asked"), HOSTS)
def test_a4_02_answer_leaves_from_the_address_that_was_asked(host: str, asked: str, plain: bool) -> None:
    endpoint = open_endpoint(host, 0, plain=plain, batch=8)
    with socket.socket(socket.AF_INET6 if ":" in asked else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        for number in range(20):
            asking.sendto(b"%d" % number, (asked, endpoint.address[1]))
        received = drain(endpoint)
        assert [datagram.data for datagram in received] == [b"%d" % number for number in range(20)]
        assert received[0].source == asking.getsockname()[:2] or received[0].source[1] == asking.getsockname()[1]
        assert endpoint.send([(b"re:" + datagram.data, datagram) for datagram in received]) == 20
        for number in range(20):
            data, peer = asking.recvfrom(100)
            assert data == b"re:%d" % number
            assert peer[:2] == (asked, endpoint.address[1])
    endpoint.close()


def drain(endpoint: BatchEndpoint | PlainEndpoint) -> list[Datagram]:
    received: list[Datagram] = []
    while batch := endpoint.receive():
        assert len(batch) <= 8
        received += batch
    return received


@pytest.mark.parametrize("plain", KINDS)
def test_a1_03_datagram_beyond_the_largest_packet_is_seen_to_be_too_long(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x" * 5000, endpoint.address)
        assert len(endpoint.receive()[0].data) == 4097
    endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
def test_age_of_a_datagram_is_known(plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x", endpoint.address)
        read_late(monkeypatch, 1.0)
        assert 0.9 < endpoint.receive()[0].age_seconds < 5
    endpoint.close()


@pytest.mark.parametrize(
    ("arrived_at", "waited"),
    [
        pytest.param(997.0, 3.0, id="three seconds"),
        pytest.param(1001.0, 0.0, id="clock set back"),
        pytest.param(1000.0 - 3600, 0.0, id="clock set forward by an hour"),
        pytest.param(None, 0.0, id="no time stamp"),
    ],
)
def test_clock_that_was_set_makes_no_datagram_old(arrived_at: float | None, waited: float) -> None:
    assert waited_seconds(arrived_at, 1000.0) == waited


@pytest.mark.parametrize("plain", KINDS)
def test_d15_kernel_tells_how_full_a_buffer_is_and_what_it_had_no_room_for(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain, receive_buffer=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _ in range(50):
            asking.sendto(b"x" * 500, endpoint.address)
        full = receive_buffer(endpoint.fileno())
        kept = len(endpoint.receive())
        assert full.dropped == 50 - kept > 0
        assert 500 * kept < full.waiting <= full.size
        assert receive_buffer(endpoint.fileno()) == (0, full.size, full.dropped)
    endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
def test_closed_port_of_a_router_harms_nothing(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x", endpoint.address)
        wait_until(lambda: bool(received := endpoint.receive()) and endpoint.send([(b"y", received[0])]) == 1)
    endpoint.send([])
    assert endpoint.receive() == []
    endpoint.close()


def test_sockets_can_share_a_port() -> None:
    first = open_endpoint("127.0.0.1", 0, reuse_port=True)
    second = open_endpoint("127.0.0.1", first.address[1], reuse_port=True)
    assert first.address == second.address
    first.close()
    second.close()


def test_a5_05_the_kernel_pins_a_router_to_one_of_several_sockets() -> None:
    """So every copy of a request meets the memory that has its answer (socket(7), SO_REUSEPORT)."""
    first = open_endpoint("127.0.0.1", 0, reuse_port=True)
    second = open_endpoint("127.0.0.1", first.address[1], reuse_port=True)
    heard: dict[tuple[str, int], set[int]] = {}
    for _ in range(8):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _ in range(10):
                asking.sendto(b"x", first.address)
            for number, endpoint in enumerate((first, second)):
                for datagram in endpoint.receive():
                    heard.setdefault(datagram.source, set()).add(number)
    assert len(heard) == 8
    assert all(len(sockets) == 1 for sockets in heard.values())
    first.close()
    second.close()
