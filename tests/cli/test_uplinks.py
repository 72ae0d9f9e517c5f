"""`pesisir uplink` and the line of a site, for people and for scripts."""

from typing import Any

from tests.cli.conftest import Pesisir

M = 1_000_000


def class_of(shown: Any, name: str) -> Any:
    return next(one for one in shown["classes"] if one["service_class"] == name)


def test_uplink_is_shown_as_it_was_added(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M", "--interface", "eth1")
    city.ok("uplink", "class", "Telkom", "office", "--floor", "10M", "--ceiling", "30M", "--weight", "4")
    city.ok("uplink", "class", "Telkom", "public_service", "--address", "103.10.1.0/24", "--dscp", "34")
    shown = city.ok("uplink", "show", "Telkom", "--json").json
    assert shown.items() >= {
        "name": "Telkom", "down_bps": 60 * M, "up_bps": 20 * M, "interface": "eth1", "promised_down_bps": 10 * M,
        "promised_up_bps": 3_333_333,
    }.items()  # fmt: skip
    assert class_of(shown, "office") == {
        "service_class": "office", "floor_bps": 10 * M, "ceiling_bps": 30 * M, "up_floor_bps": 3_333_333,
        "up_ceiling_bps": 10 * M, "moved_floor_bps": 10 * M, "weight": 4, "dscp": None, "addresses": [],
    }  # fmt: skip
    assert class_of(shown, "public_service").items() >= {"dscp": 34, "addresses": ["103.10.1.0/24"]}.items()
    assert [site["site"] for site in shown["sites"]] == ["Gusung"]
    assert city.ok("uplink", "list", "--json").json == [shown]


def test_uplink_is_shown_to_people(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    done = city.ok("uplink", "class", "Telkom", "office", "--floor", "12M")
    assert "promised now: 12M of 60M down, 4M of 20M up" in done.err
    shown = city.ok("uplink", "show", "Telkom").out
    assert "carries      60M/20M" in shown
    assert ["office", "12M", "60M", "4M", "20M", "1"] in [line.split() for line in shown.splitlines()]
    assert ["Telkom", "60M", "20M", "12M", "4M", "1"] in [
        line.split() for line in city.ok("uplink", "list").out.splitlines()
    ]


def test_too_much_is_refused_as_a_conflict_that_says_by_how_much(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    city.ok("uplink", "class", "Telkom", "office", "--floor", "40M")
    done = city.run("uplink", "class", "Telkom", "resident", "--floor", "25M")
    assert done.code == 4
    assert "uplink 'Telkom' would guarantee 65M down: that is 5M more than the 60M it carries" in done.err


def test_site_is_shown_with_its_line(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    city.ok(
        "site", "set", "Gusung", "--uplink", "Telkom", "--capacity", "7M", "--devices", "30",
        "--network", "10.9.1.0/24", "--network", "office=10.9.2.0/28",
    )  # fmt: skip
    shown = city.ok("site", "show", "Gusung", "--json").json
    assert shown.items() >= {
        "uplink": "Telkom", "capacity_bps": 7 * M, "devices": 30,
        "networks": [
            {"network": "10.9.1.0/24", "service_class": "resident"},
            {"network": "10.9.2.0/28", "service_class": "office"},
        ],
    }.items()  # fmt: skip
    assert "networks       resident=10.9.1.0/24, office=10.9.2.0/28" in city.ok("site", "show", "Gusung").out
    city.ok("site", "set", "Gusung", "--network", "none")
    assert city.ok("site", "show", "Gusung", "--json").json["networks"] == []


def test_uplink_is_changed_and_removed(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M", "--interface", "eth1")
    city.ok("uplink", "set", "Telkom", "--down", "100M", "--interface", "none")
    shown = city.ok("uplink", "show", "Telkom", "--json").json
    assert (shown["down_bps"], shown["up_bps"], shown["interface"]) == (100 * M, 20 * M, None)
    assert city.run("uplink", "set", "Telkom", "--down", "none").code == 2
    assert city.run("uplink", "remove", "Telkom").code == 2
    city.ok("uplink", "remove", "Telkom", "--yes")
    assert city.run("uplink", "show", "Telkom").code == 3


def test_queues_of_the_head_are_printed_in_each_format(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M", "--interface", "eth1")
    done = city.run("uplink", "config", "Telkom")
    assert (done.code, "no site on uplink 'Telkom' has addresses" in done.err) == (1, True)
    city.ok("site", "set", "Gusung", "--network", "10.9.1.0/24")
    names = {
        head: set(city.ok("uplink", "config", "Telkom", "--format", head, "--json").json)
        for head in ("linux", "openwrt", "routeros")
    }
    assert names == {
        "linux": {"pesisir-queues", "pesisir-queues.service"},
        "openwrt": {"pesisir-queues", "pesisir-queues.init"},
        "routeros": {"pesisir-queues.rsc"},
    }
    script = city.ok("uplink", "config", "Telkom", "--file", "pesisir-queues").out
    assert script.startswith("#!/bin/sh\n")
    assert 'LAN="${LAN:-eth1}"' in script
    assert city.run("uplink", "config", "Telkom", "--file", "queues").code == 3


def test_config_says_who_is_left_out(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    city.ok("site", "set", "Gusung", "--network", "10.9.1.0/24")
    city.ok("site", "add", "Melahing")
    said = city.ok("uplink", "config", "Telkom").err
    assert "warning: no addresses of Melahing: they share what the others leave" in said
    assert "the port towards the sites is taken for br-lan" in said


def test_router_of_a_site_with_a_ceiling_has_its_queues_beside_its_files(city: Pesisir) -> None:
    assert set(city.ok("nas", "config", "gusung-1", "--json").json) == {"pesisir.rsc", "pesisir-queues.rsc"}
    assert "max-limit=20000000/20000000" in city.ok("nas", "config", "gusung-1", "--file", "pesisir-queues.rsc").out
    city.ok("site", "set", "Gusung", "--capacity", "none")
    assert set(city.ok("nas", "config", "gusung-1", "--json").json) == {"pesisir.rsc"}


def test_watch_of_an_uplink_that_is_not_there_ends(city: Pesisir) -> None:
    assert city.run("uplink", "apply", "Telkm", "--watch").code == 3


def test_apply_where_no_queues_are_says_what_to_do(city: Pesisir) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M", "--interface", "no-such-port")
    done = city.run("uplink", "apply", "Telkom")
    assert done.code == 1
    assert "the queues of uplink 'Telkom' were not changed" in done.err
    assert "no-such-port has no queues of ours here" in done.err
    assert "pesisir uplink config" in done.err
