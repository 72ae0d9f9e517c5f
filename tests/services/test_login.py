"""log_in on both databases: what it leaves behind, and races between two phones or two taps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.db import accounts, devices, resume
from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.changes import feed as feed_table
from app.domain.access import Denial, DenialReason
from app.domain.keys import Chance
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.reports import Decided, Method
from app.domain.vouchers import normalise_code
from app.services import nases, plans, sites, users, vouchers
from app.services.ingest import merge
from app.services.keyring import Keyring
from app.services.login import AccountPassword, FreeTap, LoggedIn, LoginAttempt, VoucherCode, log_in
from app.services.resume import log_out
from app.services.spots import Spot, find_spot, nas_at
from app.services.status import ConnectionState, Status, read_status
from tests.factories import MAC, NOON

OTHER = "02:aa:00:00:00:02"


@pytest.fixture
def spot(database: Database, keyring: Keyring, chance: Chance) -> Spot:
    plans.add_plan(database, "Gratis", now=NOON, chance=chance, daily_octets=500_000_000)
    plans.add_plan(database, "Sehari", now=NOON, chance=chance, validity_seconds=86_400)
    sites.add_site(database, "Gusung", now=NOON, chance=chance, guest_plan="Gratis")
    nases.add_nas(
        database,
        keyring,
        "gusung-1",
        address="10.5.50.0/24",
        family=Family.MIKROTIK,
        site="Gusung",
        now=NOON,
        chance=chance,
    )
    found = find_spot(database, keyring, " gusung-1 ")
    assert found is not None
    return found


ATTEMPT = LoginAttempt(way=FreeTap(), mac=MAC, nonce=bytes(16), terms_accepted=True, remember=False)


def enter(database: Database, keyring: Keyring, spot: Spot, attempt: LoginAttempt, chance: Chance) -> LoggedIn:
    outcome = log_in(database, keyring, spot, attempt, now=NOON, zone=WITA, chance=chance)
    assert isinstance(outcome, LoggedIn)
    return outcome


def let_in(database: Database, spot: Spot, login: LoggedIn, mac: str, chance: Chance) -> None:
    """Let the node accept the ticket."""
    accept = Decided(NOON, spot.nas.id, mac, login.account_id, login.ticket.name, Method.TICKET, accepted=True)
    merge(database, [accept], position=None, origin="", zone=WITA, now=NOON, chance=chance)


def test_guest_is_made_once(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    first = enter(database, keyring, spot, ATTEMPT, chance)
    second = enter(database, keyring, spot, replace(ATTEMPT, nonce=b"1" * 16), chance)
    assert first.account_id == second.account_id
    assert first.ticket != second.ticket


def test_same_form_leads_to_the_same_ticket(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    assert enter(database, keyring, spot, ATTEMPT, chance) == enter(database, keyring, spot, ATTEMPT, chance)


def test_nodes_are_told_in_the_same_transaction(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    outcome = enter(database, keyring, spot, ATTEMPT, chance)
    with database.read() as connection:
        items = [row.items for row in connection.execute(feed_table.select())]
    assert any(outcome.account_id in item and '"account"' in item for item in items)
    assert not any('"resume"' in item for item in items), "nothing has come into force"


def test_device_is_noted(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    outcome = enter(database, keyring, spot, ATTEMPT, chance)
    with database.read() as connection:
        assert [device.mac for device in devices.of_account(connection, outcome.account_id)] == [MAC]


def test_first_login_starts_the_validity(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    users.add_user(database, keyring, "siti", password="laut", now=NOON, chance=chance, plan="Sehari")
    attempt = replace(ATTEMPT, way=AccountPassword("Siti", "laut"))
    outcome = enter(database, keyring, spot, attempt, chance)
    assert outcome.grant.session_seconds == 86_400
    with database.read() as connection:
        account = accounts.by_id(connection, outcome.account_id, now=NOON)
    assert account is not None
    assert account.first_used_at == NOON
    late = log_in(database, keyring, spot, attempt, now=NOON + timedelta(days=1), zone=WITA, chance=chance)
    assert late == Denial(DenialReason.EXPIRED)


def test_refusal_leaves_no_guest_and_no_grant(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    attempt = replace(ATTEMPT, terms_accepted=False)
    outcome = log_in(database, keyring, spot, attempt, now=NOON, zone=WITA, chance=chance)
    assert outcome == Denial(DenialReason.TERMS_NOT_ACCEPTED)
    with database.read() as connection:
        assert connection.execute(accounts_table.select()).all() == []
        assert resume.of_macs(connection, [MAC], now=NOON)[MAC] == []


def test_two_taps_at_once_are_one_guest(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    with ThreadPoolExecutor(8) as pool:
        taps = [pool.submit(enter, database, keyring, spot, ATTEMPT, chance) for _ in range(16)]
        assert len({tap.result().account_id for tap in taps}) == 1


def test_c4_07_two_phones_with_one_code_at_once(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    plans.add_plan(database, "Voucher", now=NOON, chance=chance, total_octets=1_000_000_000)
    batch = vouchers.create_batch(database, keyring, plan="Voucher", count=1, now=NOON, chance=chance)
    code = normalise_code(batch.codes[0])
    assert code is not None

    def tap(number: int) -> LoggedIn | Denial:
        attempt = replace(
            ATTEMPT, way=VoucherCode(code), mac=f"02:aa:00:00:00:{number:02x}", nonce=bytes([number]) * 16
        )
        return log_in(database, keyring, spot, attempt, now=NOON, zone=WITA, chance=chance)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(tap, range(8)))
    winners = [outcome for outcome in outcomes if isinstance(outcome, LoggedIn)]
    assert len(winners) == 1
    assert outcomes.count(Denial(DenialReason.VOUCHER_USED)) == 7


def test_log_out_ends_every_grant_of_the_device(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    outcome = enter(database, keyring, spot, ATTEMPT, chance)
    other = enter(database, keyring, spot, replace(ATTEMPT, mac=OTHER), chance)
    for one, mac in ((outcome, MAC), (other, OTHER)):
        let_in(database, spot, one, mac, chance)
    assert log_out(database, outcome.account_id, MAC, now=NOON, chance=chance) == 0
    with database.read() as connection:
        grants = resume.of_macs(connection, [MAC, OTHER], now=NOON)
    assert grants[MAC] == []
    assert [grant.account_id for grant in grants[OTHER]] == [other.account_id]


def status_of(database: Database, login: LoggedIn) -> Status:
    status = read_status(
        database, account_id=login.account_id, mac=MAC, login=login.nonce, logged_in_at=NOON, now=NOON, zone=WITA
    )
    assert status is not None
    return status


def test_status_of_a_new_login_is_expected(database: Database, keyring: Keyring, spot: Spot, chance: Chance) -> None:
    outcome = enter(database, keyring, spot, ATTEMPT, chance)
    let_in(database, spot, outcome, MAC, chance)
    status = status_of(database, outcome)
    assert status.state is ConnectionState.EXPECTED
    assert status.devices_online == 1


def test_status_says_nothing_before_the_router_has_used_that_ticket(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    forged = enter(database, keyring, spot, ATTEMPT, chance)
    owners = enter(database, keyring, spot, replace(ATTEMPT, nonce=b"1" * 16), chance)
    let_in(database, spot, owners, MAC, chance)
    assert status_of(database, owners).quota is not None
    status = status_of(database, forged)
    assert (status.quota, status.used_today_octets, status.devices_online) == (None, None, None)
    assert not status.carried_out


def test_phone_is_known_by_the_address_of_its_router(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    found = nas_at(database, spot.nas.address[7])
    assert found == spot.nas
    nases.add_nas(
        database,
        keyring,
        "gusung-2",
        address="10.5.50.0/24",
        family=Family.MIKROTIK,
        site="Gusung",
        now=NOON,
        chance=chance,
    )
    assert nas_at(database, spot.nas.address[7]) is None, "two routers share that network"


def test_log_out_ends_a_login_that_no_router_has_carried_out(
    database: Database, keyring: Keyring, spot: Spot, chance: Chance
) -> None:
    outcome = enter(database, keyring, spot, ATTEMPT, chance)
    log_out(database, outcome.account_id, MAC, now=NOON, chance=chance)
    let_in(database, spot, outcome, MAC, chance)
    with database.read() as connection:
        assert resume.of_macs(connection, [MAC], now=NOON)[MAC] == []
