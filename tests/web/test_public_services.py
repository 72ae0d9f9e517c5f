"""The list of public services: read, and changed as text without touching what else stands in it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.public_services import (
    Service,
    ServicesError,
    hosts_of,
    make_service,
    read_services,
    services_file,
    with_service,
    without_service,
)
from app.web.theme import theme_folders

OURS = services_file(theme_folders(Path("/nonexistent"))).read_text(encoding="utf-8")
ABOUT = {"id": "Surat.", "en": "Letters."}


def service(url: str = "https://layanan.example.go.id/surat", *hosts: str, name: str = "Layanan") -> Service:
    return make_service(url, name=name, agency="Kota", about=ABOUT, more_hosts=hosts)


def test_our_list_is_read_and_every_host_is_exact() -> None:
    services = read_services(OURS)
    assert "maritim.bmkg.go.id" in hosts_of(services)
    assert all("*" not in host and ":" not in host for host in hosts_of(services))


def test_added_service_is_read_back_with_all_its_hosts_and_the_rest_stays() -> None:
    added = service("https://layanan.example.go.id/surat", "aset.example.go.id", "192.0.2.44")
    text = with_service(OURS, added)
    assert text.startswith(OURS.rstrip("\n"))
    assert read_services(text) == (*read_services(OURS), added)
    assert hosts_of(read_services(text))[-3:] == ("layanan.example.go.id", "aset.example.go.id", "192.0.2.44")


def test_removed_service_is_gone_and_the_comments_stay() -> None:
    text = without_service(with_service(OURS, service()), "maritim.bmkg.go.id")
    assert text.startswith(OURS[: OURS.index("[[services]]")])
    assert "maritim.bmkg.go.id" not in text
    assert [one.host for one in read_services(text)] == [
        *(one.host for one in read_services(OURS) if one.host != "maritim.bmkg.go.id"),
        "layanan.example.go.id",
    ]


@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    label=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
)
def test_any_name_is_written_so_that_it_is_read_again_and_taken_out_again(name: str, label: str) -> None:
    added = service(f"https://{label}.example.id/", name=name)
    text = with_service(OURS, added)
    assert read_services(text)[-1] == added
    assert tomllib.loads(without_service(text, added.host)) == tomllib.loads(OURS)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "https://*.example.go.id",
        "https://a.example:8443/",
        "https://u@a.example/",
        "https://",
        "a.example",
        "https://[fd00::1]/",
        "https://[/",
        "https://a_b.example/",
        "https://a.example/\n",
    ],
)
def test_page_that_no_router_could_open_is_refused(url: str) -> None:
    with pytest.raises(ServicesError):
        service(url)


@pytest.mark.parametrize("host", ["*.example", "a.example:80", "", "https://a.example", "a b", "fd00::1"])
def test_further_host_that_no_router_could_open_is_refused(host: str) -> None:
    with pytest.raises(ServicesError):
        service("https://a.example/", host)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[services]]\nname = 'a'\n", "has no"),
        ("services = 1\n", "cannot be read"),
        ("services = [1]\n", "cannot be read"),
        ("[[services\n", "cannot be read"),
    ],
)
def test_broken_list_says_why(text: str, why: str) -> None:
    with pytest.raises(ServicesError, match=why):
        read_services(text)


def test_list_that_is_written_in_another_way_is_left_to_its_author() -> None:
    inline = "services = [{name='a', agency='b', url='https://a.example', id='c', en='d'}]\n"
    with pytest.raises(ServicesError):
        with_service(inline, service())
    with pytest.raises(ServicesError, match="by hand"):
        without_service(inline, "a.example")


def test_service_is_neither_added_twice_nor_removed_unknown() -> None:
    with pytest.raises(ServicesError, match="already"):
        with_service(with_service(OURS, service()), service())
    with pytest.raises(ServicesError, match="no service"):
        without_service(OURS, "a.example")
