"""A node that writes its snapshot, and one that begins with it while the database is away."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from app.node.journal.writer import Journal
from app.node.snapshot import Source
from app.node.stored import sealed
from app.node.stored.keeper import CHANGED_SECONDS, DATED_SECONDS, SETTLED_SECONDS, Keeper
from app.node.stored.loading import load_stored, stored_path
from app.node.stored.sealed import StoredError
from app.services import nases, users
from radius.backend import Demand, Service
from radius.codes import StatusType
from radius.messages import Accept, Later, Reject
from tests.factories import MAC
from tests.node.city import MAC_SECRET, SECRET, City, Node, Said, unmerged_by, used_by, worker_of
from tests.node.journals import NODE

WEEK = timedelta(days=7)


@dataclass
class Island:
    """One node that is stopped and started again on the same disk."""

    city: City
    data_dir: Path
    node: Node | None = None

    @property
    def path(self) -> Path:
        return stored_path(self.data_dir, 0)

    def start(self) -> Node:
        return self._start(None)

    def start_alone(self) -> Node:
        """Start while the database is away."""
        return self._start(self.path)

    def stop(self) -> None:
        if self.node is not None:
            self.node.close()
            self.node = None

    def _start(self, stored: Path | None) -> Node:
        self.stop()
        self.node = Node(self.city, self.folder, stored=stored)
        self.node.read_again()
        self.node.keeper.begin()
        return self.node

    @property
    def folder(self) -> Path:
        return self.data_dir / "journal" / NODE / "0"

    def drain(self) -> None:
        worker = worker_of(self.city, self.folder)
        worker.drain()
        worker.close()


@pytest.fixture
def island(city: City, tmp_path: Path) -> Iterator[Island]:
    made = Island(city, tmp_path / "var")
    yield made
    made.stop()


def go_online(node: Node, name: str = "budi", session: str = "81a00001") -> Said:
    accept = node.ask(node.request(name, "rahasia-123", session=session))
    assert isinstance(accept, Accept)
    return {"Acct_Session_Id": session, "Calling_Station_Id": MAC, "User_Name": name, "Class": accept.class_value}


def use(node: Node, said: Said, octets: int, status: StatusType = StatusType.INTERIM_UPDATE) -> None:
    assert node.backend.account([node.report(status, Acct_Output_Octets=octets, **said)]) == [True]


# ---- what a node knows without the database


def test_known_people_and_devices_are_let_in_and_strangers_get_no_answer(city: City, island: Island) -> None:
    budi = city.add_user("budi")
    city.add_grant(MAC, budi)
    island.start().keeper.write()
    node = island.start_alone()
    assert node.snapshot.source is Source.FILE
    city.time.pass_by(10)
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)
    assert isinstance(node.ask(node.request("budi", "salah")), Reject)
    assert isinstance(node.ask(node.request(MAC, MAC_SECRET)), Accept)
    request = node.request("siapa", "rahasia-123")
    assert isinstance(node.ask(request), Later)
    node.follower.failed = city.time.seconds + 0.5  # a try to reach the database that began later and failed
    assert node.ask(request) is None
    assert node.backend.ready(Service.AUTH)


def test_used_ticket_stays_used(city: City, island: Island) -> None:
    account = city.add_user("budi")
    node = island.start()
    node.keeper.write()
    ticket = city.ticket(account)
    first = node.ask(node.request(ticket.name, ticket.password))
    assert isinstance(first, Accept)
    again = island.start_alone()
    assert again.ask(again.request(ticket.name, ticket.password)) == first
    assert isinstance(again.ask(again.request(ticket.name, ticket.password, session="other")), Reject)
    assert isinstance(again.ask(again.request(MAC, MAC_SECRET)), Accept)  # the login's resume grant


def test_usage_is_exact_over_two_starts_alone_and_the_databases_return(city: City, island: Island) -> None:
    account = city.add_user("budi")
    node = island.start()
    said = go_online(node)
    use(node, said, 100_000)
    island.drain()
    node.learn()
    use(node, said, 250_000)
    node.keeper.write()
    use(node, said, 400_000)
    for octets in (400_000, 500_000):
        node = island.start_alone()
        assert used_by(node, account) == octets
        assert node.snapshot.sessions.online(account.id, city.time.at.timestamp() + 3600) == {MAC}
        city.time.pass_by(600)
        use(node, said, octets + 100_000)
        node.keeper.write()
    node.load()
    assert node.snapshot.source is Source.DATABASE
    assert used_by(node, account) == 600_000
    assert node.snapshot.sessions.online(account.id, city.time.at.timestamp() + 3600) == {MAC}
    island.drain()
    node.learn()
    assert used_by(node, account) == 600_000
    assert unmerged_by(node.snapshot.sessions, account.id) == 0


def test_what_the_database_said_while_it_was_written_is_not_in_it(city: City, island: Island) -> None:
    """References are taken at one moment: usage and the part of it that is a session's belong together."""
    account = city.add_user("budi")
    node = island.start()
    said = go_online(node)
    use(node, said, 100_000)
    contents = node.snapshot.contents(node.snapshot.seen)
    island.drain()
    node.learn()
    (octets,) = contents.octets.values()
    assert (octets.down, octets.merged_down) == (100_000, 0)
    assert account.id not in contents.usage


