"""openNDS 9.10's redirects as recorded from the wire; the lab tests repeat them against the real router."""

import base64
import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from app.domain.access import Grant
from app.domain.nases import Family, NasSecrets
from app.nas import opennds
from app.nas.handoff import AwaitPoll, Login, Redirect, Visit, VisitError, VisitOutcome, VisitProblem
from tests.factories import make_nas

NAS = make_nas(family=Family.OPENNDS, login_address="10.99.10.1:2050")
HID = "7480acc3dd130d7a8b8f8bdcd1a5d7e27480acc3dd130d7a8b8f8bdc11ed262e"
TEXT = (
    f"hid={HID}, clientip=10.99.10.194, clientmac=02:aa:00:00:00:01, client_type=cpd_can, gatewayname=Gusung%201, "
    "gatewayurl=http%3a%2f%2fstatus.client, version=9.10.0, gatewayaddress=10.99.10.1:2050, "
    "gatewaymac=021099000001, originurl=http%3a%2f%2fconnectivitycheck.gstatic.com%2fgenerate_204, clientif=br-lan, "
    "themespec=(null), island=gusung, (null)(null)"
)
IV = "a1b2c3d4e5f60718"
HTTP, HTTPS = "http://portal.lab:8080/hotspot/x", "https://portal.lab/hotspot/x"


def plain(text: str = TEXT) -> dict[str, str]:
    return {"fas": base64.b64encode(text.encode()).decode()}


def encrypted(secrets: NasSecrets, text: str = TEXT, iv: str = IV) -> dict[str, str]:
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(AES256(secrets.portal.encode().ljust(32, b"\0")), CBC(iv.encode())).encryptor()
    sealed = base64.b64encode(encryptor.update(padded) + encryptor.finalize())
    return {"fas": base64.b64encode(sealed).decode(), "iv": iv}


def read(query: dict[str, str], secrets: NasSecrets, page: str = HTTP) -> Visit:
    return opennds.read_visit(query, "", NAS, secrets, page=page)


@pytest.mark.parametrize(
    ("sealed", "page", "level"),
    [
        pytest.param(False, HTTP, "1", id="level 1: base64 over http"),
        pytest.param(True, HTTP, "2", id="level 2: AES over http"),
        pytest.param(True, HTTPS, "3", id="level 3: AES over https"),
        pytest.param(False, HTTPS, "4", id="level 4: base64 over https"),
    ],
)
def test_every_level_is_read(sealed: bool, page: str, level: str, secrets: NasSecrets) -> None:
    visit = read(encrypted(secrets) if sealed else plain(), secrets, page)
    assert (visit.mac, visit.ip) == ("02:aa:00:00:00:01", "10.99.10.194")
    assert visit.continue_url == "http://connectivitycheck.gstatic.com/generate_204"
    assert visit.state["level"] == level
    assert opennds.logout_handoff(visit, NAS) == "http://10.99.10.1:2050/opennds_deny/"
    assert opennds.login_origins(visit, NAS) == ("http://10.99.10.1:2050",)


def test_short_key_is_filled_with_zeros(secrets: NasSecrets) -> None:
    short = replace(secrets, portal="lab0faskey")
    assert read(encrypted(short), short).mac == "02:aa:00:00:00:01"


def test_plus_that_a_form_decoder_made_a_space_is_put_back(secrets: NasSecrets) -> None:
    query = plain(TEXT.replace("gusung", "~~~?>~?>>?~"))
    assert "+" in query["fas"]
    assert read({"fas": query["fas"].replace("+", " ")}, secrets).mac == "02:aa:00:00:00:01"


@pytest.mark.parametrize("level_page", [HTTP, HTTPS])
def test_client_that_is_already_in(level_page: str, secrets: NasSecrets) -> None:
    visit = read({"clientip": "10.99.10.194", "status": "authenticated"}, secrets, level_page)
    assert (visit.mac, visit.outcome) == (None, VisitOutcome.ALREADY)


def test_levels_1_and_2_send_the_phone_to_the_router(login: Login, secrets: NasSecrets) -> None:
    for query in (plain(), encrypted(secrets)):
        handoff = opennds.login_handoff(read(query, secrets), login, NAS, secrets)
        rhid = hashlib.sha256((HID + secrets.portal).encode()).hexdigest()
        assert isinstance(handoff, Redirect)
        assert handoff.token == rhid
        url = urlsplit(handoff.url)
        assert f"{url.scheme}://{url.netloc}{url.path}" == "http://10.99.10.1:2050/opennds_auth/"
        assert parse_qs(url.query) == {"tok": [rhid], "redir": [login.return_url]}


