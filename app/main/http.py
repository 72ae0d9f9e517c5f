"""The HTTP process: the portal on its listeners, status and metrics on the admin ones; uvicorn for both."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog
import uvicorn
from prometheus_client import CollectorRegistry

from app import log as logs
from app.config import Settings
from app.db.engine import Database
from app.db.errors import AWAY
from app.main.ends import stopped_by_signals
from app.main.heartbeat import alive
from app.main.start import database_of, keyring_of, now, tcp_sockets
from app.main.status import Status
from app.portal.app import create_app

_PATIENCE_SECONDS: Final = 5

log = structlog.get_logger("main")

Message = MutableMapping[str, Any]  # ASGI's own type
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class _Server(uvicorn.Server):
    """Leaves signals to the process: two servers share it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn."""
        yield


def run_http(settings: Settings) -> int:
    """Serve the web until SIGTERM and return the exit code; raise StartError."""
    logs.configure("http")
    keyring = keyring_of(settings)
    portal = tcp_sockets(settings.http_listen, "PESISIR_HTTP_LISTEN")
    admin = tcp_sockets(settings.admin_listen, "PESISIR_ADMIN_LISTEN")
    stop = threading.Event()
    with stopped_by_signals(stop.set):
        database = database_of(settings, keyring, stop)
    if database is None:
        return 0
    application = create_app(settings, database, keyring, clock=now, chance=os.urandom)
    status = _status_application(Status(settings.data_dir, lambda: {"database": _reachable(database)}))
    listening = {"portal": _where(portal), "admin": _where(admin)}
    try:
        with alive(settings.data_dir, "http", listening, CollectorRegistry(), healthy=lambda: True):
            log.info("http_ready", portal=settings.portal_url, admin=settings.admin_url)
            asyncio.run(_serve(settings, [(application, portal), (status, admin)]))
        log.info("http_stopped")
    finally:
        database.close()
    return 0


async def _serve(settings: Settings, parts: list[tuple[Any, list[socket.socket]]]) -> None:
    servers = [_Server(_config(settings, application)) for application, _ in parts]

    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve(sockets=sockets) for server, (_, sockets) in zip(servers, parts, strict=True)))


def _config(settings: Settings, application: Any) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="auto",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
        timeout_keep_alive=5,
        limit_concurrency=2000,
        h11_max_incomplete_event_size=16_384,
    )


def _status_application(status: Status) -> Application:
    async def application(
        scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        code, kind, body = await asyncio.to_thread(status.answer, str(scope["path"]))
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    return application


def _reachable(database: Database) -> bool:
    try:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1").close()
    except AWAY:
        return False
    return True


def _where(sockets: list[socket.socket]) -> list[tuple[str, int]]:
    return [listener.getsockname()[:2] for listener in sockets]
