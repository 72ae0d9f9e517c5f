"""The internet: answers on port 80 for every name, phones' connectivity probes among them; /bytes/N is N octets."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PROBES: Final = {"/generate_204": (204, b""), "/hotspot-detect.html": (200, b"<BODY>Success</BODY>")}
BLOCK: Final = b"x" * 65_536


class Answers(BaseHTTPRequestHandler):
    # HTTP/1.0: each fetch opens a connection, so that a browser does not wait on one that the router has cut.

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/bytes/"):
            self._send_octets(int(path.removeprefix("/bytes/")))
            return
        status, body = PROBES.get(path, (200, f"online: {self.headers.get('Host')}{path}\n".encode()))
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_octets(self, count: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        for start in range(0, count, len(BLOCK)):
            self.wfile.write(BLOCK[: count - start])

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 the base class's name
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking DNS for our own name, which would hang here."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "internet", 80


if __name__ == "__main__":
    Server((sys.argv[1], 80), Answers).serve_forever()
