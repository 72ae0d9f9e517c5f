"""What becomes of a RADIUS server's events: log lines, hints about NASes, and what `pesisir radius trace` shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from app.domain.hints import HintKind
from app.domain.nases import Protections
from app.domain.text import TextError, canonical_username
from app.node.datagram_log import DatagramLog
from app.node.journal.alarm import DiskAlarm
from app.node.journal.writer import Journal
from app.node.notices import NoticeBoard, Noticed
from app.node.noticing import Noticing
from app.node.snapshot import Snapshot
from app.node.trace import Traced, TraceFilter, traced
from app.node.trace_socket import TraceListener, trace_path
from radius.codes import Code
from radius.net.events import Event
from radius.net.server import UdpServer
from radius.server_engine import ServerEngine

log = structlog.get_logger("main")


class Observation:
    """The observer of one RADIUS process."""

    def __init__(
        self, process: str, snapshot: Snapshot, engine: ServerEngine, journal: Journal, protections: Protections
    ) -> None:
        self._process, self._snapshot, self._engine, self._protections = process, snapshot, engine, protections
        self._log = DatagramLog(snapshot.nas_name, monotonic=time.monotonic)
        self._traces: TraceListener | None = None
        self._disk = DiskAlarm(journal)
        self.board = NoticeBoard(snapshot.nas_name, monotonic=time.monotonic)
        self.noticing = Noticing(self.board, lambda: snapshot.nases, monotonic=time.monotonic)

    @property
    def everything(self) -> bool:
        """Tell whether even without a reader all events are wanted."""
        return self._log.everything

    def hear(self, event: Event) -> None:
        """Take an event; called in the server's loop."""
        self._log.hear(event)
        if event.outcome is Code.ACCESS_REJECT:
            self.noticing.note_reject(event)
        if self._traces is not None:
            self._traces.hear(event)

    def beat(self) -> None:
        """Do what is due every few seconds; called in another thread."""
        self._disk.look()
        self._log.flush()
        self.noticing.look(self._engine)

    @contextmanager
    def of(self, server: UdpServer, data_dir: Path) -> Iterator[None]:
        """Let readers in while the block runs; while one is there, the server tells of every datagram."""

        def on_watched(watched: bool) -> None:
            server.everything = watched or self.everything

        try:
            self._traces = TraceListener(trace_path(data_dir, self._process), self._process, self._describe, on_watched)
        except OSError as error:  # a file system without sockets; the node can do without
            log.warning("trace_unavailable", error=str(error))
        try:
            yield
        finally:
            if self._traces is not None:
                self._traces.close()
            self._log.flush(ending=True)

    def _describe(self, event: Event, wanted: TraceFilter) -> Traced | None:
        nas = None if event.nas_id is None else self._snapshot.nas_name(event.nas_id)
        return traced(
            event,
            wanted,
            process=self._process,
            nas=nas,
            class_key=self._snapshot.keyring.class_key,
            account_of=self._account_of,
            hints=[] if event.nas_id is None else self.hints_of(event.nas_id),
        )

    def hints_of(self, nas_id: str) -> list[Noticed]:
        """Return what is to be said of a NAS: what was noticed here, by the worker, or stands in its registration."""
        known = self._snapshot.nases.by_id.get(nas_id)
        found = self.board.of(nas_id)
        if known is not None and not known.accounts:
            found.append(Noticed(HintKind.NO_ACCOUNTING))
        if known is not None and self._protections.applied_to(known.nas).is_unprotected:
            found.append(Noticed(HintKind.UNPROTECTED))
        return found

    def _account_of(self, user: str) -> str | None:
        try:
            return self._snapshot.accounts.id_of(canonical_username(user))
        except TextError:
            return None