def test_what_a_router_has_shown_is_kept_and_told_the_database_later(city: City, island: Island) -> None:
    node = island.start()
    node.snapshot.learned.add(city.nas.id, Demand.YES)
    node.keeper.write()
    again = island.start_alone()
    assert again.snapshot.learned.known(again.snapshot.nases) == {city.nas.id: Demand.YES}
    again.snapshot.learned.keep(city.database, city.time.at)
    assert [nas.learned_message_authenticator for nas in nases.list_nases(city.database)] == [True]


def test_old_secret_of_a_rotation_ends_while_the_database_is_away(city: City, island: Island) -> None:
    until = city.time.at + timedelta(hours=1)
    nases.set_nas(
        city.database, city.keyring, "gusung-1", now=city.time.at, secret="another-secret", old_secret_until=until
    )
    island.start().keeper.write()
    node = island.start_alone()
    assert list(node.known.wire.secrets) == [b"another-secret", SECRET.encode()]
    city.time.pass_by(3600)
    node.snapshot.tick(city.time.at)
    assert list(node.known.wire.secrets) == [b"another-secret"]


def test_only_what_was_not_in_the_file_is_read_again(city: City, island: Island) -> None:
    city.add_user("budi")
    node = island.start()
    said = go_online(node)
    for n in range(20):
        use(node, said, 1000 * n)
        city.time.pass_by(1)
        node.keeper.look()
    city.time.pass_by(CHANGED_SECONDS)
    node.keeper.look()
    node.keeper.write()
    use(node, said, 30_000)
    city.time.pass_by(3600)
    island.stop()
    for path in (island.data_dir / "journal").glob("*/*/*.segment"):
        os.utime(path, (city.time.at.timestamp() - 3600,) * 2)
    again = Node(city, island.folder, stored=island.path)
    try:
        assert again.read_again() == 1
    finally:
        again.close()


# ---- when it is written


def test_changes_are_written_after_a_minute(city: City, island: Island) -> None:
    node = island.start()
    node.keeper.look()
    assert node.keeper.counters.writes == 1  # there was none yet
    city.add_user("budi")
    node.learn()
    city.time.pass_by(CHANGED_SECONDS - 1)
    node.keeper.look()
    assert node.keeper.counters.writes == 1
    city.time.pass_by(1)
    node.keeper.look()
    assert node.keeper.counters.writes == 2
    assert island.start_alone().snapshot.accounts.id_of("budi") is not None


def test_without_changes_only_the_date_is_kept_right(city: City, island: Island) -> None:
    node = island.start()
    node.keeper.look()
    city.time.pass_by(DATED_SECONDS - 1)
    node.keeper.look()
    assert node.keeper.counters.writes == 1
    node.learn()
    city.time.pass_by(1)
    node.keeper.look()
    assert node.keeper.counters.writes == 2
    found = load_stored(island.path, city.keyring, node=NODE, worker=0, now=city.time.at)
    assert found.dated.written_at == city.time.at
    assert found.dated.age_seconds == pytest.approx(1.01, abs=0.01)
    assert found.dated.as_of == node.follower.as_of


def test_a_start_does_not_write_at_once_what_is_there_already(city: City, island: Island) -> None:
    island.start().keeper.write()
    node = island.start()
    node.keeper.look()
    assert node.keeper.counters.writes == 0


def test_records_count_as_known_only_some_time_after_they_were_stored(city: City, island: Island) -> None:
    city.add_user("budi")
    node = island.start()
    node.keeper.look()
    go_online(node)
    end = node.journal.end
    node.keeper.look()
    city.time.pass_by(SETTLED_SECONDS - 1)
    node.keeper.look()
    node.keeper.write()
    assert load_stored(island.path, city.keyring, node=NODE, worker=0, now=city.time.at).contents.seen < end
    city.time.pass_by(1)
    node.keeper.look()
    node.keeper.write()
    assert load_stored(island.path, city.keyring, node=NODE, worker=0, now=city.time.at).contents.seen == end


