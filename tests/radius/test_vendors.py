"""Every family: the same table of cases, its own expected attributes."""

import pytest

from radius import PROFILES, Attributes, Authorization, Direction, EncodeError, profile_for

GIB_4 = 2**32

FULL = Authorization(
    down_bps=4_000_000,
    up_bps=2_000_000,
    down_octets=GIB_4 - 1,
    up_octets=GIB_4,
    total_octets=GIB_4 + 5,
    session_timeout_seconds=3600,
    idle_timeout_seconds=600,
    interim_seconds=300,
    address_list="warga",
    filter_id="saring",
    vlan=42,
)
TIMERS = [("Session-Timeout", "3600"), ("Idle-Timeout", "600"), ("Acct-Interim-Interval", "300")]
WISPR = [("WISPr-Bandwidth-Max-Down", "4000000"), ("WISPr-Bandwidth-Max-Up", "2000000")]
VLAN = [("Tunnel-Type", "VLAN"), ("Tunnel-Medium-Type", "IEEE-802"), ("Tunnel-Private-Group-Id", "42")]
FILTER = [("Filter-Id", "saring")]

GOLDEN = {
    "mikrotik": [
        *TIMERS,
        ("Mikrotik-Rate-Limit", "2000000/4000000"),
        ("Mikrotik-Recv-Limit", "0"),
        ("Mikrotik-Recv-Limit-Gigawords", "1"),
        ("Mikrotik-Xmit-Limit", "4294967295"),
        ("Mikrotik-Xmit-Limit-Gigawords", "0"),
        ("Mikrotik-Total-Limit", "5"),
        ("Mikrotik-Total-Limit-Gigawords", "1"),
        ("Mikrotik-Address-List", "warga"),
        *FILTER,
    ],
    "coovachilli": [
        *TIMERS,
        *WISPR,
        ("ChilliSpot-Max-Input-Octets", "0"),
        ("ChilliSpot-Max-Input-Gigawords", "1"),
        ("ChilliSpot-Max-Output-Octets", "4294967295"),
        ("ChilliSpot-Max-Output-Gigawords", "0"),
        ("ChilliSpot-Max-Total-Octets", "5"),
        ("ChilliSpot-Max-Total-Gigawords", "1"),
        *FILTER,
    ],
    "opennds": TIMERS,
    "uspot": [*TIMERS, *WISPR, ("ChilliSpot-Max-Total-Octets", "4294967295")],
    "pfsense": [
        *TIMERS,
        ("pfSense-Bandwidth-Max-Down", "4000000"),
        ("pfSense-Bandwidth-Max-Up", "2000000"),
        ("pfSense-Max-Total-Octets", "4294967295"),
    ],
    "opnsense": TIMERS,
    "accel-ppp": [*TIMERS, ("Filter-Id", "4000/2000")],
    "cambium": [
        *TIMERS,
        *WISPR,
        ("Cambium-Traffic-Quota-Limit-Up", "0"),
        ("Cambium-Traffic-Quota-Limit-Up-Gigawords", "1"),
        ("Cambium-Traffic-Quota-Limit-Down", "4294967295"),
        ("Cambium-Traffic-Quota-Limit-Down-Gigawords", "0"),
        ("Cambium-Traffic-Quota-Limit-Total", "5"),
        ("Cambium-Traffic-Quota-Limit-Total-Gigawords", "1"),
        *VLAN,
    ],
    "aruba": [*TIMERS, ("Aruba-User-Role", "saring"), *VLAN],
    "cisco": [*TIMERS, ("Airespace-ACL-Name", "saring"), *VLAN],
    "meraki": [*TIMERS, *FILTER, *VLAN],
    "ruckus": [*TIMERS, ("Ruckus-User-Groups", "saring"), *VLAN],
    "mist": [*TIMERS, *FILTER, *VLAN],
    "fortinet": [*TIMERS, ("Fortinet-Group-Name", "saring")],
    "juniper": TIMERS,
    "unifi": [*TIMERS, *VLAN],
    "omada": [*TIMERS, *WISPR, *VLAN],
    "hostapd": [*TIMERS, *VLAN],
    "strongswan": [*TIMERS, *FILTER],
    "generic": [*TIMERS, *WISPR, *VLAN, *FILTER],
}


