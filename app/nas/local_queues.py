"""Moving the queues of a line whose head is this machine; the script of `uplink config` has put them on."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from app.domain.uplinks import Shares, SiteLine, Uplink
from app.nas.linux_queues import HANDLE, HEAD_INTERFACE, STATE, changes_of, read_numbers

_REMEDY: Final = "pesisir-queues start on this machine, with what pesisir uplink config prints"
_PATIENCE_SECONDS: Final = 30


class QueuesError(Exception):
    """Queues could not be changed: why, and what helps."""

    def __init__(self, problem: str, remedy: str = _REMEDY) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def apply(uplink: Uplink, sites: Sequence[SiteLine], shares: Shares, *, state: Path | None = None) -> int:
    """Bring floors and ceilings of the queues here to the shares; return how many queues; raise QueuesError.

    `state` is where the script of queues keeps what it has put on. A site that came after it has no queue yet.
    """
    device = uplink.interface or HEAD_INTERFACE
    numbers = _installed(device, state or Path(STATE) / device)
    lines = changes_of(uplink, sites, shares, device, numbers)
    _tc(["-batch", "-"], "".join(f"{line}\n" for line in lines))
    return len(lines)


def _installed(device: str, state: Path) -> Mapping[str, int]:
    """Return the numbers of the queues that are on, as they were written down; raise QueuesError if that is not so."""
    try:
        numbers = read_numbers((state / "numbers").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise QueuesError(f"{device} has no queues of ours here") from error
    except (OSError, ValueError) as error:
        raise QueuesError(f"{state / 'numbers'} cannot be read: {error}") from error
    shown = _tc(["class", "show", "dev", device]).split()
    missing = [key for key, number in numbers.items() if f"{HANDLE}:{number:x}" not in shown]
    if missing:
        raise QueuesError(f"{device} has no queue for {missing[0]} any more")
    return numbers


def _tc(words: Sequence[str], given: str = "") -> str:
    try:
        done = subprocess.run(  # noqa: S603 words of ours; names of interfaces are checked where they are stored
            ["tc", *words],  # noqa: S607 it is in /sbin or /usr/sbin
            input=given,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QueuesError(f"tc: {error}", "install iproute2, and run this as root") from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line and not line.startswith("Command failed")]
        raise QueuesError(f"tc: {said[-1] if said else done.returncode}", "run this as root, on the head of the line")
    return done.stdout
