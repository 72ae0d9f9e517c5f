"""Each family by itself: its limits at their bounds, what a CoA may carry, and what finds a session."""

import pytest

from radius import PROFILES, Authorization, CoaBase, CoaKind, Direction, EncodeError, profile_for
from radius.dictionary import BY_NAME

GIB_4 = 2**32

CHILLI_TOTAL = ("ChilliSpot-Max-Total-Octets", "ChilliSpot-Max-Total-Gigawords")
MIKROTIK_TOTAL = ("Mikrotik-Total-Limit", "Mikrotik-Total-Limit-Gigawords")
CAMBIUM_TOTAL = ("Cambium-Traffic-Quota-Limit-Total", "Cambium-Traffic-Quota-Limit-Total-Gigawords")
WIDE = {"mikrotik": MIKROTIK_TOTAL, "coovachilli": CHILLI_TOTAL, "cambium": CAMBIUM_TOTAL}
NARROW = {"uspot": "ChilliSpot-Max-Total-Octets", "pfsense": "pfSense-Max-Total-Octets"}
NO_OCTETS = {
    *("opennds", "opnsense", "accel-ppp", "aruba", "cisco", "meraki", "ruckus", "mist", "fortinet", "juniper"),
    *("unifi", "omada", "hostapd", "strongswan", "generic"),
}


def test_every_family_is_in_one_table_of_octets() -> None:
    assert WIDE.keys() | NARROW.keys() | NO_OCTETS == PROFILES.keys()


@pytest.mark.parametrize("family", WIDE)
@pytest.mark.parametrize(
    ("octets", "low", "high"),
    [
        pytest.param(1, "1", "0", id="one"),
        pytest.param(GIB_4 - 1, "4294967295", "0", id="just under 4 GiB"),
        pytest.param(GIB_4, "0", "1", id="4 GiB"),
        pytest.param(GIB_4 + 1, "1", "1", id="just over 4 GiB"),
        pytest.param(50 * 10**9, "2755359744", "11", id="50 GB"),
    ],
)
def test_wide_amount_is_exact_in_two_words(family: str, octets: int, low: str, high: str) -> None:
    low_name, high_name = WIDE[family]
    assert list(profile_for(family).attributes(Authorization(total_octets=octets))) == [
        (low_name, low),
        (high_name, high),
    ]


@pytest.mark.parametrize("family", NARROW)
@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        pytest.param(Authorization(total_octets=1), "1", id="one"),
        pytest.param(Authorization(total_octets=GIB_4 - 1), "4294967295", id="just under 4 GiB"),
        pytest.param(Authorization(total_octets=GIB_4), "4294967295", id="4 GiB is cut early"),
        pytest.param(Authorization(total_octets=GIB_4 + 1), "4294967295", id="just over 4 GiB is cut early"),
        pytest.param(Authorization(down_octets=700, up_octets=300), "300", id="the smaller direction"),
        pytest.param(Authorization(total_octets=500, down_octets=700), "500", id="the total below a direction"),
    ],
)
def test_narrow_amount_cuts_too_early_rather_than_too_late(family: str, limits: Authorization, sent: str) -> None:
    assert list(profile_for(family).attributes(limits)) == [(NARROW[family], sent)]


@pytest.mark.parametrize("family", sorted(NO_OCTETS))
def test_family_without_amounts_is_sent_none(family: str) -> None:
    limits = Authorization(total_octets=GIB_4, down_octets=5, up_octets=5)
    assert list(profile_for(family).attributes(limits)) == []


# Rates

WISPR = ("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up")
PFSENSE = ("pfSense-Bandwidth-Max-Down", "pfSense-Bandwidth-Max-Up")
IN_BITS = {
    "coovachilli": WISPR,
    "uspot": WISPR,
    "cambium": WISPR,
    "omada": WISPR,
    "generic": WISPR,
    "pfsense": PFSENSE,
}
NO_RATES = {
    *("opennds", "opnsense", "aruba", "cisco", "meraki", "ruckus", "mist", "fortinet", "juniper"),
    *("unifi", "hostapd", "strongswan"),
}


def test_every_family_is_in_one_table_of_rates() -> None:
    assert IN_BITS.keys() | NO_RATES | {"mikrotik", "accel-ppp"} == PROFILES.keys()


