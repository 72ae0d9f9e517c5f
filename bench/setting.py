"""Who there is, the same for every server: people, phones that come back by themselves, routers, secrets."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.bench.people import mac_of

SECRET: Final = "a-secret-for-measuring-only"  # noqa: S105 it opens nothing but what is made and removed here
MAC_SECRET: Final = "another-for-phones-by-mac"  # noqa: S105 the same
FIRST_STORM_MAC: Final = "02:bf:00:00:00:00"
SESSION_SECONDS: Final = 14_400
IDLE_SECONDS: Final = 600
INTERIM_SECONDS: Final = 300
OCTETS: Final = 10**15  # so that nobody reaches it, however long is measured
_FIRST_ROUTER: Final = (127 << 24) | (10 << 16)


@dataclass(frozen=True, slots=True)
class Setting:
    """How many of each, and the folder in which everything lives."""

    folder: Path
    people: int
    phones: int
    routers: int = 4
    workers: int = 1  # RADIUS processes of Pesisir on one port; FreeRADIUS takes threads as it needs them

    @property
    def secret_file(self) -> Path:
        """Return the file with the RADIUS secret."""
        return self._written("secret", SECRET)

    @property
    def mac_secret_file(self) -> Path:
        """Return the file with the password of MAC authentication."""
        return self._written("mac-secret", MAC_SECRET)

    def accounts(self) -> Iterator[tuple[str, str]]:
        """Yield name and password of each person, as the generator's patterns have them."""
        return ((f"user{number:06}", f"pw{number:06}") for number in range(self.people))

    def macs(self) -> Iterator[str]:
        """Yield the MAC of each phone."""
        return (mac_of(FIRST_STORM_MAC, number) for number in range(self.phones))

    def addresses(self, most: int | None = None) -> list[str]:
        """Return the routers' addresses, or so many of them, evenly spread."""
        count = self.routers if most is None else min(most, self.routers)
        return [_address(number * self.routers // count) for number in range(count)]

    def _written(self, name: str, text: str) -> Path:
        path = self.folder / name
        if not path.exists():
            path.write_text(text + "\n", encoding="ascii")
        return path


def free_ports(count: int) -> list[int]:
    """Return UDP and TCP ports of loopback that are free now."""
    held: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < count:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held += [udp, tcp]
        udp.bind(("127.0.0.1", 0))
        port = int(udp.getsockname()[1])
        try:
            tcp.bind(("127.0.0.1", port))
        except OSError:
            continue
        ports.append(port)
    for one in held:
        one.close()
    return ports


def _address(number: int) -> str:
    return socket.inet_ntoa((_FIRST_ROUTER + number + 1).to_bytes(4))
