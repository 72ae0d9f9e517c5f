"""The demo takes the usual ports, or says what it took instead."""

import socket
from contextlib import suppress

from app.cli.demo_ports import choose_ports


def test_taken_port_is_replaced_and_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # where somebody else has it: as good
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        ports = choose_ports(free=False)
    assert ports.portal[1] != 8080
    assert ports.moved["the portal"] == (8080, ports.portal[1])


def test_free_ports_are_all_different_and_nothing_is_said() -> None:
    ports = choose_ports(free=True)
    assert len({ports.portal, ports.status, ports.phone}) == 3
    assert ports.auth != ports.acct
    assert ports.moved == {}


def test_free_ports_are_none_that_a_client_is_given_meanwhile() -> None:
    ports = choose_ports(free=True)
    chosen = [port for _, port in (ports.portal, ports.status, ports.phone, ports.auth, ports.acct)]
    chosen += [*ports.login.values(), *ports.coa.values()]
    assert max(chosen) < 32_768
