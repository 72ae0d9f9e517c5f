import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.origins import is_foreign_post, is_own_host, read_origin

OWN = "https://wifi.bontang.test"


@pytest.mark.parametrize(
    ("origin", "referer", "foreign"),
    [
        pytest.param(OWN, None, False, id="our own"),
        pytest.param("https://wifi.bontang.test:443", None, False, id="our own with its port"),
        pytest.param("http://wifi.bontang.test", None, True, id="the same host without TLS"),
        pytest.param("https://wifi.bontang.test.evil.example", None, True, id="a longer host"),
        pytest.param("null", None, True, id="null"),
        pytest.param("", None, True, id="empty"),
        pytest.param("http://[::1", None, True, id="broken"),
        pytest.param(None, f"{OWN}/hotspot/gusung-1?mac=x", False, id="no Origin, our Referer"),
        pytest.param(None, "https://evil.example/", True, id="no Origin, foreign Referer"),
        pytest.param(None, None, False, id="neither: an old web view"),
        pytest.param("https://evil.example", OWN, True, id="Origin decides before Referer"),
    ],
)
def test_c2_03_posts_come_from_our_own_pages(origin: str | None, referer: str | None, foreign: bool) -> None:
    assert is_foreign_post(origin, referer, own_url=OWN) is foreign


@pytest.mark.parametrize(
    ("host", "own"),
    [
        pytest.param("wifi.bontang.test", True, id="ours"),
        pytest.param("WIFI.bontang.test:443", True, id="ours, spelled out"),
        pytest.param("wifi.bontang.test:8080", False, id="another port"),
        pytest.param("captive.apple.com", False, id="a probe's"),
        pytest.param(None, False, id="none"),
        pytest.param("[::1", False, id="broken"),
    ],
)
def test_host_is_only_compared(host: str | None, own: bool) -> None:
    assert is_own_host(host, own_url=OWN) is own


@given(st.text(max_size=80))
def test_no_text_makes_reading_an_origin_raise(text: str) -> None:
    read_origin(text)
    read_origin(f"http://{text}")