@pytest.mark.parametrize("family", IN_BITS)
@pytest.mark.parametrize(
    ("down_bps", "up_bps", "down", "up"),
    [
        pytest.param(512_000, 64_000, "512000", "64000", id="k is a thousand"),
        pytest.param(4_000_000, 1_500_000, "4000000", "1500000", id="M is a million"),
        pytest.param(1_999_999, 1_001, "1999999", "1001", id="exact to the bit"),
        pytest.param(GIB_4, 10**10, "4294967295", "4294967295", id="beyond the field"),
    ],
)
def test_rate_in_bits_is_exact(family: str, down_bps: int, up_bps: int, down: str, up: str) -> None:
    down_name, up_name = IN_BITS[family]
    reply = profile_for(family).attributes(Authorization(down_bps=down_bps, up_bps=up_bps))
    assert list(reply) == [(down_name, down), (up_name, up)]


@pytest.mark.parametrize("family", sorted(NO_RATES))
def test_family_without_rates_is_sent_none(family: str) -> None:
    assert list(profile_for(family).attributes(Authorization(down_bps=1_000_000, up_bps=1_000_000))) == []


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        pytest.param(Authorization(down_bps=4_000_000, up_bps=2_000_000), "4000/2000", id="down stands first"),
        pytest.param(Authorization(down_bps=1_999_999, up_bps=512_999), "1999/512", id="rounded down: never too much"),
        pytest.param(Authorization(down_bps=999, up_bps=1), "1/1", id="never nothing, which is no limit"),
        pytest.param(Authorization(down_bps=2_000_000), "2000/4294967", id="one number alone would limit both"),
        pytest.param(Authorization(up_bps=2_000_000), "4294967/2000", id="up only"),
        pytest.param(Authorization(down_bps=10**13, up_bps=10**13), "4294967/4294967", id="beyond the field"),
    ],
)
def test_accel_ppp_rate(limits: Authorization, sent: str) -> None:
    assert list(profile_for("accel-ppp").attributes(limits)) == [("Filter-Id", sent)]


def test_accel_ppp_reads_no_filter_where_its_rate_stands() -> None:
    assert list(profile_for("accel-ppp").attributes(Authorization(filter_id="saring"))) == []


@pytest.mark.parametrize(
    ("bps", "sent"),
    [
        pytest.param(1, "1000", id="would be nothing after its division"),
        pytest.param(999, "1000", id="just under a kilobit"),
        pytest.param(1000, "1000", id="a kilobit"),
        pytest.param(1001, "1001", id="just over a kilobit"),
    ],
)
def test_pfsense_rate_never_becomes_nothing(bps: int, sent: str) -> None:
    assert list(profile_for("pfsense").attributes(Authorization(down_bps=bps))) == [(PFSENSE[0], sent)]


# Timers


@pytest.mark.parametrize(
    ("family", "seconds", "sent"),
    [
        pytest.param("opnsense", 59, "60", id="opnsense below"),
        pytest.param("opnsense", 60, "60", id="opnsense at"),
        pytest.param("opnsense", 61, "61", id="opnsense above"),
        pytest.param("meraki", 299, "300", id="meraki below"),
        pytest.param("meraki", 300, "300", id="meraki at"),
        pytest.param("meraki", 301, "301", id="meraki above"),
    ],
)
def test_interim_is_never_shorter_than_the_family_takes(family: str, seconds: int, sent: str) -> None:
    profile = profile_for(family)
    assert list(profile.attributes(Authorization(interim_seconds=seconds))) == [("Acct-Interim-Interval", sent)]


SHORTEST = dict.fromkeys(PROFILES, 60) | {"meraki": 300}


@pytest.mark.parametrize("family", PROFILES)
def test_shortest_interim_is_what_is_sent(family: str) -> None:
    profile = profile_for(family)
    assert profile.shortest_interim_seconds == SHORTEST[family]
    reply = profile.attributes(Authorization(interim_seconds=1))
    assert reply.integer("Acct-Interim-Interval") == SHORTEST[family]


