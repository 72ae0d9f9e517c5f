"""A history over real UDP while the radius process dies again and again: all that was acknowledged is counted once."""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.db.engine import Database
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from tests.conftest import PostgresqlServer
from tests.flows.evenings import Town, compare, evening, positions
from tests.flows.serving import Installation, Router
from tests.histories import Packet
from tests.node.journals import until

AT_ONCE = 200  # of the 256 that one socket of a router may have on their way


def play(town: Town, installation: Installation, history: Sequence[Packet], *, kills: int) -> None:
    """Send the history, each packet until it is acknowledged, and kill the radius process in the middle of it."""
    chance = random.Random(3)
    batches = range(0, len(history), AT_ONCE)
    deadly = set(chance.sample(batches, kills))
    router = Router(installation.acct_port)
    process = installation.start("radius", "0", "--status")
    installation.wait_ready(process, "radius-0")
    try:
        for begin in batches:
            batch = [(town.secret(packet.nas), town.body(packet)) for packet in history[begin : begin + AT_ONCE]]
            if begin in deadly:
                router.send(batch[: chance.randrange(AT_ONCE)])
                process = killed(installation, process)
            router.send(batch)
    finally:
        router.close()
        process.terminate()
        assert process.wait(60) == 0, installation.talk()


def killed(installation: Installation, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    process.kill()
    process.wait()
    return installation.start("radius", "0", "--status")


def check(database: Database, keyring: Keyring, folder: Path, *, packets: int, kills: int) -> None:
    town = Town(database, keyring)
    history = evening(packets)
    town.add_accounts(history)
    installation = Installation(database, folder / "var")
    with installation.running("worker", "--status"):
        play(town, installation, history, kills=kills)
        until(lambda: journal_status(installation.data_dir, positions(database)).pending == 0, seconds=240)
    compare(town, history)


@pytest.mark.parametrize("kills", [2])
def test_radius_process_killed_in_the_middle_of_3_000_packets(
    database: Database, keyring: Keyring, tmp_path: Path, kills: int
) -> None:
    check(database, keyring, tmp_path, packets=3_000, kills=kills)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_radius_process_killed_twenty_times_in_the_middle_of_100_000_packets(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    check(database, keyring, tmp_path, packets=100_000, kills=20)


def test_database_stopped_in_the_middle_stops_no_router(
    postgresql_server: PostgresqlServer, postgresql_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    name = postgresql_database.engine.url.database
    town = Town(postgresql_database, keyring)
    history = evening(1_500)
    town.add_accounts(history)
    installation = Installation(postgresql_database, tmp_path / "var")
    with installation.running("worker", "--status"), installation.running("radius", "0", "--status"):
        router = Router(installation.acct_port)
        for begin in range(0, len(history), AT_ONCE):
            if begin == 5 * AT_ONCE:
                postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
                postgresql_server.execute(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                )
            packets = history[begin : begin + AT_ONCE]
            router.send([(town.secret(packet.nas), town.body(packet)) for packet in packets], patience=20)
        router.close()
        assert journal_status(installation.data_dir, {}).pending >= len(history)
        postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        postgresql_database.engine.dispose()
        until(lambda: journal_status(installation.data_dir, positions(postgresql_database)).pending == 0, seconds=60)
    compare(town, history)
    assert "Traceback" not in installation.talk()
