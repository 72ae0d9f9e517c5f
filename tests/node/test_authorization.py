"""What each Access-Request is answered, from a real database, with the clocks standing still."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.db import feed, hints, resume
from app.db.feed import FeedKind
from app.domain.acceptances import Acceptance, read_class
from app.domain.access import DenialReason
from app.domain.hints import HintKind
from app.domain.local_time import WITA
from app.domain.nases import MAC_IS_PASSWORD, Family
from app.domain.quotas import Action, Measure, Period, Quota, Tally, Then
from app.domain.reports import Method
from app.domain.resume import ResumeGrant
from app.domain.schedules import Window
from app.domain.users import CredentialKind
from app.node.journal.records import Verdict
from app.node.stored.contents import decode, encode
from app.services import calendars, nases, overrides, passwords, plans, quotas, sites, users, windows
from app.services.overrides import Why
from radius.codes import StatusType
from radius.messages import Accept, Answer, Later, Reject
from tests.factories import MAC
from tests.node.city import MAC_SECRET, City, Node, Said, chap
from tests.node.journals import until

Start = Callable[[City], Node]
OTHER_MAC = "02:aa:00:00:00:02"
UNKNOWN_MAC = Reject(reason="resume_unknown")


def accepted(answer: Answer) -> Accept:
    assert isinstance(answer, Accept)
    return answer


def refused(node: Node, answer: Answer) -> DenialReason:
    assert isinstance(answer, Reject)
    verdict = node.verdicts()[-1]
    assert not verdict.accepted
    return DenialReason(verdict.reason)


# ---- passwords


@pytest.mark.parametrize("name", ["budi", "BUDI", " budi ", "Budi"])
# A3.11
def test_password_by_pap_opens_the_account_however_the_name_is_typed(city: City, start: Start, name: str) -> None:
    account = city.add_user("budi")
    node = start(city)
    accept = accepted(node.ask(node.request(name, "rahasia-123")))
    assert accept.authorization.down_bps == 4_000_000
    assert accept.authorization.total_octets == 1_000_000
    acceptance = read_class(accept.class_value, key=city.keyring.class_key, nas_id=city.nas.id)
    assert acceptance is not None
    assert acceptance.account_id == account.id


def test_encrypted_password_by_chap(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    accepted(node.ask(node.request("budi", chap("rahasia-123"))))
    assert refused(node, node.ask(node.request("budi", chap("salah")))) is DenialReason.WRONG_CREDENTIALS


def test_hashed_password_by_chap_is_a_method_that_is_not_allowed(city: City, start: Start) -> None:
    city.add_user("budi", kind=CredentialKind.HASHED)
    node = start(city)
    answer = node.ask(node.request("budi", chap("rahasia-123")))
    assert refused(node, answer) is DenialReason.METHOD_NOT_ALLOWED


def test_hashed_password_is_checked_beside_the_loop_and_then_remembered(city: City, start: Start) -> None:
    city.add_user("budi", kind=CredentialKind.HASHED)
    node = start(city)
    request = node.request("budi", "rahasia-123")
    assert isinstance(node.ask(request), Later)
    until(lambda: node.checker.counters.checked == 1)
    accepted(node.ask(request))
    accepted(node.ask(node.request("budi", "rahasia-123", session="81a00002")))
    assert node.checker.counters.checked == 1
    city.time.pass_by(86_401)
    node.learn()
    assert isinstance(node.ask(node.request("budi", "rahasia-123", session="81a00003")), Later)


def test_a_changed_password_is_not_remembered(city: City, start: Start) -> None:
    city.add_user("budi", kind=CredentialKind.HASHED)
    node = start(city)
    request = node.request("budi", "rahasia-123")
    node.ask(request)
    until(lambda: node.checker.counters.checked == 1)
    accepted(node.ask(request))
    passwords.set_password(
        city.database,
        city.keyring,
        "budi",
        "baru-456",
        kind=CredentialKind.HASHED,
        now=city.time.at,
        chance=city.chance,
    )
    node.learn()
    request = node.request("budi", "rahasia-123", session="81a00002")
    assert isinstance(node.ask(request), Later)
    until(lambda: node.checker.counters.checked == 2)
    assert refused(node, node.ask(request)) is DenialReason.WRONG_CREDENTIALS


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("budi", "salah", id="wrong password"),
        pytest.param("", "salah", id="no name"),
        pytest.param("bu\x00di", "salah", id="a NUL in the name"),
        pytest.param("x" * 300, "salah", id="a name that is too long"),
    ],
)
# A3.07, A3.09
def test_wrong_passwords_are_refused_slowly_and_do_not_say_why(
    city: City, start: Start, name: str, password: str
) -> None:
    city.add_user("budi")
    node = start(city)
    node.learn()
    city.time.pass_by(-1)
    answer = node.ask(node.request(name, password))
    assert isinstance(answer, Reject)
    assert 0.4 <= answer.delay_seconds <= 0.55
    assert answer.reply_message is None
    assert refused(node, answer) is DenialReason.WRONG_CREDENTIALS


def test_unknown_name_waits_for_one_read_of_the_feed_and_is_refused_then(city: City, start: Start) -> None:
    node = start(city)
    request = node.request("siapa", "apa")
    city.time.pass_by(0.1)
    assert isinstance(node.ask(request), Later)
    node.learn()
    assert refused(node, node.ask(request)) is DenialReason.WRONG_CREDENTIALS


def test_account_made_a_moment_ago_is_let_in(city: City, start: Start) -> None:
    node = start(city)
    city.time.pass_by(0.1)
    city.add_user("baru")
    request = node.request("baru", "rahasia-123")
    assert isinstance(node.ask(request), Later)
    node.learn()
    accepted(node.ask(request))


# D07
def test_without_the_database_an_unknown_name_gets_silence(city: City, start: Start) -> None:
    node = start(city)
    city.time.pass_by(0.1)
    request = node.request("siapa", "apa")
    assert isinstance(node.ask(request), Later)
    city.time.pass_by(0.1)
    node.follower.failed = city.time.seconds
    assert node.ask(request) is None


def test_a_feed_that_never_answers_ends_in_silence(city: City, start: Start) -> None:
    node = start(city)
    city.time.pass_by(0.1)
    request = node.request("siapa", "apa")
    assert isinstance(node.ask(request), Later)
    city.time.pass_by(3.1)
    assert node.ask(request) is None


def test_a_snapshot_that_is_too_old_decides_nothing(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    city.time.pass_by(7 * 86_400 + 1)
    assert node.ask(node.request("budi", "rahasia-123")) is None


def test_no_credential_is_refused(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    assert refused(node, node.ask(node.request("budi", None))) is DenialReason.METHOD_NOT_ALLOWED


# ---- tickets


def test_ticket_opens_its_account_by_pap_and_by_chap(city: City, start: Start) -> None:
    account = city.add_user("budi", password=None)
    node = start(city)
    for way in ("pap", "chap"):
        ticket = city.ticket(account)
        credential = chap(ticket.password) if way == "chap" else ticket.password
        accepted(node.ask(node.request(ticket.name, credential, session=way)))
    assert {verdict.method for verdict in node.verdicts()} == {Method.TICKET}


def test_ticket_bound_to_an_address_where_the_family_repeats_no_mac(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account, mac="10.5.50.17")
    accepted(node.ask(node.request(ticket.name, ticket.password, mac="", Framed_IP_Address="10.5.50.17")))


@pytest.mark.parametrize(
    ("life", "change", "reason"),
    [
        pytest.param(120, {"mac": OTHER_MAC}, DenialReason.TICKET_INVALID, id="another device"),
        pytest.param(120, {"credential": "guessed"}, DenialReason.TICKET_INVALID, id="wrong password"),
        pytest.param(0, {}, DenialReason.TICKET_EXPIRED, id="expires this instant"),
        pytest.param(-1, {}, DenialReason.TICKET_EXPIRED, id="expired"),
    ],
)
def test_ticket_that_does_not_hold_is_refused_at_once(
    city: City, start: Start, life: int, change: dict[str, str], reason: DenialReason
) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account, life=life)
    said = {"credential": ticket.password, "mac": MAC} | change
    answer = node.ask(node.request(ticket.name, said["credential"], mac=said["mac"]))
    assert refused(node, answer) is reason
    assert isinstance(answer, Reject)
    assert answer.delay_seconds == 0


def test_ticket_of_another_nas_is_refused(city: City, start: Start) -> None:
    account = city.add_user("budi")
    other = city.add_nas("gusung-2", address="127.0.0.2")
    node = start(city)
    ticket = city.ticket(account, nas_id=other.id)
    assert refused(node, node.ask(node.request(ticket.name, ticket.password))) is DenialReason.TICKET_INVALID


def test_ticket_asked_again_gets_the_same_verdict_and_class_even_when_it_has_expired(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account)
    first = accepted(node.ask(node.request(ticket.name, ticket.password)))
    city.time.pass_by(121)
    assert node.ask(node.request(ticket.name, ticket.password)) == first
    assert node.authorizer.counters.repeats == 1
    assert len(node.verdicts()) == 1


@pytest.mark.parametrize("session", ["81a00002", ""])
def test_ticket_used_in_another_session_is_refused(city: City, start: Start, session: str) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account)
    accepted(node.ask(node.request(ticket.name, ticket.password)))
    answer = node.ask(node.request(ticket.name, ticket.password, session=session))
    assert refused(node, answer) is DenialReason.TICKET_USED


def test_used_tickets_are_forgotten_some_time_after_they_expire(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    for _ in range(3):
        ticket = city.ticket(account)
        accepted(node.ask(node.request(ticket.name, ticket.password)))
        city.time.pass_by(200)
    assert len(node.authorizer.tickets) == 1


def test_two_servers_give_a_ticket_the_same_class(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account)
    one = accepted(node.ask(node.request(ticket.name, ticket.password)))
    node.authorizer.tickets.__init__()  # type: ignore[misc] # another server has never seen it
    node.snapshot.load(city.database, city.time.at)
    node.snapshot.sessions.__init__(WITA)  # type: ignore[misc] # nor its session
    assert accepted(node.ask(node.request(ticket.name, ticket.password))).class_value == one.class_value


def test_ticket_newer_than_what_the_node_knows_waits_for_one_read(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    city.time.pass_by(0.1)
    quotas.set_quota(
        city.database,
        "budi",
        Quota(Period.DAY, 7_000_000),
        reason="top-up",
        author="test",
        **city.circumstances,
    )
    ticket = city.ticket(account, version=account.version + 1)
    request = node.request(ticket.name, ticket.password)
    assert isinstance(node.ask(request), Later)
    node.learn()
    assert accepted(node.ask(request)).authorization.total_octets == 7_000_000


def test_ticket_of_an_account_that_is_gone_is_refused_after_one_read(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    city.time.pass_by(0.1)
    users.remove_user(city.database, "budi", **city.circumstances)
    node.learn()
    ticket = city.ticket(account)
    city.time.pass_by(0.1)
    request = node.request(ticket.name, ticket.password)
    assert isinstance(node.ask(request), Later)
    node.learn()
    assert refused(node, node.ask(request)) is DenialReason.WRONG_CREDENTIALS


def test_forged_tickets_wait_for_nothing(city: City, start: Start) -> None:
    node = start(city)
    city.time.pass_by(0.1)
    name = "a" * 16 + "~f" + "b" * 7 + "c" * 8 + "d"
    assert refused(node, node.ask(node.request(name, "x"))) is DenialReason.TICKET_INVALID


# ---- MAC addresses


@pytest.mark.parametrize("spelling", ["02:aa:00:00:00:01", "02-AA-00-00-00-01", "02AA00000001", "02aa.0000.0001"])
# A3.10
def test_known_mac_comes_back_without_a_page(city: City, start: Start, spelling: str) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    node = start(city)
    accepted(node.ask(node.request(spelling, MAC_SECRET)))
    accepted(node.ask(node.request(spelling, chap(MAC_SECRET))))
    assert node.verdicts()[0].method is Method.RESUME
    assert node.verdicts()[0].account_id == account.id


@pytest.mark.parametrize(
    ("name", "password", "mac"),
    [
        pytest.param("02:aa:00:00:00:09", MAC_SECRET, "02:aa:00:00:00:09", id="no grant"),
        pytest.param(MAC, "salah", MAC, id="wrong MAC secret"),
        pytest.param(MAC, MAC, MAC, id="the MAC itself, from a family that can be told better"),
        pytest.param(MAC, MAC_SECRET, OTHER_MAC, id="another device's MAC"),
        pytest.param(MAC, None, MAC, id="no credential"),
    ],
)
# A3.10
def test_unknown_mac_is_refused_at_once_without_disk_or_waiting(
    city: City, start: Start, name: str, password: str | None, mac: str
) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(0.1)
    assert node.ask(node.request(name, password, mac=mac)) == UNKNOWN_MAC
    assert node.authorizer.counters.unknown_macs == 1
    assert node.verdicts() == []


# A3.10, D18
def test_a_flood_of_unknown_macs_costs_nobody_anything(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(0.1)
    macs = [f"06:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(5000)]
    before = node.journal.counters.batches
    answers = node.backend.authorize([node.request(mac, MAC_SECRET, mac=mac) for mac in macs])
    assert answers == [UNKNOWN_MAC] * 5000
    assert node.journal.counters.batches == before
    assert node.follower.reads == 0
    accepted(node.ask(node.request(MAC, MAC_SECRET)))


# A3.10
@pytest.mark.parametrize("family", sorted(MAC_IS_PASSWORD))
def test_mac_is_its_own_password_where_the_family_sends_it(city: City, start: Start, family: Family) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    exact = city.add_nas("wifi-1", family=family, address="127.0.0.9")
    wide = city.add_nas("wifi-2", family=family, address="127.1.0.0/16")
    node = start(city)
    for name, password in (
        ("02-AA-00-00-00-01", "02-AA-00-00-00-01"),
        ("02-AA-00-00-00-01", "02aa00000001"),
        ("02:aa:00:00:00:01", chap("02:aa:00:00:00:01")),
    ):
        accepted(node.ask(node.request(name, password, nas_id=exact.id)))
        assert node.ask(node.request(name, password, nas_id=wide.id)) == UNKNOWN_MAC
    assert node.ask(node.request("02-AA-00-00-00-01", OTHER_MAC, nas_id=exact.id)) == UNKNOWN_MAC


# A3.10
@pytest.mark.parametrize("family", [Family.MIKROTIK, Family.UNIFI])
def test_mac_opens_nothing_through_a_nas_that_is_not_allowed_it(city: City, start: Start, family: Family) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    nas = city.add_nas("router-2", family=family, address="127.0.0.9")
    nases.set_nas(city.database, city.keyring, "router-2", now=city.time.at, mac_login=False)
    node = start(city)
    for password in (MAC_SECRET, MAC):
        assert node.ask(node.request(MAC, password, nas_id=nas.id)) == UNKNOWN_MAC
    nases.set_nas(city.database, city.keyring, "router-2", now=city.time.at, mac_login=True)
    node.learn()
    accepted(node.ask(node.request(MAC, MAC_SECRET, nas_id=nas.id)))


def test_phone_number_as_user_name_is_no_mac(city: City, start: Start) -> None:
    city.add_user("081234567890")
    node = start(city)
    accepted(node.ask(node.request("081234567890", "rahasia-123")))


def test_ended_grant_is_none(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(86_400)
    node.learn()
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC


def test_device_comes_back_a_second_after_its_ticket(city: City, start: Start) -> None:
    account, other = city.add_user("budi"), city.add_user("siti")
    city.add_grant(MAC, other)
    node = start(city)
    ticket = city.ticket(account)
    assert isinstance(node.ask(node.request(ticket.name, ticket.password, mac=OTHER_MAC)), Reject)
    accepted(node.ask(node.request(MAC, MAC_SECRET)))
    assert node.verdicts()[-1].account_id == other.id
    accepted(node.ask(node.request(ticket.name, ticket.password)))
    accepted(node.ask(node.request(MAC, MAC_SECRET)))
    assert node.verdicts()[-1].account_id == account.id


def test_login_that_no_router_carried_out_lets_nobody_in(city: City, start: Start) -> None:
    account = city.add_user("budi")
    grant = ResumeGrant(MAC, account.id, None, city.time.at + timedelta(hours=1))
    with city.database.write() as connection:
        resume.keep(connection, "grant1", grant, now=city.time.at, awaits="nonce222")
    node = start(city)
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC
    with city.database.write() as connection:
        feed.append(connection, now=city.time.at, items={FeedKind.RESUME: [MAC]})
    node.learn()
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC


def test_grant_of_another_site_is_none(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    other = city.add_nas("melahing-1", address="127.0.0.3", site="Melahing")
    node = start(city)
    assert node.ask(node.request(MAC, MAC_SECRET, nas_id=other.id)) == UNKNOWN_MAC


# ---- what the decision sees


def test_suspended_account_is_refused(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    users.suspend_user(city.database, "budi", suspended=True, **city.circumstances)
    node.learn()
    assert refused(node, node.ask(node.request("budi", "rahasia-123"))) is DenialReason.SUSPENDED


def test_octets_reported_here_count_before_they_are_merged(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    used: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": accept.class_value}
    record = node.report(StatusType.INTERIM_UPDATE, Acct_Input_Octets=300_000, Acct_Output_Octets=100_000, **used)
    assert node.backend.account([record]) == [True]
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.total_octets == 600_000
    record = node.report(StatusType.STOP, Acct_Input_Octets=600_000, Acct_Output_Octets=400_000, **used)
    assert node.backend.account([record]) == [True]
    answer = node.ask(node.request("budi", "rahasia-123", session="81a00002"))
    assert refused(node, answer) is DenialReason.QUOTA_EXHAUSTED


# A6.18
def test_remaining_octets_are_divided_among_open_devices(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.total_octets == 1_000_000
    second = node.ask(node.request("budi", "rahasia-123", mac=OTHER_MAC, session="81a00002"))
    assert accepted(second).authorization.total_octets == 500_000


# A6.17
def test_device_limit_counts_devices_that_are_about_to_be_online_for_90_seconds(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accepted(node.ask(node.request("budi", "rahasia-123")))
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    accepted(node.ask(node.request("budi", "rahasia-123", session="81a00003")))  # the same device again
    city.time.pass_by(89.9)
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    city.time.pass_by(0.1)
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


def test_session_that_has_stopped_holds_no_place(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": accept.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    city.time.pass_by(3600)
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    node.backend.account([node.report(StatusType.STOP, **said)])
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


def test_restart_of_the_nas_empties_it(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123", NAS_Identifier="gusung-1")))
    said: Said = {"NAS_Identifier": "gusung-1", "Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC}
    node.backend.account([node.report(StatusType.START, Class=accept.class_value, **said)])
    city.time.pass_by(600)
    node.backend.account([node.report(StatusType.ACCOUNTING_ON, NAS_Identifier="another")])
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    node.backend.account([node.report(StatusType.ACCOUNTING_ON, NAS_Identifier="gusung-1")])
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


# A6.04
def test_reauthentication_of_an_open_session_repeats_its_class_and_interim(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    first = accepted(node.ask(node.request("budi", "rahasia-123")))
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": first.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    city.time.pass_by(3600)
    again = accepted(node.ask(node.request("budi", "rahasia-123")))
    assert again.class_value == first.class_value
    assert again.authorization.interim_seconds == first.authorization.interim_seconds
    other = accepted(node.ask(node.request("budi", "rahasia-123", session="81a00002")))
    assert other.class_value != first.class_value


# A6.17
def test_mac_that_logs_in_with_another_account_frees_the_first(city: City, start: Start) -> None:
    city.add_user("budi")
    city.add_user("siti")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accepted(node.ask(node.request("budi", "rahasia-123")))
    accepted(node.ask(node.request("siti", "rahasia-123", session="81a00002")))
    accepted(node.ask(node.request("budi", "rahasia-123", mac=OTHER_MAC, session="81a00003")))


# A4.08
def test_interim_interval_is_jittered_and_never_below_a_minute(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, interim_seconds=300)
    node = start(city)
    seen = {
        accepted(node.ask(node.request("budi", "rahasia-123", session=f"{n}"))).authorization.interim_seconds
        for n in range(60)
    }
    assert len(seen) > 10
    assert min(s for s in seen if s is not None) >= 270
    assert max(s for s in seen if s is not None) <= 330
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, interim_seconds=None)
    node.learn()
    assert all(
        (accepted(node.ask(node.request("budi", "rahasia-123", session=f"x{n}"))).authorization.interim_seconds or 0)
        >= 60
        for n in range(30)
    )


def test_family_that_accounts_by_the_accepts_name_is_told_the_account(city: City, start: Start) -> None:
    account = city.add_user("budi")
    hostapd = city.add_nas("hostapd-1", family=Family.HOSTAPD, address="127.0.0.7")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123", nas_id=hostapd.id)))
    assert accept.user_name in (account.id, None)
    assert (accept.user_name is not None) == node.snapshot.nases.by_id[hostapd.id].profile.accounts_by_accept_name


def test_verdict_says_who_where_what_and_which_limits(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    acceptance = read_class(accept.class_value, key=city.keyring.class_key, nas_id=city.nas.id)
    assert isinstance(acceptance, Acceptance)
    (verdict,) = node.verdicts()
    assert verdict == Verdict(
        at=city.time.at.timestamp(),
        nas_id=city.nas.id,
        method=Method.PASSWORD,
        accepted=True,
        reason="",
        mac=MAC,
        account_id=account.id,
        acceptance_id=acceptance.id,
        acct_session_id="81a00001",
        user_name="budi",
        limits=verdict.limits,
    )
    assert (verdict.limits.down_bps, verdict.limits.octets) == (4_000_000, 1_000_000)


def test_accept_carries_bursts_vlan_filter_and_address_list_and_so_does_its_verdict(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(
        city.database,
        "Warga",
        now=city.time.at,
        chance=city.chance,
        down_burst_bps=8_000_000,
        up_burst_bps=6_000_000,
        burst_seconds=8,
        vlan=20,
        filter_id="warga",
        address_list="pulau",
    )
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.down_burst_bps, told.up_burst_bps, told.burst_seconds) == (8_000_000, 6_000_000, 8)
    assert (told.vlan, told.filter_id, told.address_list) == (20, "warga", "pulau")
    attributes = node.known.profile.attributes(told)
    assert attributes.text("Mikrotik-Rate-Limit") == "2000000/4000000 6000000/8000000 2000000/4000000 8/8"
    (verdict,) = node.verdicts()
    assert verdict.limits[6:12] == (8_000_000, 6_000_000, 8, 20, "warga", "pulau")


def test_site_and_own_values_decide_what_is_granted_and_end_by_the_clock(city: City, start: Start) -> None:
    city.add_user("budi")
    other_site = sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    melahing = city.add_nas("melahing-1", address="127.0.0.2", site=other_site.name)
    node = start(city)

    def rate(nas_id: str) -> int | None:
        return accepted(node.ask(node.request("budi", "rahasia-123", nas_id=nas_id))).authorization.down_bps

    why = Why("satelit penuh", "admin", city.time.at + timedelta(hours=1))
    overrides.set_at_site(city.database, "Gusung", {"down_bps": 1_000_000}, why, plan=None, **city.circumstances)
    node.learn()
    assert (rate(city.nas.id), rate(melahing.id)) == (1_000_000, 4_000_000)
    own = Why("ujian", "admin", city.time.at + timedelta(minutes=1))
    overrides.set_own(city.database, "budi", {"down_bps": 8_000_000}, own, **city.circumstances)
    node.learn()
    assert (rate(city.nas.id), rate(melahing.id)) == (8_000_000, 8_000_000)
    city.time.pass_by(60)
    assert (rate(city.nas.id), rate(melahing.id)) == (1_000_000, 4_000_000)
    city.time.pass_by(3_600)
    assert (rate(city.nas.id), rate(melahing.id)) == (4_000_000, 4_000_000)


def test_hours_decide_by_the_clock_alone(city: City, start: Start) -> None:
    city.add_user("budi")
    busy = Window("ramai", tuple(range(7)), 13 * 60, 14 * 60, rates=(("down_bps", 1_000_000),))
    closed = Window("tutup", tuple(range(7)), 14 * 60, 15 * 60, closed=True)
    for window in (busy, closed):
        windows.set_plan_window(city.database, "Warga", window, **city.circumstances)
    node = start(city)

    def ask() -> Answer:
        return node.ask(node.request("budi", "rahasia-123"))

    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (4_000_000, 2 * 3_600)
    city.time.pass_by(3_599)
    assert accepted(ask()).authorization.down_bps == 4_000_000
    city.time.pass_by(1)
    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (1_000_000, 3_600)
    city.time.pass_by(3_600)
    assert refused(node, ask()) is DenialReason.CLOSED
    city.time.pass_by(3_600)
    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (4_000_000, 23 * 3_600)
    city.time.at -= timedelta(hours=1)  # a clock that is set back
    assert refused(node, ask()) is DenialReason.CLOSED


def test_snapshot_of_the_disk_knows_the_hours(city: City, start: Start) -> None:
    city.add_user("budi")
    closed = Window("tutup", tuple(range(7)), 14 * 60, 15 * 60, closed=True, not_on="libur")
    calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261125\nEND:VEVENT\nEND:VCALENDAR"
    calendars.import_calendar(city.database, "libur", calendar, **city.circumstances)
    windows.set_plan_window(city.database, "Warga", closed, **city.circumstances)
    before = start(city)
    stored = decode(list(encode(before.snapshot.contents(before.snapshot.seen))), now=city.time.at)
    for hours, is_closed in ((2, True), (26, False), (50, True)):
        now = city.time.at + timedelta(hours=hours)
        account_id = stored.accounts.id_of("budi")
        assert account_id is not None
        account = stored.accounts.get(account_id, now)
        assert account is not None
        assert (account.policy.phase.closed is not None) == is_closed


# A6.18
def test_account_that_ends_soon_gets_what_is_left(city: City, start: Start) -> None:
    city.add_user("budi")
    ends_at = city.time.at + timedelta(seconds=600)
    users.set_user(city.database, "budi", valid_until=ends_at, **city.circumstances)
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.session_timeout_seconds == 600


def test_one_bad_request_spoils_no_other(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    good = node.request("budi", "rahasia-123")
    removed = node.request("budi", "rahasia-123", nas_id="nosuchnasnosuchn")
    hostile = node.request("~" * 60, "x")
    answers = node.backend.authorize([removed, hostile, good])
    assert answers[0] is None
    assert isinstance(answers[2], Accept)


@pytest.mark.parametrize(
    ("of_plan", "granted"),
    [
        pytest.param(None, 600, id="no limit"),
        pytest.param(3600, 600, id="a longer one"),
        pytest.param(60, 60, id="a shorter one"),
    ],
)
def test_a6_21_session_of_a_nas_that_does_not_account_is_short(
    city: City, start: Start, of_plan: int | None, granted: int
) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, session_seconds=of_plan, now=city.time.at)
    with city.database.write() as connection:
        hints.add(connection, [hints.Notice(city.nas.id, HintKind.NO_ACCOUNTING, "5 5", 1)], now=city.time.at)
    node = start(city)
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    assert accept.authorization.session_timeout_seconds == granted


# ---- Chargeable-User-Identity


@pytest.mark.parametrize("asked", [pytest.param(b"", id="empty"), pytest.param(b"\0", id="NUL"), b"an-older-one"])
def test_a6_19_whoever_asks_for_an_identity_gets_one_that_says_nothing(city: City, start: Start, asked: bytes) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = accepted(node.ask(node.request("budi", "rahasia-123", Chargeable_User_Identity=asked))).chargeable_identity
    again = node.request("budi", "rahasia-123", session="81a00002", Chargeable_User_Identity=asked)
    assert accepted(node.ask(again)).chargeable_identity == said
    assert said is not None
    assert len(said) == 24
    assert b"budi" not in said
    assert account.id.encode() not in said


def test_a6_19_another_site_and_another_person_have_another_identity(city: City, start: Start) -> None:
    sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    melahing = city.add_nas("melahing-1", address="127.0.0.2", site="Melahing")
    for name in ("budi", "siti"):
        city.add_user(name)
    node = start(city)
    found = {
        accepted(
            node.ask(node.request(name, "rahasia-123", session=nas_id, nas_id=nas_id, Chargeable_User_Identity=b""))
        ).chargeable_identity
        for name in ("budi", "siti")
        for nas_id in (city.nas.id, melahing.id)
    }
    assert len(found) == 4


def test_a6_19_whoever_does_not_ask_gets_none(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).chargeable_identity is None


@pytest.mark.parametrize(
    ("deaf", "octets"), [(False, None), (True, 500_000)], ids=["a router that is told", "one that cannot be"]
)
def test_router_that_cannot_be_told_gets_the_octets_until_the_next_step(
    city: City, start: Start, deaf: bool, octets: int | None
) -> None:
    step = Quota(Period.DAY, 500_000, then=Then(Action.THROTTLE, 256_000, 128_000))
    plans.set_plan(city.database, "Warga", quotas={step.tally: (step,)}, now=city.time.at, chance=city.chance)
    city.add_user("budi")
    if deaf:
        with city.database.write() as connection:
            notice = hints.Notice(city.nas.id, HintKind.COA_SILENT, "", 1)
            hints.add(connection, [notice], now=city.time.at)
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.total_octets, told.down_bps) == (octets, 4_000_000)


def test_quotas_of_one_direction_and_of_time_reach_the_router(city: City, start: Start) -> None:
    own = (Quota(Period.WEEK, 300_000, Measure.DOWN), Quota(Period.WEEK, 100_000, Measure.UP))
    city.add_user("budi")
    quotas.set_quota(
        city.database, "budi", *own, Quota(Period.DAY, 1_800, Measure.TIME),
        reason="rapat", author="admin", **city.circumstances,
    )  # fmt: skip
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.total_octets, told.down_octets, told.up_octets) == (1_000_000, 300_000, 100_000)
    assert told.session_timeout_seconds == 1_800


def test_own_reports_count_by_direction_and_time_until_they_are_merged(city: City, start: Start) -> None:
    account = city.add_user("budi")
    tallies = [Quota(Period.DAY, 10**9, measure) for measure in Measure]
    quotas.set_quota(city.database, "budi", *tallies, reason="rapat", author="admin", **city.circumstances)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    city.time.pass_by(60)
    report = node.report(
        StatusType.INTERIM_UPDATE,
        Acct_Session_Id="81a00001",
        Calling_Station_Id=MAC,
        Class=accept.class_value,
        Acct_Input_Octets=1_000,
        Acct_Output_Octets=20_000,
        Acct_Session_Time=60,
    )
    node.backend.account([report])
    usage = node.snapshot.usage_of(account, city.time.at)
    assert [usage.used(Tally(Period.DAY, measure)) for measure in Measure] == [21_000, 20_000, 1_000, 60]


def test_own_reports_of_a_free_hour_count_for_no_quota(city: City, start: Start) -> None:
    """The database is away: nothing is merged, from 12.00 to 13.10; it is free from 12.30 to 13.00."""
    account = city.add_user("budi")
    window = Window("siang", tuple(range(7)), 12 * 60 + 30, 13 * 60, free=True)
    windows.set_plan_window(city.database, "Warga", window, **city.circumstances)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    city.time.pass_by(70 * 60)
    report = node.report(
        StatusType.INTERIM_UPDATE,
        Acct_Session_Id="81a00001",
        Calling_Station_Id=MAC,
        Class=accept.class_value,
        Acct_Output_Octets=700_000,
        Acct_Session_Time=70 * 60,
    )
    node.backend.account([report])
    known = node.snapshot.accounts.get(account.id, city.time.at, site_id=city.site.id)
    assert known is not None
    used = node.snapshot.usage_of(known, city.time.at).used(Tally(Period.DAY, Measure.BOTH))
    assert used == pytest.approx(400_000, abs=200)