def test_a_disk_that_refuses_leaves_the_old_file_and_is_tried_again(city: City, island: Island) -> None:
    node = island.start()
    node.keeper.look()
    before = island.path.read_bytes()
    obstacle = island.path.with_name(f".{island.path.name}.new")
    obstacle.mkdir()
    city.time.pass_by(DATED_SECONDS)
    node.keeper.look()
    assert (node.keeper.counters.writes, node.keeper.counters.failures) == (1, 1)
    assert island.path.read_bytes() == before
    obstacle.rmdir()
    city.time.pass_by(DATED_SECONDS)
    node.keeper.look()
    assert node.keeper.counters.writes == 2


class NearlyFull(Journal):
    """A journal on a disk that has room for only a few more segments."""

    @property
    def space_low(self) -> bool:
        return True


def test_the_last_room_on_the_disk_is_the_journals(city: City, island: Island, tmp_path: Path) -> None:
    node = island.start()
    journal = NearlyFull(tmp_path / "other", node=NODE, worker=1, monotonic=city.time.monotonic, chance=os.urandom)
    keeper = Keeper(island.path, node.snapshot, node.follower, journal, city.clock, chance=os.urandom)
    keeper.look()
    journal.close()
    assert keeper.counters.failures == 1
    assert not island.path.exists()


# ---- how old it may become


def test_too_old_is_silence_and_accounting_goes_on(city: City, island: Island) -> None:
    city.add_user("budi")
    node = island.start()
    said = go_online(node)
    node.keeper.write()
    city.time.pass_by(WEEK.total_seconds() - 60)
    node = island.start_alone()
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)
    city.time.pass_by(120)
    assert node.ask(node.request("budi", "rahasia-123")) is None
    assert node.ask(node.request("siapa", "salah")) is None
    assert node.ask(node.request("02:aa:00:00:00:77", MAC_SECRET, mac="02:aa:00:00:00:77")) is None
    assert not node.backend.ready(Service.AUTH)
    assert node.backend.ready(Service.ACCT)
    use(node, said, 1000)
    node.load()
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)


def test_d09_evenings_without_a_clock_add_up(city: City, island: Island) -> None:
    """A router without a battery for its clock begins every evening in 1970; the snapshot ages by the hours it ran."""
    city.add_user("budi")
    island.start().keeper.write()
    evenings = 0
    while True:
        city.time.at = city.time.at.replace(year=2026, month=1, day=1)
        node = island.start_alone()
        city.time.pass_by(12 * 3600 - 1)
        answer = node.ask(node.request("budi", "rahasia-123"))
        if answer is None:
            break
        assert isinstance(answer, Accept)
        evenings += 1
        node.keeper.write()
    assert evenings == 14


def test_d09_clock_that_is_set_right_after_the_start_tells_how_long_it_lay(city: City, island: Island) -> None:
    city.add_user("budi")
    island.start().keeper.write()
    written_at = city.time.at
    city.time.at = written_at.replace(year=1970)
    node = island.start_alone()
    city.time.pass_by(60)
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)
    city.time.at = written_at + timedelta(days=8)
    assert node.ask(node.request("budi", "rahasia-123")) is None


def test_d09_a_wrong_step_forward_expires_nothing_once_it_is_taken_back(city: City, island: Island) -> None:
    city.add_user("budi")
    island.start().keeper.write()
    node = island.start_alone()
    right = city.time.at
    city.time.at = right + timedelta(days=365)
    assert node.ask(node.request("budi", "rahasia-123")) is None
    city.time.at = right + timedelta(seconds=5)
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)


# ---- files that are not this process's


@pytest.mark.parametrize(("node", "worker"), [("another_node_1234", 0), (NODE, 1)], ids=["node", "worker"])
def test_the_snapshot_of_another_process_is_refused(city: City, island: Island, node: str, worker: int) -> None:
    island.start().keeper.write()
    with pytest.raises(StoredError, match=f"is of process 0 of node {NODE}"):
        load_stored(island.path, city.keyring, node=node, worker=worker, now=city.time.at)


def test_contents_of_a_newer_version_are_refused_by_name(city: City, island: Island) -> None:
    island.start().keeper.write()
    found = sealed.read(island.path, city.keyring)
    sealed.write(island.path, found.label, [*found.parts, b"more"], city.keyring, chance=os.urandom)
    with pytest.raises(StoredError, match="holds what this version does not know"):
        load_stored(island.path, city.keyring, node=NODE, worker=0, now=city.time.at)


def test_a_removed_person_is_gone_from_the_file_with_the_next_writing(city: City, island: Island) -> None:
    city.add_user("budi")
    node = island.start()
    node.keeper.write()
    users.remove_user(city.database, "budi", **city.circumstances)
    node.learn()
    node.keeper.write()
    assert island.start_alone().snapshot.accounts.id_of("budi") is None
