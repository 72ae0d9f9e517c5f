"""The whole path of a packet: datagram, engine, node, journal, answer; and the journal into the database.

Everything is real but the clock, which stands still until it is moved, and the disk's sync. One NAS of each family.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import MutableMapping
from itertools import count
from pathlib import Path
from typing import Any, Final, assert_never

import structlog

from app.db.engine import open_database
from app.domain.nases import Demand, Family
from app.domain.users import CredentialKind
from app.services import nases, plans, users
from app.services.keyring import Keyring
from app.services.positions import ingest_state
from app.services.schema import upgrade
from radius.backend import Service
from radius.errors import DropReason
from radius.messages import Accept, Challenge, Later, Reject
from radius.server_engine import Answered, Arrival, PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import prepared
from tests.fuzz.corpus import HASHED, MAC_KNOWN, PEOPLE, Seed, seeds
from tests.fuzz.mutation import mutate, rearrange, revalue, sign_again, swell
from tests.fuzz.oracle import check_answer
from tests.node.city import MAC_SECRET, SECRET, City, Node, worker_of
from tests.node.journals import NODE, Disk

_UNKNOWN: Final = "198.51.100.9"
_SECONDS_EACH: Final = 0.5  # of the city's clock for each datagram: a silent session is over after two thousand
_MOST_TRIES: Final = 400
_REAL_WAIT_SECONDS: Final = 0.005


class FindingError(AssertionError):
    """Something that must not be; it stands beside the datagram that it came of."""


class NoSync(Disk):
    """A disk that keeps nothing through a power cut, and so costs nothing."""

    def sync(self, descriptor: int) -> None:
        self.syncs += 1


class Target:
    """One city and its node, from an empty database in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.outcomes: Counter[str] = Counter()
        self._failures: list[str] = []
        structlog.configure(processors=[self._note], cache_logger_on_first_use=False)
        self._secret = prepared(SECRET.encode())
        self._ports = count()
        self._database = open_database(f"sqlite:///{folder / 'pesisir.db'}")
        keyring = Keyring(bytes(range(32)))
        upgrade(self._database, keyring, chance=os.urandom)
        self.city = City(self._database, keyring)
        self.sources = self._add_routers()
        accounts = [self.city.add_user(name, password) for name, password in PEOPLE.items()]
        self._give_room()
        self.city.add_user(*HASHED, CredentialKind.HASHED)
        self.city.add_grant(MAC_KNOWN, accounts[0], days=30)
        self.node = Node(self.city, folder / "journal" / NODE / "0", disk=NoSync())
        self.worker = worker_of(self.city, self.node.folder)
        self.engine = ServerEngine(self.node.backend)
        self.seeds = seeds(MAC_SECRET, lambda: self.city.ticket(accounts[0]))

    def close(self) -> None:
        self.worker.close()
        self.node.close()
        self._database.close()
        structlog.reset_defaults()

    def _add_routers(self) -> list[str]:
        """Add a NAS of each family, one that must sign, and two behind one address."""
        addresses = []
        for number, family in enumerate(Family):
            addresses.append(f"127.0.1.{number + 1}")
            self.city.add_nas(f"nas-{family}", family=family, address=addresses[-1])
        for name, address, options in (
            ("nas-signs", "127.0.2.1", nases.NasOptions(require_message_authenticator=Demand.YES)),
            ("nas-gusung", "127.0.2.2", nases.NasOptions(identifier="gusung-1")),
            ("nas-melahing", "127.0.2.2", nases.NasOptions(identifier="melahing-1")),
        ):
            self.city.add_nas(name, address=address, identifier=options.get("identifier"))
            nases.set_nas(self._database, self.city.keyring, name, now=self.city.time.at, **options)
            addresses.append(address)
        return [*dict.fromkeys(addresses), _UNKNOWN]

    def _give_room(self) -> None:
        """Let two people have more than mutants can report; the third has a megabyte, and is refused once it is gone."""
        plans.add_plan(
            self._database, "Luas", down_bps=10_000_000, up_bps=512_400, monthly_octets=2**52, session_seconds=7200,
            idle_seconds=600, now=self.city.time.at, chance=os.urandom,
        )  # fmt: skip
        for name in ("nemo", "flopsy"):
            users.set_user(self._database, name, plan="Luas", **self.city.circumstances)

    # Making datagrams

    def datagram(self, chance: random.Random) -> tuple[Seed, bytes]:
        """Begin from a seed, change it mostly, and sign it anew mostly."""
        seed = chance.choices(self.seeds, weights=self._weights)[0]
        octets = seed.write(chance, self._secret)
        return seed, octets if chance.random() < 0.15 else self.changed(octets, chance)

    def changed(self, octets: bytes, chance: random.Random) -> bytes:
        """Change a datagram, and sign it anew mostly: else it ends at the signature."""
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change = chance.choices((mutate, rearrange, revalue, swell), weights=(3, 4, 4, 1))[0]
            octets = change(octets, chance)
        return sign_again(octets, self._secret) if chance.random() < 0.85 else octets

    @property
    def _weights(self) -> list[int]:
        return [seed.weight for seed in self.seeds]

    # Putting them through

    def put(self, service: Service, datagram: bytes, host: str) -> str:
        """Put one through to its answer; return what became of it. Raise whatever is wrong."""
        port = 1024 + next(self._ports) % 60_000
        self.city.time.pass_by(_SECONDS_EACH)
        arrival = Arrival((host, port), 0, service, self.city.time.seconds, self.city.time.at.timestamp())
        outcome = self._outcome(self.engine.receive(datagram, arrival), datagram)
        self.outcomes[outcome] += 1
        self._demand_no_failure()
        return outcome

    def settle(self) -> None:
        """Learn what is new and merge the journal, as the threads and processes beside the loop do."""
        self.node.learn()
        self.engine.sweep(self.city.time.seconds)
        # SQLAlchemy keeps some hundreds of compiled statements, which would hide what grows: not what is looked for.
        self._database.engine.clear_compiled_cache()
        self.worker.drain()
        self.worker.turn()
        if self.worker.counters.failures:
            raise FindingError("the worker lost the database")
        state = ingest_state(self._database)
        if state.set_aside:
            raise FindingError(f"records that were acknowledged cannot be merged: {dict(state.set_aside)}")
        self._demand_no_failure()

    def _outcome(self, received: object, datagram: bytes) -> str:
        match received:
            case DropReason():
                return received.value
            case Answered():
                return f"answered_{self._checked(datagram, received.reply)}"
            case PendingAccess():
                return self._decided(received, datagram)
            case PendingAccounting():
                return self._stored(received, datagram)
            case _:
                raise FindingError(f"the engine returned {received!r}")

    def _decided(self, pending: PendingAccess, datagram: bytes) -> str:
        for _ in range(_MOST_TRIES):
            answer = self.node.backend.authorize([pending.request])[0]
            match answer:
                case Later():
                    self._wait()
                case None:
                    self.engine.leave(pending, DropReason.UNDECIDED)
                    return "undecided"
                case Accept() | Reject() | Challenge():
                    return (
                        f"decided_{self._checked(datagram, self.engine.reply(pending, answer, self.city.time.seconds))}"
                    )
                case _:
                    assert_never(answer)
        raise FindingError("a request waits for ever")

    def _stored(self, pending: PendingAccounting, datagram: bytes) -> str:
        for _ in range(_MOST_TRIES):
            stored = self.node.backend.account([pending.record])[0]
            if stored is True:
                return f"stored_{self._checked(datagram, self.engine.acknowledge(pending, self.city.time.seconds))}"
            if stored is False:
                raise FindingError("a record was not stored, though the disk is well")
            self._wait()
        raise FindingError("a record waits for ever")

    def _wait(self) -> None:
        """Let what goes on beside the loop go on: a password is checked, the feed is read."""
        threading.Event().wait(_REAL_WAIT_SECONDS)
        self.node.learn()

    def _checked(self, datagram: bytes, reply: bytes) -> int:
        return check_answer(datagram, reply, (SECRET.encode(),))

    # What was caught on the way, and must not have been

    def _note(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        """Keep what is logged as a failure: an exception that was caught so that the others of a batch do not suffer."""
        if method == "exception" or event.get("exc_info"):
            rendered = structlog.processors.format_exc_info(None, method, dict(event))
            self._failures.append(str(rendered))
        raise structlog.DropEvent

    def _demand_no_failure(self) -> None:
        if self._failures:
            raise FindingError(f"an exception was caught: {self._failures[0]}")
        if self.node.backend.counters.failures:
            raise FindingError("a request or record ended in an exception")
