"""D01: kill -9 of each process and of all, at random moments: whatever was acknowledged is kept, and kept once.

An evening's accounting and phones that tap, log in and use data go on all the while, and stop for nothing but an
answer that does not come.
"""

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from app.db.engine import Database
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from tests.flows.beach import Beach, Visitor
from tests.flows.evenings import Sender, Town, compare, evening, positions
from tests.flows.serving import ALL, HTTP, RADIUS, SUPERVISOR, WORKER, Installation, Serving, free_tcp_port, serving
from tests.node.journals import until

VISITORS: Final = 2
VICTIMS: Final = {RADIUS: 40, WORKER: 30, HTTP: 14, SUPERVISOR: 8, ALL: 8}
"""Who is killed how often, in a hundred. `supervisor` alone takes its processes with it, by the kernel."""


def kill_again_and_again(served: Serving, sender: Sender, chance: random.Random, *, kills: int) -> None:
    """Kill at moments that are random, but with something on its way; mostly after the last death is overcome."""
    for victim in chance.choices(list(VICTIMS), list(VICTIMS.values()), k=kills):
        sender.sending.clear()
        sender.sending.wait(2)
        Event().wait(chance.uniform(0, 0.02))
        before = sender.batches
        served.kill(victim)
        if chance.random() < 0.85:
            sender.wait_for(before + 3)
        Event().wait(chance.uniform(0.1, 0.6))


def check(database: Database, keyring: Keyring, folder: Path, *, kills: int, seed: int, packets: int) -> None:
    town, beach = Town(database, keyring), Beach(database, keyring)
    history = evening(packets)
    town.add_accounts(history)
    portal = free_tcp_port()
    installation = Installation(database, folder / "var", {"PESISIR_HTTP_LISTEN": f"127.0.0.1:{portal}"})
    sender = Sender(town, history, installation.acct_port)
    visitors = [
        Visitor(
            beach,
            number,
            portal=("127.0.0.1", portal),
            auth_port=installation.auth_port,
            acct_port=installation.acct_port,
        )
        for number in range(VISITORS)
    ]
    stop = Event()
    with serving(installation) as served, ThreadPoolExecutor() as threads:
        working = [threads.submit(sender.send_until, stop)]
        working += [threads.submit(one.visit_until, stop) for one in visitors]
        try:
            kill_again_and_again(served, sender, random.Random(seed), kills=kills)
        finally:
            stop.set()
        for one in working:
            one.result()
        until(lambda: journal_status(installation.data_dir, positions(database)).pending == 0, seconds=120)
        served.wait_ready(RADIUS, WORKER, HTTP)
        assert served.stop() == 0, installation.talk()
    compare(town, history)
    beach.kept()
    assert len(beach.promises) > kills / 4
    assert "Traceback" not in installation.talk()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_120_kills_on_sqlite_lose_and_double_nothing(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    check(
        sqlite_database,
        keyring,
        tmp_path,
        kills=120,
        seed=1,
        packets=20_000,
    )


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_80_kills_on_postgresql_lose_and_double_nothing(
    postgresql_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    check(postgresql_database, keyring, tmp_path, kills=80, seed=2, packets=20_000)


@pytest.mark.long
def test_killed_supervisor_leaves_nothing_that_keeps_its_ports(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    installation = Installation(sqlite_database, tmp_path / "var")
    with serving(installation) as served:
        before = {name: served.pid(name) for name in (RADIUS, WORKER, HTTP)}
        served.kill(SUPERVISOR)
        until(lambda: all(served.pid(name) not in (None, pid) for name, pid in before.items()), seconds=60)
        assert served.stop() == 0
    assert "in use" not in installation.talk()


@pytest.mark.long
def test_port_that_is_taken_while_radius_is_dead_ends_nobody_else(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    installation = Installation(sqlite_database, tmp_path / "var")
    with serving(installation) as served:
        before = {name: served.pid(name) for name in (RADIUS, WORKER, HTTP)}
        served.kill(RADIUS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            until(lambda: took(thief, installation.auth_port))
            until(lambda: "is in use" in installation.talk(), seconds=60)
        until(lambda: served.pid(RADIUS) not in (None, before[RADIUS]), seconds=60)
        assert (served.pid(WORKER), served.pid(HTTP)) == (before[WORKER], before[HTTP])
        assert served.stop() == 0


def took(thief: socket.socket, port: int) -> bool:
    try:
        thief.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
