"""Whatever a phone sends: an answer that says what, never a traceback, never a redirect to a place of its choosing."""

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import MAC
from tests.web.city import NAS, PORTAL_URL, ROUTER, City

HOSTILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OURS = (f"{PORTAL_URL}/", f"http://{ROUTER}/", f"http://{ROUTER}:")

NAMES = st.sampled_from(
    ["mac", "ip", "link-login-only", "link-orig", "chap-id", "chap-challenge", "error", "page", "v", "lang", "t",
     "auth_get", "fas", "iv", "res", "md", "uamip", "uamport", "challenge", "userurl", "status"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [MAC, "10.5.50.23", f"http://{ROUTER}/login", "http://evil.example/", "\\371\\400", "en", "x" * 3_000]
    ),
)
FIELDS = st.dictionaries(
    st.sampled_from(["form", "way", "terms", "code", "username", "password", "remember", "lang", "t"]), VALUES
)
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)


def encoded(fields: dict[str, str]) -> str:
    return urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()})


def decent(answer: Response) -> bool:
    """Tell whether this is an answer that a person, or a browser, can go on from."""
    if answer.status_code in (302, 303):
        return answer.headers["location"].startswith(OURS)
    return answer.status_code in (200, 400, 403, 404, 405, 413, 422, 429) and "Traceback" not in answer.text


@HOSTILE
@given(st.dictionaries(NAMES, VALUES))
def test_no_query_breaks_the_splash_page(city: City, query: dict[str, str]) -> None:
    assert decent(city.client.get(f"/hotspot/{NAS}?{encoded(query)}"))


@HOSTILE
@given(st.binary(max_size=300))
def test_no_octets_in_a_query_break_a_page(city: City, raw: bytes) -> None:
    query = "".join(
        f"%{octet:02x}" if octet > 126 or octet < 33 or chr(octet) in '#"<>' else chr(octet) for octet in raw
    )
    for path in (f"/hotspot/{NAS}", "/status", "/services", "/"):
        assert decent(city.client.get(f"{path}?{query}"))


@HOSTILE
@given(FIELDS)
def test_no_fields_break_the_login(city: City, fields: dict[str, str]) -> None:
    answer = city.client.post(
        "/login",
        content=encoded(fields),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": PORTAL_URL},
    )
    assert decent(answer)
    assert answer.status_code != 303, "nobody gets in by a form that we did not make"


@HOSTILE
@given(fields=FIELDS)
def test_no_fields_beside_a_real_form_break_the_login(city: City, fields: dict[str, str]) -> None:
    answer = city.client.post(
        "/login",
        content=encoded(fields | {"form": city.form()}),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": PORTAL_URL},
    )
    assert decent(answer)


@HOSTILE
@given(st.binary(max_size=20_000), TEXT)
def test_no_body_breaks_a_post(city: City, body: bytes, kind: str) -> None:
    for path in ("/login", "/logout", f"/hotspot/{NAS}"):
        for content_type in (kind, "application/x-www-form-urlencoded"):
            assert decent(city.client.post(path, content=body, headers={"Content-Type": content_type}))


@HOSTILE
@given(st.sampled_from(["Host", "Origin", "Referer", "Accept", "Content-Type", "Cookie", "Accept-Encoding"]), TEXT)
def test_no_header_breaks_a_page(city: City, name: str, value: str) -> None:
    for path in ("/", city.splash_url(), "/captive-portal/api/x", "/nope"):
        assert decent(city.client.get(path, headers={name: value}))


@HOSTILE
@given(st.text(max_size=60))
def test_no_path_breaks_the_portal(city: City, path: str) -> None:
    encoded_path = urlencode({"": path.encode("utf-8", "surrogatepass")})[1:]
    for start in ("/", "/hotspot/", "/captive-portal/api/"):
        assert decent(city.client.get(start + encoded_path))


@pytest.mark.parametrize("path", ["/captive-portal/api/0/", "/status/"])
def test_slash_too_many_redirects_nowhere(city: City, path: str) -> None:
    response = city.client.get(path)
    assert response.status_code == 404
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "body", [b"%", b"a=%zz", b"=&=&=", b"\xff" * 16_384], ids=["percent", "no hex", "no names", "FF"]
)
def test_known_oddities(city: City, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert decent(city.client.post("/login", content=body, headers=headers))


def test_body_that_never_ends_is_cut_off(city: City) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10_000_000:
            sent += 4_096
            yield b"x" * 4_096

    answer = city.client.post(
        "/login", content=endless(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413
    assert urlsplit(str(answer.url)).path == "/login"
