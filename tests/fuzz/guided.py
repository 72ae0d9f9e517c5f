"""The same target, guided by coverage: atheris keeps what has reached new code, and goes on from it.

A process of its own (`python -m tests.fuzz.guided FOLDER FINDINGS` and libFuzzer's options), since what is imported
here is rewritten to count. An input is the number of a source, that of a service, and a datagram.
"""

import random
import sys
from itertools import count
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["radius", "app.node", "app.domain", "app.services.ingest", "app.worker"]):
    from radius.backend import Service
    from tests.fuzz.driver import SETTLE_EVERY, Watchdog, timed
    from tests.fuzz.target import Target

_FRESH: Final = 0.2
_SERVICES: Final = list(Service)


class Guided:
    """What libFuzzer calls."""

    def __init__(self, folder: Path, findings: Path) -> None:
        self.target = Target(folder)
        self.watchdog = Watchdog(findings)
        self._numbers = count(1)

    def put(self, octets: bytes) -> None:
        """Put one input through."""
        if len(octets) < 2:
            return
        host = self.target.sources[octets[0] % len(self.target.sources)]
        service, datagram = _SERVICES[octets[1] % len(_SERVICES)], octets[2:]
        timed(self.watchdog, datagram, lambda: self.target.put(service, datagram, host))
        if next(self._numbers) % SETTLE_EVERY == 0:
            self.target.settle()

    def change(self, octets: bytes, longest: int, seed: int) -> bytes:
        """Begin anew, or go on from an input; libFuzzer says from which."""
        chance = random.Random(seed)
        if len(octets) < 22 or chance.random() < _FRESH:
            begun, datagram = self.target.datagram(chance)
            head = bytes((chance.randrange(256), _SERVICES.index(begun.service)))
        else:
            head, datagram = octets[:2], self.target.changed(octets[2:], chance)
        return (head + datagram)[:longest]


def main(folder: str, findings: str, options: list[str]) -> None:
    guided = Guided(Path(folder), Path(findings))
    with guided.watchdog:
        atheris.Setup([sys.argv[0], *options], guided.put, custom_mutator=guided.change)
        atheris.Fuzz()  # ends the process


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