@pytest.mark.parametrize("family", PROFILES)
@pytest.mark.parametrize(
    "spent",
    [
        Authorization(total_octets=0),
        Authorization(down_octets=0),
        Authorization(up_octets=-1),
        Authorization(session_timeout_seconds=0),
        Authorization(idle_timeout_seconds=0),
        Authorization(down_bps=0),
        Authorization(up_bps=0),
    ],
    ids=["total", "down", "up overrun", "time", "idle", "down rate", "up rate"],
)
def test_what_is_used_up_is_refused_and_never_sent_as_nothing(family: str, spent: Authorization) -> None:
    with pytest.raises(EncodeError, match="must be positive"):
        profile_for(family).attributes(spent)


# What changes while somebody is online

TIMERS = ("Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval")
COA = {
    "mikrotik": (
        CoaKind.IDENTITY_PAIR,
        (*TIMERS[:2], "Mikrotik-Rate-Limit", "Mikrotik-Recv-Limit", "Mikrotik-Xmit-Limit", "Filter-Id"),
        None,
    ),
    "coovachilli": (
        CoaKind.FULL_SET,
        (
            *TIMERS,
            *WISPR,
            "ChilliSpot-Max-Input-Octets",
            "ChilliSpot-Max-Output-Octets",
            "ChilliSpot-Max-Total-Octets",
            "ChilliSpot-Max-Input-Gigawords",
            "ChilliSpot-Max-Output-Gigawords",
            "ChilliSpot-Max-Total-Gigawords",
        ),
        CoaBase.START,
    ),
    "opennds": (CoaKind.AGENT, (), None),
    "uspot": (CoaKind.ALLOW_LIST, TIMERS, CoaBase.START),
    "pfsense": (CoaKind.REAUTH_POLL, PFSENSE, None),
    "opnsense": (CoaKind.API, (), None),
    "accel-ppp": (CoaKind.ALLOW_LIST, ("Session-Timeout", "Filter-Id"), CoaBase.NOW),
    "cambium": (CoaKind.DISCONNECT_ONLY, (), None),
    "aruba": (CoaKind.ROLE_ONLY, ("Aruba-User-Role",), None),
    "cisco": (CoaKind.ROLE_ONLY, ("Cisco-AVPair",), None),
    "meraki": (CoaKind.DISCONNECT_ONLY, (), None),
    "ruckus": (CoaKind.DISCONNECT_ONLY, (), None),
    "mist": (CoaKind.DISCONNECT_ONLY, (), None),
    "fortinet": (CoaKind.DISCONNECT_ONLY, (), None),
    "juniper": (CoaKind.DISCONNECT_ONLY, (), None),
    "unifi": (CoaKind.API, (), None),
    "omada": (CoaKind.API, (), None),
    "hostapd": (CoaKind.DISCONNECT_ONLY, (), None),
    "strongswan": (CoaKind.ALLOW_LIST, ("Session-Timeout",), CoaBase.NOW),
    "generic": (CoaKind.DISCONNECT_ONLY, (), None),
}

IDENTITY = {  # all that may name a session, and what must stand among it
    "mikrotik": (
        ("User-Name", "Framed-IP-Address", "Acct-Session-Id", "NAS-IP-Address"),
        ("User-Name", "Framed-IP-Address"),
    ),
    "coovachilli": (("User-Name", "Acct-Session-Id"), ("User-Name",)),
    "opennds": ((), ()),
    "uspot": (("User-Name", "Acct-Session-Id", "Calling-Station-Id", "Framed-IP-Address"), ()),
    "pfsense": ((), ()),
    "opnsense": ((), ()),
    "accel-ppp": (("Acct-Session-Id", "User-Name", "Framed-IP-Address", "Calling-Station-Id"), ()),
    "cambium": (("User-Name",), ("User-Name",)),
    "aruba": (("Calling-Station-Id", "NAS-IP-Address"), ("Calling-Station-Id",)),
    "cisco": (("Calling-Station-Id", "Cisco-AVPair"), ("Calling-Station-Id",)),
    "meraki": (("Calling-Station-Id",), ("Calling-Station-Id",)),
    "ruckus": (("Calling-Station-Id", "NAS-IP-Address"), ("Calling-Station-Id",)),
    "mist": (("Calling-Station-Id", "NAS-IP-Address", "Acct-Session-Id"), ("Calling-Station-Id",)),
    "fortinet": (("Acct-Session-Id", "User-Name", "Framed-IP-Address", "NAS-IP-Address"), ("Acct-Session-Id",)),
    "juniper": ((), ()),
    "unifi": (("Calling-Station-Id", "NAS-IP-Address", "Acct-Session-Id"), ()),
    "omada": ((), ()),
    "hostapd": (("User-Name", "Acct-Session-Id", "Calling-Station-Id", "NAS-IP-Address", "NAS-Identifier"), ()),
    "strongswan": (("User-Name",), ("User-Name",)),
    "generic": (("User-Name", "Acct-Session-Id", "NAS-IP-Address", "NAS-Identifier"), ()),
}


