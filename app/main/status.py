"""/healthz, /readyz and /metrics: for the processes that serve no web pages, a small server of the standard library."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from app import metrics
from app.config import Settings
from app.main.start import tcp_sockets

_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Status:
    """What a process says about itself. `ready` gives each part's readiness, `more` what else to know beside it."""

    data_dir: Path
    ready: Callable[[], Mapping[str, bool]]
    more: Callable[[], Mapping[str, object]] = dict

    def answer(self, path: str) -> tuple[int, str, str]:
        """Return status code, content type and body for a path."""
        match path.partition("?")[0]:
            case "/healthz":
                return 200, "text/plain; charset=utf-8", "ok\n"
            case "/readyz":
                parts = self.ready()
                return (
                    200 if all(parts.values()) else 503,
                    "application/json",
                    json.dumps({**parts, **self.more()}) + "\n",
                )
            case "/metrics":
                return 200, _METRICS, metrics.joined(self.data_dir)
            case _:
                return 404, "text/plain; charset=utf-8", "not found\n"


@contextmanager
def status_listener(
    settings: Settings, status: Status, *, wanted: bool
) -> Iterator[Mapping[str, list[tuple[str, int]]]]:
    """Serve `PESISIR_STATUS_LISTEN` while the block runs, and give where that is; nothing if not `wanted`."""
    if not wanted:
        yield {}
        return
    servers = []
    for listener in tcp_sockets(settings.status_listen, "PESISIR_STATUS_LISTEN"):
        server = ThreadingHTTPServer(listener.getsockname()[:2], _handler(status), bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        server.daemon_threads = True
        servers.append(server)
    threads = [threading.Thread(target=server.serve_forever, name="status", daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield {"status": [server.socket.getsockname()[:2] for server in servers]}
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(status: Status) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET; says nothing in the log."""

        timeout = 5

        def do_GET(self) -> None:
            code, kind, body = status.answer(self.path)
            data = body.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: a scrape is no event."""

    return Handler
