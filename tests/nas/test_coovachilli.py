"""Facts of CoovaChilli 1.8 and 1.9 as recorded from the wire; Debian does not package it, so it is no peer in the lab."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from app.domain.nases import Family, NasSecrets
from app.nas import coovachilli
from app.nas.handoff import Login, Redirect, Visit, VisitError, VisitOutcome, VisitProblem
from tests.factories import make_nas

NAS = make_nas(family=Family.COOVACHILLI, login_address="10.99.11.1:3990")
PAGE = "http://portal.lab:8080/hotspot/gusung-1"
CHALLENGE = "7d4ac3b1b0a5d5d7b3f0f3c3e6c2a911"
RAW = (
    f"res=notyet&uamip=10.99.11.1&uamport=3990&challenge={CHALLENGE}&called=02-10-99-00-00-01&mac=02-AA-00-00-00-01"
    "&ip=10.99.11.2&nasid=lab-gusung&sessionid=179548678600000001&userurl=http%3a%2f%2fexample.com%2fx"
)


def signed(raw: str, secrets: NasSecrets, page: str = PAGE) -> str:
    """Append md as chilli does: upper-case MD5 over the URL so far and the uamsecret."""
    return f"{raw}&md={md5(f'{page}?{raw}{secrets.portal}'.encode()).hexdigest().upper()}"


def read(raw: str, secrets: NasSecrets, nas_address: str | None = "10.99.11.1:3990", page: str = PAGE) -> Visit:
    nas = replace(NAS, login_address=nas_address)
    return coovachilli.read_visit(dict(parse_qsl(raw, keep_blank_values=True)), raw, nas, secrets, page=page)


def hidden(secrets: NasSecrets) -> bytes:
    return md5(bytes.fromhex(CHALLENGE) + secrets.portal.encode()).digest()


def test_signed_redirect_is_read(secrets: NasSecrets) -> None:
    visit = read(signed(RAW, secrets), secrets)
    assert (visit.mac, visit.ip) == ("02:aa:00:00:00:01", "10.99.11.2")
    assert visit.continue_url == "http://example.com/x"
    assert visit.outcome is VisitOutcome.NOT_YET


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda raw: raw.replace("02-AA", "02-AB"), id="another mac"),
        pytest.param(lambda raw: raw.replace("%3a", "%3A"), id="the same value in another spelling"),
        pytest.param(lambda raw: raw + "&mac=02-AA-00-00-00-02", id="something behind md"),
        pytest.param(lambda raw: raw.partition("&md=")[0], id="no md"),
        pytest.param(lambda raw: raw[:-1], id="short md"),
        pytest.param(lambda _raw: "", id="nothing"),
    ],
)
def test_redirect_with_another_signature_is_not_believed(spoil: Callable[[str], str], secrets: NasSecrets) -> None:
    with pytest.raises(VisitError) as caught:
        read(spoil(signed(RAW, secrets)), secrets)
    assert caught.value.problem is VisitProblem.BAD_SIGNATURE


def test_signature_covers_the_splash_page_itself(secrets: NasSecrets) -> None:
    with pytest.raises(VisitError):
        read(signed(RAW, secrets), secrets, page="http://portal.lab:8080/hotspot/gusung-2")


def test_chap_answers_the_challenge_with_the_uamsecret_hidden_in_it(login: Login, secrets: NasSecrets) -> None:
    handoff = coovachilli.login_handoff(read(signed(RAW, secrets), secrets), login, NAS, secrets)
    assert isinstance(handoff, Redirect)
    url = urlsplit(handoff.url)
    assert f"{url.scheme}://{url.netloc}{url.path}" == "http://10.99.11.1:3990/logon"
    assert dict(parse_qsl(url.query)) == {
        "username": login.ticket.name,
        "response": md5(b"\0" + login.ticket.password.encode() + hidden(secrets)).hexdigest(),
        "userurl": login.return_url,
    }
    assert login.ticket.password not in handoff.url
    assert secrets.portal not in handoff.url


def test_uspot_gets_the_password_hidden_by_the_same_challenge(login: Login, secrets: NasSecrets) -> None:
    nas = replace(NAS, family=Family.USPOT)
    handoff = coovachilli.login_handoff(read(signed(RAW, secrets), secrets), login, nas, secrets)
    assert isinstance(handoff, Redirect)
    octets = bytes.fromhex(parse_qs(urlsplit(handoff.url).query)["password"][0])
    assert len(octets) == 32
    key = hidden(secrets) * 2
    assert bytes(a ^ b for a, b in zip(octets, key, strict=True)).rstrip(b"\0").decode() == login.ticket.password


@pytest.mark.parametrize(("password", "blocks"), [("", 1), ("x" * 16, 1), ("x" * 17, 2)])
def test_pap_fills_whole_blocks(password: str, blocks: int) -> None:
    assert len(coovachilli.pap_password(password, bytes(16))) == 32 * blocks


@pytest.mark.parametrize(
    ("res", "outcome"),
    [
        pytest.param("success", VisitOutcome.SUCCESS, id="success"),
        pytest.param("failed&reason=reject", VisitOutcome.FAILED, id="rejected"),
        pytest.param("failed&reason=timeout", VisitOutcome.TIMEOUT, id="RADIUS silent"),
        pytest.param("logoff", VisitOutcome.LOGGED_OFF, id="logged off"),
        pytest.param("already", VisitOutcome.ALREADY, id="already in"),
        pytest.param("challenge", VisitOutcome.NOT_YET, id="a new challenge"),
    ],
)
def test_outcome(res: str, outcome: VisitOutcome, secrets: NasSecrets) -> None:
    assert read(signed(RAW.replace("res=notyet", f"res={res}"), secrets), secrets).outcome is outcome


def test_next_challenge_after_a_failure_is_used(login: Login, secrets: NasSecrets) -> None:
    raw = RAW.replace("res=notyet", "res=failed&reason=reject").replace(CHALLENGE, "00" * 16)
    visit = read(signed(raw, secrets), secrets)
    handoff = coovachilli.login_handoff(visit, login, NAS, secrets)
    assert isinstance(handoff, Redirect)
    key = md5(bytes(16) + secrets.portal.encode()).digest()
    expected = coovachilli.chap_response(login.ticket.password, key)
    assert parse_qs(urlsplit(handoff.url).query)["response"] == [expected]


def test_success_brings_back_the_page_that_the_handoff_named(login: Login, secrets: NasSecrets) -> None:
    raw = "res=success&uamip=10.99.11.1&uamport=3990&uid=x&timeleft=3600&mac=02-AA-00-00-00-01&ip=10.99.11.2&reply=Halo&userurl=http%3a%2f%2fportal.lab%3a8080%2fstatus%3ft%3dabc%26x%3d1"
    visit = read(signed(raw, secrets), secrets)
    assert visit.continue_url == login.return_url
    assert visit.message == "Halo"
    with pytest.raises(VisitError, match="challenge"):
        coovachilli.login_handoff(visit, login, NAS, secrets)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(("uamip=10.99.11.1", "uamip=10.99.11.9"), VisitProblem.FOREIGN_ADDRESS, id="another address"),
        pytest.param(("uamport=3990", "uamport=80"), VisitProblem.FOREIGN_ADDRESS, id="another port"),
        pytest.param(("uamip=10.99.11.1", "uamip=evil.example"), VisitProblem.MALFORMED, id="a name"),
        pytest.param(("uamport=3990", "uamport=0"), VisitProblem.MALFORMED, id="port zero"),
        pytest.param(("uamport=3990", "uamport=٣"), VisitProblem.MALFORMED, id="foreign digits"),
        pytest.param((CHALLENGE, "zz"), VisitProblem.MALFORMED, id="challenge that is not hex"),
        pytest.param(("res=notyet", "res=surprise"), VisitProblem.MALFORMED, id="unknown res"),
        pytest.param(("02-AA-00-00-00-01", "02-AA"), VisitProblem.MALFORMED, id="half a mac"),
        pytest.param(("02-AA-00-00-00-01", "FF-FF-FF-FF-FF-FF"), VisitProblem.MALFORMED, id="mac of everybody"),
    ],
)
def test_signed_redirect_that_is_not_believed(
    change: tuple[str, str], problem: VisitProblem, secrets: NasSecrets
) -> None:
    with pytest.raises(VisitError) as caught:
        read(signed(RAW.replace(*change), secrets), secrets)
    assert caught.value.problem is problem


def test_without_registration_the_signature_vouches_for_the_address(login: Login, secrets: NasSecrets) -> None:
    raw = signed(RAW.replace("uamip=10.99.11.1", "uamip=203.0.113.7"), secrets)
    visit = read(raw, secrets, nas_address=None)
    assert coovachilli.login_origins(visit, replace(NAS, login_address=None)) == ("http://203.0.113.7:3990",)


def test_logout_is_the_routers_own(secrets: NasSecrets) -> None:
    assert coovachilli.logout_handoff(read(signed(RAW, secrets), secrets), NAS) == "http://10.99.11.1:3990/logoff"
