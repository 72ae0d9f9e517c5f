"""Real TCP for the lab: a server that gives and takes, and hosts that load, upload and read pages; it runs by itself.

    traffic.py serve                              GET N gives N octets, PUT takes what comes, COUNT says from whom
    traffic.py load V4,V6 SECONDS HOST=KIND ...   KIND: down, up, page, late; down*4 is four connections

`load` prints JSON by host: octets in the last SECONDS but the first two, and how long each page took.
"""

import json
import socket
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from time import monotonic, sleep

PORT = 8000
WARM_UP = 2.0
PAGE_OCTETS = 60_000
PAGE_EVERY = 1.0
CHUNK = 16_384

taken: Counter[str] = Counter()


def serve() -> None:
    with socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256) as listener:
        print("ready", flush=True)
        while True:
            client, (host, *_) = listener.accept()
            threading.Thread(target=answer, args=(client, str(host).removeprefix("::ffff:")), daemon=True).start()


def answer(client: socket.socket, host: str) -> None:
    with client:
        try:
            word, _, number = client.recv(64).decode().strip().partition(" ")
            if word == "COUNT":
                client.sendall(json.dumps(taken).encode())
            elif word == "PUT":
                while octets := client.recv(CHUNK):
                    taken[host] += len(octets)
            else:
                give(client, int(number))
        except OSError:
            return


def give(client: socket.socket, octets: int) -> None:
    while octets > 0:
        octets -= client.send(bytes(min(CHUNK, octets)))


def ask(servers: Sequence[str], host: str | None, words: str) -> socket.socket:
    source = (host, 0) if host else None
    server = servers[":" in (host or "")]
    client = socket.create_connection((server, PORT), timeout=60, source_address=source)
    client.sendall(words.encode())
    return client


class Load:
    def __init__(self, servers: Sequence[str], seconds: float) -> None:
        self.servers = servers
        self.begins_at = monotonic() + WARM_UP
        self.ends_at = self.begins_at + seconds
        self.octets: Counter[str] = Counter()
        self.pages: dict[str, list[float]] = defaultdict(list)

    def down(self, host: str) -> None:
        with ask(self.servers, host, "GET 1000000000000") as client:
            while monotonic() < self.ends_at:
                got = len(client.recv(CHUNK))
                if monotonic() >= self.begins_at:
                    self.octets[host] += got

    def up(self, host: str) -> None:
        with ask(self.servers, host, "PUT") as client:
            sleep(0.05)  # so that what follows is no part of the word
            while monotonic() < self.ends_at:
                client.sendall(bytes(CHUNK))

    def late(self, host: str) -> None:
        """Read one page after all the others have been loading for a while."""
        sleep(self.begins_at + 1 - monotonic())
        self.read(host)

    def page(self, host: str) -> None:
        while monotonic() < self.ends_at - 2:
            self.read(host)
            sleep(PAGE_EVERY)

    def read(self, host: str) -> None:
        began_at = monotonic()
        with ask(self.servers, host, f"GET {PAGE_OCTETS}") as client:
            while client.recv(CHUNK):
                pass
        if began_at >= self.begins_at:
            self.pages[host].append(monotonic() - began_at)


def count(servers: Sequence[str]) -> "Counter[str]":
    with ask(servers, None, "COUNT") as client:
        return Counter(json.loads(b"".join(iter(lambda: client.recv(CHUNK), b""))))


def load(servers: Sequence[str], seconds: float, wishes: list[str]) -> None:
    run = Load(servers, seconds)
    threads = []
    for wish in wishes:
        host, _, kinds = wish.partition("=")
        kind, _, times = kinds.partition("*")
        for _ in range(int(times or 1)):
            threads.append(threading.Thread(target=getattr(run, kind), args=(host,)))
    for thread in threads:
        thread.start()
    if any("=up" in wish for wish in wishes):
        sleep(max(0.0, run.begins_at - monotonic()))
        before = count(servers)
        sleep(max(0.0, run.ends_at - 0.5 - monotonic()))
        run.octets += Counter(
            {host: int(n * seconds / (seconds - 0.5)) for host, n in (count(servers) - before).items()}
        )
    for thread in threads:
        thread.join()
    print(json.dumps({"octets": run.octets, "pages": run.pages}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["load", addresses, duration, *hosts]:
            load(addresses.split(","), float(duration), hosts)