def test_levels_3_and_4_wait_for_the_router(login: Login, secrets: NasSecrets) -> None:
    for query in (plain(), encrypted(secrets)):
        handoff = opennds.login_handoff(read(query, secrets, HTTPS), login, NAS, secrets)
        assert handoff == AwaitPoll(hashlib.sha256((HID + secrets.portal).encode()).hexdigest(), 15)


def test_state_that_the_form_carried_gives_the_same_handoff(login: Login, secrets: NasSecrets) -> None:
    visit = read(encrypted(secrets), secrets)
    again = opennds.read_state(visit.state, NAS, secrets)
    assert again == visit
    assert opennds.login_handoff(again, login, NAS, secrets) == opennds.login_handoff(visit, login, NAS, secrets)


def test_another_key_is_a_bad_signature(secrets: NasSecrets) -> None:
    with pytest.raises(VisitError) as caught:
        read(encrypted(replace(secrets, portal="another")), secrets)
    assert caught.value.problem is VisitProblem.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        pytest.param({}, "hid", id="nothing"),
        pytest.param({"fas": "%%%"}, "fas", id="no base64"),
        pytest.param({"fas": "/w=="}, "fas", id="no text"),
        pytest.param({"fas": "é"}, "fas", id="foreign characters"),
        pytest.param({"fas": "a" * 8193}, "fas", id="too long"),
        pytest.param({"fas": "aaaa", "iv": "short"}, "iv", id="iv of another length"),
        pytest.param({"fas": "", "iv": IV}, "fas", id="nothing encrypted"),
        pytest.param({"fas": base64.b64encode(b"YWJj").decode(), "iv": IV}, "fas", id="no whole blocks"),
        pytest.param(plain(TEXT.replace(HID, "xyz")), "hid", id="hid that is not hex"),
        pytest.param(plain(TEXT.replace("02:aa:00:00:00:01", "(null)")), "clientmac", id="no mac"),
        pytest.param(plain(TEXT.replace("10.99.10.194", "x")), "clientip", id="address of another shape"),
        pytest.param(plain(TEXT.replace("10.99.10.1:2050", "10.99.10.1:x")), "gatewayaddress", id="broken gateway"),
        pytest.param(plain(TEXT.replace("10.99.10.1:2050", "192.0.2.1:2050")), "gatewayaddress", id="another gateway"),
    ],
)
def test_redirect_that_is_not_believed(query: dict[str, str], parameter: str, secrets: NasSecrets) -> None:
    with pytest.raises(VisitError) as caught:
        read(query, secrets)
    assert caught.value.parameter == parameter


def test_authdir_of_another_shape_is_no_path(login: Login, secrets: NasSecrets) -> None:
    visit = read(encrypted(secrets, TEXT.replace("clientif", "authdir=../x?, clientif")), secrets)
    with pytest.raises(VisitError, match="authdir"):
        opennds.login_handoff(visit, login, NAS, secrets)


@pytest.mark.parametrize(
    ("grant", "line"),
    [
        pytest.param(
            Grant(4_000_000, 2_000_000, None, 3_601, None, None),
            "T 61 2000 4000 0 0 cmVm",
            id="rates, minutes rounded up",
        ),
        pytest.param(Grant(None, None, None, None, None, None), "T 0 0 0 0 0 cmVm", id="no limits"),
        pytest.param(
            Grant(None, None, 819_200_000, None, None, None), "T 0 0 0 100000 700000 cmVm", id="an eighth for sending"
        ),
        pytest.param(
            Grant(None, None, 1_024_000, None, None, None), "T 0 0 0 1000 1000 cmVm", id="the last megabyte both ways"
        ),
        pytest.param(Grant(500, 500, 1, 1, None, None), "T 1 1 1 1 1 cmVm", id="never zero, which is no limit"),
    ],
)
def test_line_for_authmon(grant: Grant, line: str) -> None:
    text = opennds.auth_line("T", grant, "ref")
    assert " " not in text
    assert unquote(text) == line


def test_line_for_binauth_is_in_seconds() -> None:
    assert opennds.binauth_line(Grant(4_000_000, 2_000_000, None, 3_601, None, None)) == "3601 2000 4000 0 0"


@pytest.mark.parametrize(("version", "up_bps"), [("9.10.0", None), ("10.3.1", 2_000_000)])
def test_upload_rate_goes_only_to_routers_that_count_on_with_it(version: str, up_bps: int | None) -> None:
    grant = Grant(4_000_000, 2_000_000, None, None, None, None)
    assert opennds.within_reach(grant, {"version": version}) == grant._replace(up_bps=up_bps)
