"""The RADIUS process: one loop over its sockets, a thread for the journal, one for the feed, one for passwords."""

import gc
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from app import log as logs
from app.config import Settings, written_address
from app.main.beginning import Beginning, begin
from app.main.ends import StartError, stopped_by_signals
from app.main.heartbeat import alive
from app.main.observation import Observation
from app.main.start import bind_failure, keyring_of, node_id, now
from app.main.status import Status, status_listener
from app.metrics import RadiusCollector, registry_of
from app.node.authorization import Authorizer
from app.node.backend import NodeBackend
from app.node.follower import Clock, Follower
from app.node.journal.writer import Journal, JournalBusyError
from app.node.passwords import PasswordChecker
from app.node.replay import replay
from app.node.snapshot import Snapshot
from app.node.stored.keeper import Keeper
from app.node.stored.loading import stored_path
from app.services.keyring import Keyring
from radius.backend import Demand, Service
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from radius.server_engine import ServerEngine

# What is loaded stays: to walk through it every 700 objects is a fifth of the start. Seldom, not never: while the
# database is away there may be attempts for hours.
_LOADED_OBJECTS: Final = 200_000
_USUAL_THRESHOLDS: Final = gc.get_threshold()

log = structlog.get_logger("main")


def run_radius(settings: Settings, worker: int = 0, *, status: bool = True) -> int:
    """Answer RADIUS until SIGTERM and return the exit code; raise StartError."""
    logs.configure(f"radius-{worker}", level=settings.log_level)
    keyring = keyring_of(settings)
    _demand_addresses(settings)
    process = _Process()
    with stopped_by_signals(process.stop):
        beginning = begin(settings, worker, keyring, process.stopping)
        if beginning is None:
            return 0
        _Node(settings, worker, keyring, beginning, process).serve(status=status)
    log.info("radius_stopped")
    return 0


