"""What a measurement asks of a server."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """The sessions that a server has in its database."""

    sessions: int
    closed: int
    up_octets: int
    down_octets: int

    def __sub__(self, other: "Stored") -> "Stored":
        return Stored(
            self.sessions - other.sessions,
            self.closed - other.closed,
            self.up_octets - other.up_octets,
            self.down_octets - other.down_octets,
        )


class Server(Protocol):
    """A RADIUS server of our own on loopback, set up and not yet running."""

    @property
    def name(self) -> str:
        """Return what it is called in the results."""

    @property
    def auth_port(self) -> int:
        """Return the port for Access-Requests."""

    @property
    def acct_port(self) -> int:
        """Return the port for Accounting-Requests."""

    def launch(self) -> None:
        """Start it, and do not wait."""

    def wait_ready(self) -> None:
        """Wait until it answers and its processes are known."""

    def pids(self) -> list[int]:
        """Return the processes that answer RADIUS."""

    def roots(self) -> list[int]:
        """Return the processes that have started all others of it, its database's too."""

    def settled(self) -> bool:
        """Tell whether all that it has acknowledged is in its database."""

    def stored(self) -> Stored | None:
        """Return what is in its database; None if it has none."""

    def stop(self) -> None:
        """End it, and what it has started."""