def test_every_family_has_its_expected_attributes() -> None:
    assert GOLDEN.keys() == PROFILES.keys()


@pytest.mark.parametrize("family", GOLDEN)
def test_full_authorization(family: str) -> None:
    assert list(profile_for(family).attributes(FULL)) == GOLDEN[family]


@pytest.mark.parametrize("family", GOLDEN)
def test_no_limit_is_no_attribute(family: str) -> None:
    assert list(profile_for(family).attributes(Authorization())) == []


@pytest.mark.parametrize("family", GOLDEN)
def test_a4_04_limit_of_one_is_never_sent_as_zero(family: str) -> None:
    least = Authorization(
        down_bps=1, up_bps=1, down_octets=1, up_octets=1, total_octets=1, session_timeout_seconds=1, interim_seconds=1
    )
    for name, value in profile_for(family).attributes(least):
        assert value != "0" or name.endswith("Gigawords")


@pytest.mark.parametrize("family", GOLDEN)
def test_limits_beyond_their_fields_are_clamped(family: str) -> None:
    most = Authorization(down_bps=10**12, up_bps=10**12, total_octets=2**40, session_timeout_seconds=2**33, vlan=4094)
    attributes = profile_for(family).attributes(most)
    assert attributes.integer("Session-Timeout") == 2**32 - 1


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [pytest.param(59, 60, id="below"), pytest.param(60, 60, id="at"), pytest.param(61, 61, id="above")],
)
def test_a4_08_interim_interval_is_at_least_60(seconds: int, sent: int) -> None:
    for family in PROFILES.keys() - {"meraki"}:
        reply = profile_for(family).attributes(Authorization(interim_seconds=seconds))
        assert reply.integer("Acct-Interim-Interval") == sent


@pytest.mark.parametrize(
    ("octets", "low", "high"),
    [
        pytest.param(GIB_4 - 1, GIB_4 - 1, 0, id="just under 4 GiB"),
        pytest.param(GIB_4, 0, 1, id="4 GiB"),
        pytest.param(GIB_4 + 1, 1, 1, id="just over 4 GiB"),
        pytest.param(10 * 10**9, 10 * 10**9 - 2 * GIB_4, 2, id="10 GB"),
    ],
)
def test_a4_05_wide_limits_have_both_words(octets: int, low: int, high: int) -> None:
    limit = Authorization(total_octets=octets)
    mikrotik, chilli = profile_for("mikrotik").attributes(limit), profile_for("coovachilli").attributes(limit)
    assert mikrotik.integer("Mikrotik-Total-Limit") == low
    assert mikrotik.integer("Mikrotik-Total-Limit-Gigawords") == high
    assert chilli.integer("ChilliSpot-Max-Total-Octets") == low
    assert chilli.integer("ChilliSpot-Max-Total-Gigawords") == high


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        pytest.param(Authorization(up_bps=512_000, down_bps=1_000_000), "512000/1000000", id="up stands first"),
        pytest.param(Authorization(down_bps=1_000_000), "4294967295/1000000", id="down only"),
        pytest.param(Authorization(up_bps=512_000), "512000/4294967295", id="up only"),
        pytest.param(
            Authorization(up_bps=1, down_bps=2, up_burst_bps=3, down_burst_bps=4), "1/2 3/4", id="burst without a time"
        ),
        pytest.param(
            Authorization(up_bps=1, down_bps=2, up_burst_bps=3, down_burst_bps=4, burst_seconds=8),
            "1/2 3/4 1/2 8/8",
            id="burst with a time",
        ),
        pytest.param(Authorization(up_bps=1, down_bps=2, down_burst_bps=4), "1/2 1/4", id="burst of one direction"),
        pytest.param(Authorization(up_bps=2, down_bps=2, down_burst_bps=1), "2/2 2/2", id="burst below the rate"),
        pytest.param(Authorization(down_burst_bps=4), None, id="burst without a rate"),
    ],
)
def test_mikrotik_rate_limit(authorization: Authorization, expected: str | None) -> None:
    assert profile_for("mikrotik").attributes(authorization).text("Mikrotik-Rate-Limit") == expected