class _Process:
    """What signals and helper threads may call before there is a server, and while there is one."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.server: UdpServer | None = None

    def stop(self) -> None:
        """Stop reading, finish what is decided."""
        self.stopping.set()
        if self.server is not None:
            self.server.stop()

    def wake(self) -> None:
        """Ask again about what is parked."""
        if self.server is not None:
            self.server.wake()


class _Node:
    """The parts of one RADIUS process, put together."""

    def __init__(
        self, settings: Settings, worker: int, keyring: Keyring, beginning: Beginning, process: _Process
    ) -> None:
        self._settings, self._process, self._name = settings, process, f"radius-{worker}"
        node = node_id(settings.data_dir, os.urandom)
        self._journal = _journal(settings, node, worker, process)
        self._snapshot = Snapshot(keyring, settings.time_zone, node, worker)
        clock, stored = Clock(now, time.monotonic), beginning.stored
        if stored is not None:
            self._snapshot.begin(stored.contents)
        self._follower = Follower(
            beginning.open_database,
            self._snapshot,
            clock,
            on_news=process.wake,
            stored=None if stored is None else stored.dated,
        )
        self._keeper = Keeper(
            stored_path(settings.data_dir, worker),
            self._snapshot,
            self._follower,
            self._journal,
            clock,
            chance=os.urandom,
        )
        self._checker = PasswordChecker(keyring, monotonic=time.monotonic, on_done=process.wake)
        self._authorizer = Authorizer(
            self._snapshot,
            self._follower,
            self._checker,
            monotonic=time.monotonic,
            chance=os.urandom,
            max_age_seconds=settings.snapshot_max_age_seconds,
        )
        self._backend = NodeBackend(
            self._snapshot, self._follower, self._journal, self._authorizer, monotonic=time.monotonic
        )

    def serve(self, *, status: bool) -> None:
        """Load, read the own journal again, and answer until stopped."""
        says = Status(self._settings.data_dir, self._ready, self._knowledge)
        try:
            with status_listener(self._settings, says, wanted=status) as at:
                gc.set_threshold(_LOADED_OBJECTS)
                self._follower.start()
                if self._follower.wait_loaded(stopping=self._process.stopping.is_set):
                    self._answer(at)
        finally:
            self._follower.stop()
            self._checker.stop()
            self._journal.close()
            self._keeper.close()

    def _answer(self, at: Mapping[str, Sequence[tuple[str, int]]]) -> None:
        replayed = replay(
            self._journal.directory,
            self._snapshot,
            self._authorizer,
            self._backend.accountant,
            before=self._journal.first_segment,
            now=time.time(),
        )
        self._keeper.start()
        learned = self._snapshot.learned
        settings = self._settings
        engine = ServerEngine(
            self._backend,
            max_attributes=settings.radius_max_attributes,
            learned=learned.known(self._snapshot.nases),
            on_learned=learned.add,
            require_message_authenticator=Demand(settings.require_message_authenticator.value),
            limit_proxy_state=Demand(settings.limit_proxy_state.value),
        )
        learned.on_correction = engine.correct
        observation = Observation(self._name, self._snapshot, engine, self._journal, settings.protections)
        self._backend.accountant.on_report = observation.noticing.note_report
        self._follower.after_read = observation.board.keep
        server = UdpServer(
            self._backend,
            _listens(settings),
            engine=engine,
            observer=observation.hear,
            everything=observation.everything,
            reuse_port=settings.radius_workers > 1,
            patience_seconds=settings.radius_patience_seconds,
        )
        self._process.server = server
        if self._process.stopping.is_set():
            server.stop()
        gc.collect()
        gc.freeze()  # a hundred thousand accounts need not be walked through again and again
        gc.set_threshold(*_USUAL_THRESHOLDS)
        collector = RadiusCollector(
            self._name,
            server=server,
            snapshot=self._snapshot,
            hints_of=observation.hints_of,
            backend=self._backend,
            journal=self._journal,
            follower=self._follower,
            keeper=self._keeper,
            checker=self._checker,
        )
        auths = len(settings.radius_auth_listen)
        listening = {"auth": server.addresses[:auths], "acct": server.addresses[auths:], **at}
        log.info("radius_ready", accounts=len(self._snapshot.accounts), replayed=replayed, **_written(listening))
        with (
            observation.of(server, self._settings.data_dir),
            alive(
                self._settings.data_dir,
                self._name,
                listening,
                registry_of(collector),
                healthy=lambda: self._journal.healthy,
                on_beat=observation.beat,
            ),
        ):
            server.run()

    def _ready(self) -> Mapping[str, bool]:
        return {service.value: self._backend.ready(service) for service in Service}

    def _knowledge(self) -> Mapping[str, object]:
        if not self._snapshot.loaded:
            return {"snapshot": self._snapshot.source}
        return {"snapshot": self._snapshot.source, "snapshot_age_seconds": round(self._follower.age_seconds, 1)}


def _journal(settings: Settings, node: str, worker: int, process: _Process) -> Journal:
    try:
        return Journal(
            settings.data_dir / "journal" / node / str(worker),
            node=node,
            worker=worker,
            monotonic=time.monotonic,
            chance=os.urandom,
            on_late=process.wake,
        )
    except JournalBusyError as error:
        raise StartError(
            f"another RADIUS process writes {error}", "stop it first; one process serves one journal"
        ) from error


def _listens(settings: Settings) -> list[Listen]:
    listens = [Listen(Service.AUTH, *address) for address in settings.radius_auth_listen]
    return listens + [Listen(Service.ACCT, *address) for address in settings.radius_acct_listen]


def _demand_addresses(settings: Settings) -> None:
    """Refuse at once, before anything is loaded, what could not be bound; raise StartError."""
    for setting, addresses in (
        ("PESISIR_RADIUS_AUTH_LISTEN", settings.radius_auth_listen),
        ("PESISIR_RADIUS_ACCT_LISTEN", settings.radius_acct_listen),
    ):
        for address in addresses:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(settings.radius_workers > 1))
                try:
                    trial.bind(address)
                except OSError as error:
                    raise bind_failure(error, address, setting) from error


def _written(listening: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, str]:
    return {service: ",".join(map(written_address, at)) for service, at in listening.items()}