@pytest.mark.parametrize("family", PROFILES)
def test_what_a_coa_may_carry(family: str) -> None:
    coa = profile_for(family).coa
    assert (coa.kind, coa.attributes, coa.base) == COA[family]
    assert coa.signed is (family != "uspot")
    assert coa.port == 3799


@pytest.mark.parametrize("family", PROFILES)
def test_what_finds_a_session(family: str) -> None:
    coa = profile_for(family).coa
    assert (coa.identity, coa.needed) == IDENTITY[family]


def test_full_set_of_chilli_is_all_that_an_accept_may_limit() -> None:
    limits = Authorization(
        down_bps=1, up_bps=2, down_octets=3, up_octets=4, total_octets=5,
        session_timeout_seconds=6, idle_timeout_seconds=7, interim_seconds=60,
    )  # fmt: skip
    sent = [name for name, _value in profile_for("coovachilli").attributes(limits)]
    assert sorted(sent) == sorted(COA["coovachilli"][1])


# What is said of a family is what it is sent

FULL = Authorization(
    down_bps=4_000_000, up_bps=2_000_000, down_octets=7, up_octets=8, total_octets=9, session_timeout_seconds=3600,
    idle_timeout_seconds=600, interim_seconds=300, filter_id="saring",
)  # fmt: skip
BY_OTHER_MEANS = {"opennds": {"uploadrate", "downloadrate", "uploadquota", "downloadquota"}}
SENT_BUT_NOT_KNOWN_TO_BE_READ = {"omada": set(WISPR)}


@pytest.mark.parametrize("family", PROFILES)
def test_limits_that_are_named_are_those_that_are_sent(family: str) -> None:
    limits = profile_for(family).limits
    named = {name for told in (limits.rate, limits.octets) if told is not None for name in told.names}
    named |= {limits.role} if limits.role else set()
    sent = {name for name, _value in profile_for(family).attributes(FULL) if not name.endswith("Gigawords")}
    assert set(limits.timers) <= sent
    assert named - BY_OTHER_MEANS.get(family, set()) == sent - set(TIMERS) - SENT_BUT_NOT_KNOWN_TO_BE_READ.get(
        family, set()
    )


@pytest.mark.parametrize("family", PROFILES)
def test_largest_amount_tells_whether_there_is_a_high_word(family: str) -> None:
    octets = profile_for(family).limits.octets
    assert (octets is not None and octets.largest == 2**64 - 1) is (family in WIDE)


@pytest.mark.parametrize("family", PROFILES)
def test_every_attribute_that_is_named_is_in_a_dictionary(family: str) -> None:
    profile = profile_for(family)
    named = {*profile.limits.timers, *profile.coa.attributes, *profile.coa.identity, *profile.coa.needed}
    named |= {profile.limits.role} if profile.limits.role else set()
    for told in (profile.limits.rate, profile.limits.octets):
        named |= set(told.names) if told is not None else set()
    assert named - BY_OTHER_MEANS.get(family, set()) <= BY_NAME.keys()


TRIED = {"coovachilli", "opennds", "hostapd", "strongswan", "generic"}


@pytest.mark.parametrize("family", PROFILES)
def test_family_is_experimental_until_it_was_tried(family: str) -> None:
    assert profile_for(family).experimental is (family not in TRIED)


def test_only_opnsense_is_known_to_send_no_gigawords_and_only_chilli_counts_from_the_other_side() -> None:
    assert [f for f in PROFILES if profile_for(f).reports_gigawords is False] == ["opnsense"]
    assert [f for f in PROFILES if profile_for(f).direction is Direction.CLIENT] == ["coovachilli"]