def test_uspot_cuts_at_the_smallest_quota() -> None:
    limits = Authorization(down_octets=5, up_octets=3)
    assert profile_for("uspot").attributes(limits).integer("ChilliSpot-Max-Total-Octets") == 3


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [pytest.param(60, 1500, id="below"), pytest.param(1500, 1500, id="at"), pytest.param(1501, 1501, id="above")],
)
def test_strongswan_gets_no_session_that_would_loop(seconds: int, sent: int) -> None:
    limits = Authorization(session_timeout_seconds=seconds)
    assert profile_for("strongswan").attributes(limits).integer("Session-Timeout") == sent


def test_unknown_family_is_an_error() -> None:
    with pytest.raises(KeyError):
        profile_for("no such family")


# Counters


def make_report(*, view_point: int | None = None) -> Attributes:
    report = Attributes([("Acct-Input-Octets", 10), ("Acct-Output-Octets", 20), ("Acct-Output-Gigawords", 1)])
    report.add("Acct-Input-Packets", 1).add("Acct-Output-Packets", 2).add("Acct-Session-Time", 60)
    if view_point is not None:
        report.add("ChilliSpot-Acct-View-Point", view_point)
    return report


@pytest.mark.parametrize(
    ("family", "view_point", "direction", "up_octets"),
    [
        pytest.param("mikrotik", None, Direction.AUTO, 10, id="RFC 2866: input is up"),
        pytest.param("mikrotik", None, Direction.CLIENT, GIB_4 + 20, id="swapped by setting"),
        pytest.param("coovachilli", 2, Direction.AUTO, GIB_4 + 20, id="chilli says client"),
        pytest.param("coovachilli", 1, Direction.AUTO, 10, id="chilli says NAS"),
        pytest.param("coovachilli", None, Direction.AUTO, GIB_4 + 20, id="chilli is silent"),
        pytest.param("coovachilli", 2, Direction.RFC, 10, id="setting beats what chilli says"),
        pytest.param("coovachilli", 9, Direction.AUTO, GIB_4 + 20, id="a view point of no meaning"),
        pytest.param("generic", 2, Direction.AUTO, GIB_4 + 20, id="another router says client"),
    ],
)
def test_a6_08_direction(family: str, view_point: int | None, direction: Direction, up_octets: int) -> None:
    counters = profile_for(family).counters(make_report(view_point=view_point), direction)
    assert counters.up_octets == up_octets
    assert counters.up_octets + counters.down_octets == GIB_4 + 30
    assert counters.up_packets == (1 if up_octets == 10 else 2)


def test_a6_08_absent_counters_are_zero_and_said_to_be_absent() -> None:
    counters = profile_for("hostapd").counters(Attributes([("Acct-Session-Time", 5)]))
    assert (counters.up_octets, counters.down_octets, counters.session_seconds) == (0, 0, 5)
    assert not counters.has_octets
    assert not counters.has_gigawords


def test_a6_08_one_omitted_counter_is_zero() -> None:
    counters = profile_for("strongswan").counters(Attributes([("Acct-Output-Octets", 7)]))
    assert (counters.up_octets, counters.down_octets, counters.has_octets) == (0, 7, True)


def test_invalid_counter_counts_as_absent() -> None:
    counters = profile_for("generic").counters(Attributes().add_raw(42, b"\x01"))
    assert not counters.has_octets


@pytest.mark.parametrize("octets", [0, -1])
def test_a4_04_a_limit_of_nothing_is_never_sent(octets: int) -> None:
    with pytest.raises(EncodeError, match="total_octets must be positive"):
        profile_for("mikrotik").attributes(Authorization(total_octets=octets))


OWN = {"Mikrotik": {"mikrotik"}, "ChilliSpot": {"coovachilli", "uspot"}, "pfSense": {"pfsense"}, "Cambium": {"cambium"}}


@pytest.mark.parametrize("family", GOLDEN)
def test_a4_06_no_router_gets_another_vendors_attributes(family: str) -> None:
    for name, _ in profile_for(family).attributes(FULL):
        for vendor, families in OWN.items():
            assert not name.startswith(f"{vendor}-") or family in families, name


@pytest.mark.parametrize("family", GOLDEN)
def test_a4_09_one_filter_id_and_no_address_at_all(family: str) -> None:
    names = [name for name, _ in profile_for(family).attributes(FULL)]
    assert names.count("Filter-Id") <= 1
    assert not {"Framed-IP-Address", "Framed-IPv6-Address"} & set(names)
