"""One question to one server, answered, refused or met with silence: for the command line and for CoA."""

import os
import select
import socket
import time
from dataclasses import dataclass

from radius.client_engine import CHANCE_OCTETS, ClientEngine, Exchange, Query, Reply, Timing
from radius.errors import DropReason
from radius.net.datagrams import SLOT_OCTETS


@dataclass(frozen=True, slots=True)
class Answered:
    """A verified reply, after so many seconds and so many sendings."""

    reply: Reply
    seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Silence:
    """No reply that could be believed. `dropped` says why those that came were not: often a wrong secret."""

    attempts: int
    dropped: tuple[DropReason, ...]


def exchange(
    server: tuple[str, int],
    secret: bytes,
    query: Query,
    *,
    timing: Timing | None = None,
    sign: bool = True,
    require_message_authenticator: bool = False,
    source: str | None = None,
) -> Answered | Silence:
    """Ask a server and wait for its answer, sending again as RFC 5080 section 2.2.1 says.

    `source` is the address of ours to send from. OSError where the network cannot even be tried.
    """
    engine = ClientEngine(secret, timing=timing, sign=sign, require_message_authenticator=require_message_authenticator)
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        if source is not None:
            asking.bind((source, 0))
        asking.connect(server)  # the kernel drops what comes from elsewhere
        began = engine.ask(query, now=time.monotonic(), chance=os.urandom(CHANCE_OCTETS))
        return _wait(asking, engine, began)


def _wait(asking: socket.socket, engine: ClientEngine, began: Exchange) -> Answered | Silence:
    _send(asking, began)
    while True:
        now = time.monotonic()
        again, over = engine.due(now)
        for each in again:
            _send(asking, each)
        if over:
            return Silence(began.attempts, tuple(began.dropped))
        select.select((asking,), (), (), max(0.0, (engine.next_at() or now) - now))
        try:
            reply = engine.receive(asking.recv(SLOT_OCTETS))
        except (BlockingIOError, ConnectionError):  # nothing, or nobody there yet: the next attempt may find it
            continue
        if isinstance(reply, Reply):
            return Answered(reply, time.monotonic() - began.began, began.attempts)


def _send(asking: socket.socket, each: Exchange) -> None:
    try:
        asking.send(each.datagram)
    except (BlockingIOError, ConnectionError):  # as if lost on the way
        return
