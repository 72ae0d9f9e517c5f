"""The RADIUS process: one loop over its sockets, a thread for the journal, one for the feed, one for passwords."""

import os
import threading
import time
from collections.abc import Callable

import structlog

from app import log as logs
from app.config import Settings
from app.db.engine import Database
from app.main.heartbeat import alive
from app.main.start import StartError, bind_failure, database_of, keyring_of, node_id, now, stopped_by_signals
from app.main.status import Status, status_listener
from app.metrics import RadiusCollector, registry_of
from app.node.authorization import Authorizer
from app.node.backend import NodeBackend
from app.node.follower import Clock, Follower
from app.node.journal.writer import Journal, JournalBusyError
from app.node.passwords import PasswordChecker
from app.node.replay import replay
from app.node.snapshot import Snapshot
from app.services.keyring import Keyring
from radius.backend import Service
from radius.net.server import Listen, UdpServer

log = structlog.get_logger("main")


def run_radius(settings: Settings, worker: int = 0, *, status: bool = True) -> int:
    """Answer RADIUS until SIGTERM and return the exit code; raise StartError."""
    logs.configure(f"radius-{worker}")
    keyring = keyring_of(settings)
    stop = threading.Event()
    with stopped_by_signals(stop.set):
        database = database_of(settings, keyring, stop)
    if database is None:
        return 0
    try:
        return _serve(settings, worker, keyring, database, status=status)
    finally:
        database.close()


class _Bell:
    """Wakes the server, once there is one: its backend is made before it."""

    server: UdpServer | None = None

    def ring(self) -> None:
        if self.server is not None:
            self.server.wake()


def _serve(settings: Settings, worker: int, keyring: Keyring, database: Database, *, status: bool) -> int:
    node = node_id(settings.data_dir, os.urandom)
    try:
        journal = Journal(
            settings.data_dir / "journal" / node / str(worker),
            node=node,
            worker=worker,
            monotonic=time.monotonic,
            chance=os.urandom,
        )
    except JournalBusyError as error:
        raise StartError(
            f"another RADIUS process writes {error}", "stop it first; one process serves one journal"
        ) from error
    bell = _Bell()
    snapshot = Snapshot(keyring, settings.time_zone, node, worker)
    follower = Follower(database, snapshot, Clock(now, time.monotonic), on_news=bell.ring)
    checker = PasswordChecker(keyring, monotonic=time.monotonic, on_done=bell.ring)
    authorizer = Authorizer(
        snapshot,
        follower,
        checker,
        monotonic=time.monotonic,
        chance=os.urandom,
        max_age_seconds=settings.snapshot_max_age_seconds,
    )
    backend = NodeBackend(snapshot, follower, journal, authorizer, monotonic=time.monotonic)
    server = bell.server = _bind(settings, backend)
    stop = threading.Event()
    listening = _listening(settings, server)
    process = f"radius-{worker}"
    registry = registry_of(
        RadiusCollector(process, server=server, backend=backend, journal=journal, follower=follower, checker=checker)
    )
    says = Status(settings.data_dir, lambda: {"auth": backend.ready(Service.AUTH), "acct": backend.ready(Service.ACCT)})
    try:
        with stopped_by_signals(_both(stop.set, server.stop)), status_listener(settings, says, wanted=status) as at:
            follower.start()
            if not follower.wait_loaded(stopping=stop.is_set):
                return 0
            recent = replay(
                journal.directory,
                snapshot,
                authorizer,
                backend.accountant,
                before=journal.first_segment,
                now=time.time(),
            )
            log.info("radius_ready", listening=str(listening), accounts=len(snapshot.accounts), replayed=recent)
            with alive(settings.data_dir, process, {**listening, **at}, registry, healthy=lambda: journal.healthy):
                server.run()
        log.info("radius_stopped")
        return 0
    finally:
        server.close()
        follower.stop()
        checker.stop()
        journal.close()


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


def _bind(settings: Settings, backend: NodeBackend) -> UdpServer:
    for setting, service, addresses in (
        ("PESISIR_RADIUS_AUTH_LISTEN", Service.AUTH, settings.radius_auth_listen),
        ("PESISIR_RADIUS_ACCT_LISTEN", Service.ACCT, settings.radius_acct_listen),
    ):
        for address in addresses:
            try:
                UdpServer(backend, [Listen(service, *address)], reuse_port=settings.radius_workers > 1).close()
            except OSError as error:
                raise bind_failure(error, address, setting) from error
    listens = [Listen(Service.AUTH, *address) for address in settings.radius_auth_listen]
    listens += [Listen(Service.ACCT, *address) for address in settings.radius_acct_listen]
    return UdpServer(backend, listens, reuse_port=settings.radius_workers > 1)


def _listening(settings: Settings, server: UdpServer) -> dict[str, list[tuple[str, int]]]:
    auths = len(settings.radius_auth_listen)
    return {"auth": server.addresses[:auths], "acct": server.addresses[auths:]}
