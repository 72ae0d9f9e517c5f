"""Where the demo listens: the usual ports, or free ones where those are taken; and the settings file that says so."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.simulator.residents import PLACES

Address = tuple[str, int]

_LOOPBACK: Final = "127.0.0.1"
_PORTAL: Final = 8080
_STATUS: Final = 8081
_PHONE: Final = 8090
_RADIUS_AUTH: Final = 1812
_RADIUS_ACCT: Final = 1813
_COA: Final = 3799
# Below those that the kernel gives to clients: between choosing a port and using it seconds go by.
_FREE: Final = range(22_000, 32_000)
_OF_ONE_DEMO: Final = 16


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens; `login` and `coa` are the routers' own, by place.

    `moved` names what is not where it usually is, with the usual port and the one that was taken.
    """

    portal: Address
    status: Address
    phone: Address
    auth: Address
    acct: Address
    login: Mapping[str, int]
    coa: Mapping[str, int]
    moved: Mapping[str, tuple[int, int]]


def router_address(place: str) -> str:
    """Return the loopback address of a place's router."""
    return f"127.20.0.{PLACES.index(place) + 1}"


def choose_ports(*, free: bool) -> Ports:
    """Find ports: the usual ones unless they are taken, or any free ones."""
    moved: dict[str, tuple[int, int]] = {}
    taken: set[tuple[str, int, int]] = set()

    def choose(name: str, kind: socket.SocketKind, host: str, wanted: int) -> int:
        port = wanted
        if free or not _is_free(kind, (host, wanted)):
            port = _any_free(kind, host, taken)
            if not free:
                moved[name] = (wanted, port)
        taken.add((host, port, kind))
        return port

    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return Ports(
        portal=(_LOOPBACK, choose("the portal", tcp, _LOOPBACK, _PORTAL)),
        status=(_LOOPBACK, choose("status and metrics", tcp, _LOOPBACK, _STATUS)),
        phone=(_LOOPBACK, choose("the phone", tcp, _LOOPBACK, _PHONE)),
        auth=(_LOOPBACK, choose("RADIUS authentication", udp, _LOOPBACK, _RADIUS_AUTH)),
        acct=(_LOOPBACK, choose("RADIUS accounting", udp, _LOOPBACK, _RADIUS_ACCT)),
        login={place: choose(f"{place}: log-in", tcp, router_address(place), _PHONE) for place in PLACES},
        coa={place: choose(f"{place}: CoA", udp, router_address(place), _COA) for place in PLACES},
        moved=moved,
    )


def _is_free(kind: socket.SocketKind, address: Address) -> bool:
    with socket.socket(socket.AF_INET, kind) as trial:
        if kind is socket.SOCK_STREAM:  # what a demo left a moment ago (TIME_WAIT) is free; who listens is not
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError:
            return False
    return True


def _any_free(kind: socket.SocketKind, host: str, taken: set[tuple[str, int, int]]) -> int:
    """Find a port from one on that two demos which begin together do not have in common."""
    first = os.getpid() * _OF_ONE_DEMO
    ports = (_FREE[(first + number) % len(_FREE)] for number in range(len(_FREE)))
    return next(port for port in ports if (host, port, kind) not in taken and _is_free(kind, (host, port)))


def write_settings(folder: Path, ports: Ports) -> Path:
    """Write the settings file that every process and command of the demo reads; return its path."""
    values = {
        "data_dir": str(folder),
        "http_listen": _listen(ports.portal),
        "admin_listen": _listen(ports.status),
        "radius_auth_listen": _listen(ports.auth),
        "radius_acct_listen": _listen(ports.acct),
    }
    path = folder / "pesisir.toml"
    path.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()), encoding="utf-8")
    return path


def _listen(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
