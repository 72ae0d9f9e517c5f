"""Who is let in by a password or a ticket, from a real database, with the clocks standing still."""

import pytest

from app.domain.acceptances import read_class
from app.domain.access import DenialReason
from app.domain.local_time import WITA
from app.domain.quotas import Period, Quota
from app.domain.reports import Method
from app.domain.users import CredentialKind
from app.services import passwords, quotas, users
from radius.messages import Later, Reject
from tests.factories import MAC, by_tally
from tests.node.answers import OTHER_MAC, Start, accepted, refused
from tests.node.city import City, chap
from tests.node.journals import until

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
    quotas.change_quotas(
        city.database,
        "budi",
        by_tally(Quota(Period.DAY, 7_000_000)),
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
