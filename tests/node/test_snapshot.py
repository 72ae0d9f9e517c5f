"""What a node knows, on both databases: loaded in one moment, kept fresh by the feed, exact about usage."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.db import accounts, feed
from app.db.feed import FeedKind
from app.db.tables.sessions import sessions
from app.domain.nases import Demand
from app.domain.quotas import Period, Quota
from app.domain.users import Account
from app.node.octets import Place
from app.services import nases, plans, quotas, sites, users
from radius.codes import StatusType
from radius.messages import Accept
from tests.factories import MAC, by_tally, make_account
from tests.node.city import SECRET, City, Node, Said, unmerged_by, used_by, worker_of
from tests.node.journals import NODE

Start = Callable[[City], Node]


def policy_octets(node: Node, account: Account) -> int:
    known = node.snapshot.accounts.get(account.id, node.city.time.at)
    assert known is not None
    return known.policy.quotas[0].quota.amount


def go_online(node: Node, name: str = "budi", session: str = "81a00001") -> Said:
    accept = node.ask(node.request(name, "rahasia-123", session=session))
    assert isinstance(accept, Accept)
    return {"Acct_Session_Id": session, "Calling_Station_Id": MAC, "User_Name": name, "Class": accept.class_value}


def test_everything_is_loaded(both_city: City, start: Start) -> None:
    account = both_city.add_user("budi")
    both_city.add_grant(MAC, account)
    node = start(both_city)
    assert node.snapshot.accounts.id_of("budi") == account.id
    assert node.snapshot.accounts.get(account.id, both_city.time.at) == account
    assert [grant.account_id for grant in node.snapshot.grants[MAC]] == [account.id]
    assert node.known.wire.secrets == (SECRET.encode(),)
    assert node.snapshot.loaded


def test_accounts_without_overrides_share_their_policy(city: City, start: Start) -> None:
    one, other = city.add_user("budi"), city.add_user("siti")
    node = start(city)
    first = node.snapshot.accounts.get(one.id, city.time.at)
    second = node.snapshot.accounts.get(other.id, city.time.at)
    assert first is not None
    assert second is not None
    assert first.policy is second.policy


# D14
def test_every_change_is_followed(both_city: City, start: Start) -> None:
    city = both_city
    account = city.add_user("budi")
    node = start(city)

    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, daily_octets=5_000_000)
    node.learn()
    assert policy_octets(node, account) == 5_000_000

    quotas.change_quotas(
        city.database,
        "budi",
        by_tally(Quota(Period.DAY, 9_000_000)),
        reason="rapat",
        author="admin",
        **city.circumstances,
    )
    node.learn()
    assert policy_octets(node, account) == 9_000_000

    sites.set_site(city.database, "Gusung", now=city.time.at, interim_seconds=120)
    node.learn()
    assert node.known.site.interim_seconds == 120

    nases.set_nas(city.database, city.keyring, "gusung-1", now=city.time.at, require_message_authenticator=Demand.YES)
    node.learn()
    assert node.known.wire.require_message_authenticator.value == "yes"

    city.add_grant(MAC, account)
    node.learn()
    assert MAC in node.snapshot.grants

    users.remove_user(city.database, "budi", **city.circumstances)
    node.learn()
    assert node.snapshot.accounts.get(account.id, city.time.at) is None
    assert node.snapshot.accounts.id_of("budi") is None
    assert node.snapshot.grants.get(MAC, ()) == ()


def test_plan_that_gains_a_validity_counts_it_from_the_first_use(both_city: City, start: Start) -> None:
    city = both_city
    account = city.add_user("budi")
    node, began_at = start(city), city.time.at - timedelta(hours=2)
    with city.database.write() as connection:  # as the worker does, which tells nobody of it
        accounts.note_first_uses(connection, {account.id: began_at})
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, validity_seconds=3_600)
    node.learn()
    found = node.snapshot.accounts.get(account.id, city.time.at)
    assert found is not None
    assert found.ends_at(city.time.at) == began_at + timedelta(hours=1)


def test_override_ends_by_itself(city: City, start: Start) -> None:
    account = city.add_user("budi")
    quotas.change_quotas(
        city.database,
        "budi",
        by_tally(Quota(Period.DAY, 9_000_000)),
        reason="rapat",
        author="admin",
        until=city.time.at + timedelta(hours=2),
        **city.circumstances,
    )
    node = start(city)
    assert policy_octets(node, account) == 9_000_000
    city.time.pass_by(7200)
    assert policy_octets(node, account) == 1_000_000


def test_old_secret_of_a_rotation_ends_by_itself(city: City, start: Start) -> None:
    nases.set_nas(
        city.database,
        city.keyring,
        "gusung-1",
        now=city.time.at,
        secret="a-new-secret-of-gusung",
        old_secret_until=city.time.at + timedelta(hours=1),
    )
    node = start(city)
    assert list(node.known.wire.secrets) == [b"a-new-secret-of-gusung", SECRET.encode()]
    city.time.pass_by(3600)
    node.snapshot.tick(city.time.at)
    assert list(node.known.wire.secrets) == [b"a-new-secret-of-gusung"]


def test_a_gap_in_the_feed_is_a_fresh_load(both_city: City, start: Start) -> None:
    node = start(both_city)
    both_city.add_user("budi")
    with both_city.database.write() as connection:
        feed.prune(connection, before=both_city.time.at + timedelta(days=1))
    node.learn()
    assert node.snapshot.accounts.id_of("budi") is not None
    both_city.add_user("siti")
    node.learn()
    assert node.snapshot.accounts.id_of("siti") is not None


def test_own_usage_is_counted_once_before_and_after_it_is_merged(both_city: City, start: Start) -> None:
    city = both_city
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    total = 0
    worker = worker_of(city, node.folder)
    for octets in (100_000, 250_000, 400_000):
        city.time.pass_by(60)
        total = octets
        record = node.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=octets, Acct_Session_Time=60, **said)
        assert node.backend.account([record]) == [True]
        assert used_by(node, account) == total
        if octets != 250_000:
            worker.drain()
            assert used_by(node, account) == total
            node.learn()
            assert used_by(node, account) == total
            assert unmerged_by(node.snapshot.sessions, account.id) == 0


# D06
def test_two_nodes_that_saw_half_each_agree_once_merged(city: City, start: Start, tmp_path: Path) -> None:
    account = city.add_user("budi")
    node = start(city)
    other = Node(city, node.folder.parent / "1", worker=1)
    try:
        said = go_online(node)
        for octets, one in ((100_000, node), (200_000, other), (300_000, node), (400_000, other)):
            city.time.pass_by(60)
            one.backend.account([one.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=octets, **said)])
        worker = worker_of(city, node.folder)
        worker.drain()
        for one in (node, other):
            one.learn()
            assert used_by(one, account) == 400_000
    finally:
        other.close()


def test_fresh_load_keeps_what_only_the_node_knows(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=100_000, **said)])
    node.snapshot.load(city.database, city.time.at)
    assert used_by(node, account) == 100_000
    assert unmerged_by(node.snapshot.sessions, account.id) == 100_000


def test_fresh_load_keeps_devices_whose_sessions_wait_in_the_journal(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.START, **said)])
    node.snapshot.load(city.database, city.time.at)
    assert node.snapshot.sessions.online(account.id, city.time.at.timestamp() + 3600) == {MAC}
    assert node.snapshot.sessions.acceptance_of(account.id, city.nas.id, MAC, "81a00001") is not None


def test_fresh_load_forgets_a_device_whose_session_the_database_has_closed(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.START, **said)])
    worker_of(city, node.folder).drain()
    node.learn()
    with city.database.write() as connection:
        connection.execute(update(sessions).values(state="closed"))
    node.snapshot.load(city.database, city.time.at)
    assert node.snapshot.sessions.online(account.id, city.time.at.timestamp() + 3600) == set()


def test_usage_of_yesterday_is_not_todays(city: City, start: Start) -> None:
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, total_octets=2**40)
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.STOP, Acct_Output_Octets=100_000, **said)])
    worker_of(city, node.folder).drain()
    node.learn()
    city.time.pass_by(86_400)
    assert (used_by(node, account), used_by(node, account, Period.TOTAL)) == (0, 100_000)


def test_unknown_account_has_used_nothing(city: City, start: Start) -> None:
    node = start(city)
    assert used_by(node, make_account(id="nobodynobodynobo")) == 0


def test_session_closed_by_the_database_holds_no_place(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.START, **said)])
    worker = worker_of(city, node.folder)
    worker.drain()
    node.learn()
    assert node.snapshot.sessions.online(account.id, city.time.at.timestamp()) == {MAC}
    other = Node(city, node.folder.parent / "1", worker=1)
    try:
        assert other.snapshot.sessions.online(account.id, city.time.at.timestamp()) == {MAC}
        city.time.pass_by(60)
        node.backend.account([node.report(StatusType.STOP, **said)])
        worker.drain()
        other.learn()
        assert other.snapshot.sessions.online(account.id, city.time.at.timestamp()) == set()
    finally:
        other.close()


def test_position_of_another_journal_drops_nothing(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = go_online(node)
    node.backend.account([node.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=70_000, **said)])
    with city.database.write() as connection:
        feed.append(connection, now=city.time.at, items={FeedKind.POSITION: [f"{NODE}/7"]})
    node.learn()
    assert unmerged_by(node.snapshot.sessions, account.id) == 70_000
    node.snapshot.sessions.take_position(Place(1, 1 << 40))
    assert unmerged_by(node.snapshot.sessions, account.id) == 0


@pytest.mark.parametrize("count", [1, 1500])
def test_many_changes_at_once(both_city: City, start: Start, count: int) -> None:
    node = start(both_city)
    account = both_city.add_user("budi")
    with both_city.database.write() as connection:
        ids = [account.id, *(f"ghost{n:011d}" for n in range(count))]
        feed.append(connection, now=both_city.time.at, items={FeedKind.ACCOUNT: ids})
    node.learn()
    assert node.snapshot.accounts.id_of("budi") == account.id


def test_what_is_over_is_forgotten_though_nobody_asks(city: City, start: Start) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    node = start(city)
    for n in range(200):
        go_online_as(node, f"02:bb:00:00:00:{n:02x}", session=f"{n}")
        city.time.pass_by(1)
    assert len(node.snapshot.sessions) <= 91
    city.time.pass_by(2 * 86_400)
    node.snapshot.tick(city.time.at)
    assert node.snapshot.grants == {}


def go_online_as(node: Node, mac: str, session: str) -> None:
    assert isinstance(node.ask(node.request("budi", "rahasia-123", mac=mac, session=session)), Accept)
