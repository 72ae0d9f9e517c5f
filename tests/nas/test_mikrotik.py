from dataclasses import replace
from hashlib import md5
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from app.domain.nases import NasSecrets
from app.nas import mikrotik
from app.nas.handoff import Login, Redirect, VisitError, VisitOutcome, VisitProblem
from tests.factories import make_nas

NAS = make_nas(login_address="10.5.50.1")
QUERY = {
    "page": "login",
    "mac": "02:AA:00:00:00:01",
    "ip": "10.5.50.12",
    "link-login-only": "http://10.5.50.1/login",
    "link-orig": "http://example.com/a?b=c",
}
CHALLENGE = r"\145\015\000\377\010\101\011\200\001\002\003\004\005\006\007\176"
CHALLENGE_OCTETS = bytes([0o145, 0o15, 0, 0xFF, 8, 0o101, 9, 0o200, 1, 2, 3, 4, 5, 6, 7, 0o176])


def redirect(query: dict[str, str], login: Login, secrets: NasSecrets) -> str:
    handoff = mikrotik.login_handoff(mikrotik.read_visit(query, "", NAS, secrets), login, NAS, secrets)
    assert isinstance(handoff, Redirect)
    assert handoff.token is None
    return handoff.url


def test_visit_tells_device_address_and_wish(secrets: NasSecrets) -> None:
    visit = mikrotik.read_visit(QUERY, "", NAS, secrets)
    assert (visit.mac, visit.ip) == ("02:aa:00:00:00:01", "10.5.50.12")
    assert visit.continue_url == "http://example.com/a?b=c"
    assert visit.outcome is VisitOutcome.NOT_YET


def test_pap_sends_the_ticket_and_the_return_url(login: Login, secrets: NasSecrets) -> None:
    url = urlsplit(redirect(QUERY, login, secrets))
    assert (url.scheme, url.netloc, url.path) == ("http", "10.5.50.1", "/login")
    assert dict(parse_qsl(url.query)) == {
        "username": login.ticket.name,
        "password": login.ticket.password,
        "dst": login.return_url,
        "popup": "false",
    }


def test_chap_is_computed_over_the_raw_octets(login: Login, secrets: NasSecrets) -> None:
    url = redirect({**QUERY, "chap-id": r"\371", "chap-challenge": CHALLENGE}, login, secrets)
    expected = md5(b"\xf9" + login.ticket.password.encode() + CHALLENGE_OCTETS).hexdigest()
    assert parse_qs(urlsplit(url).query)["password"] == [expected]


def test_state_that_the_form_carried_gives_the_same_handoff(login: Login, secrets: NasSecrets) -> None:
    query = {**QUERY, "chap-id": r"\001", "chap-challenge": CHALLENGE}
    visit = mikrotik.read_state(mikrotik.read_visit(query, "", NAS, secrets).state, NAS, secrets)
    assert mikrotik.login_handoff(visit, login, NAS, secrets) == Redirect(redirect(query, login, secrets))


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param(r"\371", b"\xf9", id="three digits"),
        pytest.param(r"\0a", b"\0a", id="one digit, then a letter"),
        pytest.param(r"\1234", b"S4", id="never more than three digits"),
        pytest.param(r"\\\"", b'\\"', id="escaped backslash and quote"),
        pytest.param("aé", b"a\xe9", id="characters below 256 are octets"),
    ],
)
def test_octal_escapes(text: str, octets: bytes) -> None:
    assert mikrotik.unescape(text, "chap-id") == octets


@pytest.mark.parametrize(
    ("change", "problem", "parameter"),
    [
        pytest.param({"mac": "nonsense"}, VisitProblem.MALFORMED, "mac", id="mac of another shape"),
        pytest.param({"mac": "00:00:00:00:00:00"}, VisitProblem.MALFORMED, "mac", id="mac of nothing"),
        pytest.param({"mac": "FF:FF:FF:FF:FF:FF"}, VisitProblem.MALFORMED, "mac", id="mac of everybody"),
        pytest.param({"mac": "01:00:5E:00:00:01"}, VisitProblem.MALFORMED, "mac", id="mac of a group"),
        pytest.param({"ip": "10.5.50.300"}, VisitProblem.MALFORMED, "ip", id="address out of range"),
        pytest.param({"chap-id": r"\777"}, VisitProblem.MALFORMED, "chap-id", id="escape above an octet"),
        pytest.param({"chap-id": "\\"}, VisitProblem.MALFORMED, "chap-id", id="escape of nothing"),
        pytest.param({"chap-id": r"\001\002"}, VisitProblem.MALFORMED, "chap-id", id="two octets of chap-id"),
        pytest.param({"chap-id": r"\001"}, VisitProblem.MALFORMED, "chap-challenge", id="chap-id without challenge"),
        pytest.param(
            {"chap-id": "a", "chap-challenge": "a" * 65},
            VisitProblem.MALFORMED,
            "chap-challenge",
            id="challenge too long",
        ),
        pytest.param(
            {"link-login-only": "http://evil.example/login"},
            VisitProblem.FOREIGN_ADDRESS,
            "link-login-only",
            id="another host",
        ),
        pytest.param(
            {"link-login-only": "http://10.5.50.1@evil.example/"},
            VisitProblem.MALFORMED,
            "link-login-only",
            id="user part",
        ),
        pytest.param(
            {"link-login-only": "http://10.5.50.1.evil.example/"},
            VisitProblem.FOREIGN_ADDRESS,
            "link-login-only",
            id="longer name",
        ),
        pytest.param(
            {"link-login-only": "javascript:alert(1)"}, VisitProblem.MALFORMED, "link-login-only", id="another scheme"
        ),
        pytest.param(
            {"link-login-only": "//10.5.50.1/login"}, VisitProblem.MALFORMED, "link-login-only", id="no scheme"
        ),
        pytest.param(
            {"link-login-only": "http://[::1/login"}, VisitProblem.MALFORMED, "link-login-only", id="broken brackets"
        ),
        pytest.param({"link-orig": "x" * 2049}, VisitProblem.MALFORMED, "link-orig", id="too long"),
    ],
)
def test_redirect_that_is_not_believed(
    change: dict[str, str], problem: VisitProblem, parameter: str, secrets: NasSecrets
) -> None:
    with pytest.raises(VisitError) as caught:
        mikrotik.read_visit({**QUERY, **change}, "", NAS, secrets)
    assert (caught.value.problem, caught.value.parameter) == (problem, parameter)


