"""MS-CHAPv2 by every way in: a person's password, a ticket, a known MAC (A3.03, A3.04)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.domain.access import DenialReason
from app.domain.nases import Family
from app.domain.reports import Method
from app.domain.users import CredentialKind
from app.services import users
from radius.credentials import MsChapV2Response
from radius.messages import Accept, Answer, Reject
from tests.factories import MAC
from tests.node.city import MAC_SECRET, City, Node, ms_chap

Start = Callable[[City], Node]


def assert_proves(answer: Answer, response: MsChapV2Response, password: str) -> None:
    assert isinstance(answer, Accept)
    assert answer.ms_chap == response.success(password)


def refused(node: Node, answer: Answer) -> DenialReason:
    assert isinstance(answer, Reject)
    return DenialReason(node.verdicts()[-1].reason)


@pytest.mark.parametrize("name", ["budi", "BUDI", "BONTANG\\budi", "BONTANG\\Budi"])
def test_a3_03_encrypted_password_opens_the_account_and_is_proved(city: City, start: Start, name: str) -> None:
    account = city.add_user("budi")
    node = start(city)
    response = ms_chap(name, "rahasia-123")
    assert_proves(node.ask(node.request(name, response)), response, "rahasia-123")
    assert node.verdicts()[-1].account_id == account.id


def test_a3_03_domain_is_taken_off_for_ms_chap_only(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    node.learn()
    request = node.request("BONTANG\\budi", "rahasia-123")
    node.learn()
    assert refused(node, node.ask(request)) is DenialReason.WRONG_CREDENTIALS


@pytest.mark.parametrize(
    ("name", "response"),
    [
        pytest.param("budi", ms_chap("budi", "salah"), id="another password"),
        pytest.param("budi", replace(ms_chap("siti", "rahasia-123"), user_name=b"budi"), id="another name"),
        pytest.param(
            "budi", replace(ms_chap("Budi", "rahasia-123"), user_name=b"budi"), id="another spelling than the one sent"
        ),
        pytest.param(
            "budi", replace(ms_chap("budi", "rahasia-123"), challenge=b"another challeng"), id="another challenge"
        ),
    ],
)
def test_a3_03_wrong_response_is_refused_slowly(
    city: City, start: Start, name: str, response: MsChapV2Response
) -> None:
    city.add_user("budi")
    node = start(city)
    answer = node.ask(node.request(name, response))
    assert refused(node, answer) is DenialReason.WRONG_CREDENTIALS
    assert isinstance(answer, Reject)
    assert answer.delay_seconds >= 0.4


def test_a3_04_hashed_password_is_a_method_that_is_not_allowed_and_takes_as_long(city: City, start: Start) -> None:
    city.add_user("budi", kind=CredentialKind.HASHED)
    node = start(city)
    answer = node.ask(node.request("budi", ms_chap("budi", "rahasia-123")))
    assert refused(node, answer) is DenialReason.METHOD_NOT_ALLOWED
    assert isinstance(answer, Reject)
    assert answer.delay_seconds >= 0.4
    assert answer.reply_message is None


def test_denial_of_a_proved_person_proves_nothing_back(city: City, start: Start) -> None:
    city.add_user("budi")
    users.suspend_user(city.database, "budi", suspended=True, **city.circumstances)
    node = start(city)
    answer = node.ask(node.request("budi", ms_chap("budi", "rahasia-123")))
    assert refused(node, answer) is DenialReason.SUSPENDED


def test_ticket_opens_its_account_and_asked_again_is_proved_for_the_new_response(city: City, start: Start) -> None:
    account = city.add_user("budi", password=None)
    node = start(city)
    ticket = city.ticket(account)
    first = ms_chap(ticket.name, ticket.password)
    second = MsChapV2Response.answering(
        b"2nd challenge...", 8, ticket.name.encode(), ticket.password, peer_challenge=b"once more, peer."
    )
    assert_proves(node.ask(node.request(ticket.name, first)), first, ticket.password)
    assert_proves(node.ask(node.request(ticket.name, second)), second, ticket.password)
    assert [verdict.method for verdict in node.verdicts()] == [Method.TICKET]
    assert node.authorizer.counters.repeats == 1


def test_ticket_with_a_wrong_response_is_refused_at_once(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account)
    answer = node.ask(node.request(ticket.name, ms_chap(ticket.name, "salah")))
    assert refused(node, answer) is DenialReason.TICKET_INVALID
    assert isinstance(answer, Reject)
    assert answer.delay_seconds == 0


def test_a3_10_known_mac_comes_back_by_its_secret(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    response = ms_chap("02AA00000001", MAC_SECRET)
    assert_proves(node.ask(node.request("02AA00000001", response)), response, MAC_SECRET)
    assert node.verdicts()[-1].method is Method.RESUME
    refusal = node.ask(node.request(MAC, ms_chap(MAC, "salah")))
    assert isinstance(refusal, Reject)
    assert refusal.delay_seconds == 0


@pytest.mark.parametrize("password", ["02-AA-00-00-00-01", MAC])
def test_a3_10_mac_is_its_own_password_where_the_family_cannot_be_told_otherwise(
    city: City, start: Start, password: str
) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    exact = city.add_nas("unifi-1", family=Family.UNIFI, address="127.0.0.9")
    node = start(city)
    response = ms_chap("02-AA-00-00-00-01", password)
    assert_proves(node.ask(node.request("02-AA-00-00-00-01", response, nas_id=exact.id)), response, password)