@pytest.mark.parametrize(
    ("registered", "link", "origin"),
    [
        pytest.param("10.5.50.1", "https://10.5.50.1/login", "https://10.5.50.1", id="https of the same host"),
        pytest.param("login.gusung", "http://LOGIN.gusung/login", "http://login.gusung", id="names ignore case"),
        pytest.param("10.5.50.1:8080", "http://10.5.50.1:8080/login", "http://10.5.50.1:8080", id="port as registered"),
        pytest.param(
            None, "http://192.168.88.1/login?x=1", "http://192.168.88.1", id="private literal, path and query are ours"
        ),
        pytest.param("10.5.50.1", "", "http://10.5.50.1", id="no link: the registered address"),
    ],
)
def test_where_the_phone_is_sent(
    registered: str | None, link: str, origin: str, login: Login, secrets: NasSecrets
) -> None:
    nas = replace(NAS, login_address=registered)
    visit = mikrotik.read_visit({**QUERY, "link-login-only": link}, "", nas, secrets)
    handoff = mikrotik.login_handoff(visit, login, nas, secrets)
    assert isinstance(handoff, Redirect)
    assert handoff.url.startswith(f"{origin}/login?username=")
    assert mikrotik.login_origins(visit, nas) == (origin,)
    assert mikrotik.logout_handoff(visit, nas) == f"{origin}/logout?erase-cookie=on"


@pytest.mark.parametrize(
    ("registered", "link", "problem"),
    [
        pytest.param(None, "http://203.0.113.5/login", VisitProblem.NO_LOGIN_ADDRESS, id="public literal"),
        pytest.param(None, "http://login.example/login", VisitProblem.NO_LOGIN_ADDRESS, id="a name proves nothing"),
        pytest.param(None, "", VisitProblem.NO_LOGIN_ADDRESS, id="neither link nor registration"),
        pytest.param(
            "10.5.50.1:8080", "http://10.5.50.1/login", VisitProblem.FOREIGN_ADDRESS, id="another port than registered"
        ),
        pytest.param("10.5.50.1", "http://10.5.50.1:99999/login", VisitProblem.MALFORMED, id="port out of range"),
    ],
)
def test_where_no_phone_is_sent(registered: str | None, link: str, problem: VisitProblem, secrets: NasSecrets) -> None:
    with pytest.raises(VisitError) as caught:
        mikrotik.read_visit({**QUERY, "link-login-only": link}, "", replace(NAS, login_address=registered), secrets)
    assert caught.value.problem is problem


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        pytest.param({"error": "invalid username or password"}, VisitOutcome.FAILED, id="refused"),
        pytest.param({"error": "RADIUS server is not responding"}, VisitOutcome.TIMEOUT, id="RADIUS silent"),
        pytest.param({"page": "logout"}, VisitOutcome.LOGGED_OFF, id="logout page"),
        pytest.param({"page": "status"}, VisitOutcome.ALREADY, id="status page"),
    ],
)
def test_outcome(change: dict[str, str], outcome: VisitOutcome, secrets: NasSecrets) -> None:
    assert mikrotik.read_visit({**QUERY, **change}, "", NAS, secrets).outcome is outcome


@pytest.mark.parametrize("wish", ["javascript:alert(1)", "ftp://a/", "http://", "http://a\nb/", "http://[::1", "//x"])
def test_wish_that_is_no_web_address_is_not_shown(wish: str, secrets: NasSecrets) -> None:
    assert mikrotik.read_visit({**QUERY, "link-orig": wish}, "", NAS, secrets).continue_url is None


def test_message_of_the_router_is_cut_and_cleaned(secrets: NasSecrets) -> None:
    message = mikrotik.read_visit({**QUERY, "error": "a\x00b\n" + "c" * 500}, "", NAS, secrets).message
    assert message is not None
    assert message.startswith("abccc")
    assert len(message) <= 200
