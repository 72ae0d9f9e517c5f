"""What each family is sent when an open session changes or ends: attribute by attribute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.changes import ChangeState, Result, Way
from app.domain.granted import Limits
from app.nas import dispatch
from app.nas.dispatch import Amounts, OpenSession, Rest, Send
from radius import PROFILES, CoaKind, profile_for
from radius.attributes import Attributes
from radius.messages import CoaRequest, DisconnectRequest

AT = 1_795_000_000
REPORTED = Attributes(
    [
        ("Acct-Status-Type", 3),
        ("User-Name", "userauserauserau~ticket"),
        ("Acct-Session-Id", "81a00001"),
        ("Calling-Station-Id", "02-AA-00-00-00-01"),
        ("Called-Station-Id", "hotspot1"),
        ("Framed-IP-Address", "10.5.50.2"),
        ("NAS-IP-Address", "10.5.50.1"),
        ("NAS-Identifier", "gusung-1"),
        ("Class", b"proof"),
        ("Acct-Input-Octets", 5),
        ("Cisco-AVPair", "other=1"),
        ("Cisco-AVPair", "audit-session-id=0A32"),
    ]
)
NAME = ("User-Name", "userauserauserau~ticket")
SESSION = ("Acct-Session-Id", "81a00001")
DEVICE = ("Calling-Station-Id", "02-AA-00-00-00-01")
IP = ("Framed-IP-Address", "10.5.50.2")
NAS_IP = ("NAS-IP-Address", "10.5.50.1")
NAS_ID = ("NAS-Identifier", "gusung-1")
WHEN = "Event-Timestamp"

FULL = Limits(4_000_000, 2_000_000, 10_000_000, 7_200, 600, 60)
SLOW = FULL._replace(down_bps=512_000, up_bps=256_000, octets=9_000_000, session_seconds=6_200)
"""What is granted 1000 s and 1,000,000 octets after the start of a session that was granted FULL: slower, else equal."""


def session(held: Limits | None = FULL, *, resumes: bool = True, reported: Attributes = REPORTED) -> OpenSession:
    return OpenSession(
        reported, down_octets=800_000, up_octets=200_000, elapsed_seconds=1_000, held=held, resumes=resumes
    )


def change(
    family: str, granted: Limits, seen: OpenSession | None = None, octets_left: int | None = None
) -> Send | Rest:
    whole = granted.octets if octets_left is None else octets_left
    left = Amounts(whole, granted.down_octets, granted.up_octets)
    return dispatch.change(profile_for(family), seen or session(), granted, left=left, at=AT)


def carried(sent: Send | Rest) -> list[tuple[str, str]]:
    """Return what a CoA changes."""
    assert isinstance(sent, Send), sent
    assert isinstance(sent.query, CoaRequest)
    return list(sent.query.changes)


def named(sent: Send | Rest) -> list[tuple[str, str]]:
    """Return what names the session, without the time."""
    assert isinstance(sent, Send), sent
    query = sent.query
    identity = query.identity if isinstance(query, CoaRequest) else query.attributes
    return [(name, value) for name, value in identity if name != WHEN]


# Who is meant

IDENTITIES = {
    "mikrotik": [NAME, SESSION, IP, NAS_IP],
    "coovachilli": [NAME, SESSION],
    "uspot": [NAME, SESSION, DEVICE, IP],
    "accel-ppp": [NAME, SESSION, DEVICE, IP],
    "cambium": [NAME],
    "aruba": [DEVICE, NAS_IP],
    "cisco": [DEVICE, ("Cisco-AVPair", "audit-session-id=0A32")],
    "meraki": [DEVICE],
    "ruckus": [DEVICE, NAS_IP],
    "mist": [SESSION, DEVICE, NAS_IP],
    "fortinet": [NAME, SESSION, IP, NAS_IP],
    "hostapd": [NAME, SESSION, DEVICE, NAS_IP, NAS_ID],
    "strongswan": [NAME],
    "generic": [NAME, SESSION, NAS_IP, NAS_ID],
}
UNTOLD = {
    "opennds": (ChangeState.WAITING, Result.NEXT_REPORT),
    "pfsense": (ChangeState.WAITING, Result.NEXT_QUESTION),
    "juniper": (ChangeState.FAILED, Result.UNSUPPORTED),
    "opnsense": (ChangeState.FAILED, Result.UNSUPPORTED),
    "unifi": (ChangeState.FAILED, Result.UNSUPPORTED),
    "omada": (ChangeState.FAILED, Result.UNSUPPORTED),
}


def test_every_family_is_ended_one_way_or_not_at_all() -> None:
    assert IDENTITIES.keys() | UNTOLD.keys() == PROFILES.keys()


@pytest.mark.parametrize("family", IDENTITIES)
def test_a7_02_disconnect_names_the_session_as_its_router_does_and_carries_nothing_else(family: str) -> None:
    sent = dispatch.end(profile_for(family), session(), at=AT)
    assert isinstance(sent, Send)
    assert isinstance(sent.query, DisconnectRequest)
    assert sent.way is Way.DISCONNECT
    assert sorted(named(sent)) == sorted(IDENTITIES[family])


@pytest.mark.parametrize("family", UNTOLD)
def test_family_without_disconnect_is_left_to_what_it_asks(family: str) -> None:
    assert dispatch.end(profile_for(family), session(), at=AT) == Rest(*UNTOLD[family])


@pytest.mark.parametrize("family", IDENTITIES)
def test_a7_03_event_timestamp_is_there_save_where_it_is_refused(family: str) -> None:
    sent = dispatch.end(profile_for(family), session(), at=AT)
    assert isinstance(sent, Send)
    assert isinstance(sent.query, DisconnectRequest)
    stamp = sent.query.attributes.integer(WHEN)
    assert stamp == (None if family == "uspot" else AT)


@pytest.mark.parametrize("family", [f for f in IDENTITIES if profile_for(f).coa.needed])
def test_router_that_never_said_what_it_needs_is_not_asked(family: str) -> None:
    silent = session(reported=Attributes([("Acct-Status-Type", 3)]))
    assert dispatch.end(profile_for(family), silent, at=AT) == Rest(
        ChangeState.FAILED, Result.NAMELESS, profile_for(family).coa.needed[0]
    )


# What a CoA says


def test_coovachilli_is_always_told_everything_counted_from_the_start() -> None:
    sent = change("coovachilli", SLOW)
    assert carried(sent) == [
        ("Session-Timeout", "7200"),
        ("Idle-Timeout", "600"),
        ("Acct-Interim-Interval", "60"),
        ("WISPr-Bandwidth-Max-Down", "512000"),
        ("WISPr-Bandwidth-Max-Up", "256000"),
        ("ChilliSpot-Max-Total-Octets", "10000000"),
        ("ChilliSpot-Max-Total-Gigawords", "0"),
    ]
    assert named(sent) == [NAME, SESSION]
    assert isinstance(sent, Send)
    assert sent.told == Limits(512_000, 256_000, 10_000_000, 7_200, 600, 60)


def test_coovachilli_gets_more_than_four_gigabytes_in_two_words() -> None:
    sent = carried(change("coovachilli", FULL._replace(octets=2**33)))
    assert ("ChilliSpot-Max-Total-Octets", "1000000") in sent
    assert ("ChilliSpot-Max-Total-Gigawords", "2") in sent


def test_amount_of_one_direction_counts_what_went_that_way() -> None:
    one_way = SLOW._replace(octets=None, down_octets=2_200_000, up_octets=300_000)
    sent = carried(change("coovachilli", one_way))
    assert ("ChilliSpot-Max-Output-Octets", "3000000") in sent
    assert ("ChilliSpot-Max-Input-Octets", "500000") in sent


def test_coovachilli_is_not_told_an_amount_where_there_is_none() -> None:
    """It reads what is left out as no limit, and nobody who is slowed down is cut for good by an old amount."""
    sent = carried(change("coovachilli", SLOW._replace(octets=None)))
    assert not [name for name, _ in sent if "Octets" in name]


def test_mikrotik_is_told_rate_and_idle_time_and_neither_total_nor_gigawords() -> None:
    sent = change("mikrotik", SLOW)
    assert carried(sent) == [("Idle-Timeout", "600"), ("Mikrotik-Rate-Limit", "256000/512000")]
    assert named(sent) == [NAME, SESSION, IP, NAS_IP]


def test_mikrotik_keeps_what_it_is_not_told_so_no_limit_is_said_aloud() -> None:
    unlimited = SLOW._replace(down_bps=None, up_bps=None)
    assert carried(change("mikrotik", unlimited))[-1] == ("Mikrotik-Rate-Limit", f"{2**32 - 1}/{2**32 - 1}")


def test_mikrotik_is_cut_and_comes_back_where_its_total_shrinks() -> None:
    shrunk = FULL._replace(octets=5_000_000, session_seconds=6_200)
    sent = change("mikrotik", shrunk)
    assert isinstance(sent, Send)
    assert sent.way is Way.RESUME
    assert isinstance(sent.query, DisconnectRequest)
    waits = change("mikrotik", shrunk, session(resumes=False))
    assert waits == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)


def test_mikrotik_runs_into_its_old_total_where_it_grows() -> None:
    grown = FULL._replace(octets=50_000_000, session_seconds=6_200)
    assert change("mikrotik", grown) == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)


def test_a_smaller_slice_of_the_same_whole_cuts_nobody() -> None:
    halved = FULL._replace(octets=4_500_000, session_seconds=6_200)
    assert change("mikrotik", halved, octets_left=9_000_000) == Rest(ChangeState.DONE, Result.UNNEEDED)


def test_a_smaller_slice_of_the_same_whole_is_said_where_a_coa_carries_octets() -> None:
    halved = FULL._replace(octets=4_500_000, session_seconds=6_200)
    sent = change("coovachilli", halved, octets_left=9_000_000)
    assert ("ChilliSpot-Max-Total-Octets", "5500000") in carried(sent)
    assert isinstance(sent, Send)
    assert sent.told == FULL._replace(octets=5_500_000)
    assert sent.otherwise == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)  # refused, it is worth no cut


def test_uspot_is_told_its_three_timers_from_the_start_and_nothing_else() -> None:
    sent = change("uspot", FULL._replace(octets=9_000_000, session_seconds=3_000))
    assert carried(sent) == [("Session-Timeout", "4000"), ("Idle-Timeout", "600"), ("Acct-Interim-Interval", "60")]
    assert isinstance(sent, Send)
    assert isinstance(sent.query, CoaRequest)
    assert WHEN not in sent.query.identity


def test_accel_ppp_counts_from_now() -> None:
    sent = change("accel-ppp", SLOW._replace(session_seconds=3_000))
    assert carried(sent) == [("Session-Timeout", "3000"), ("Filter-Id", "512/256")]


def test_strongswan_counts_from_now_and_gets_no_time_in_which_its_client_would_loop() -> None:
    assert carried(change("strongswan", FULL._replace(octets=9_000_000, session_seconds=3_000))) == [
        ("Session-Timeout", "3000")
    ]
    assert carried(change("strongswan", FULL._replace(octets=9_000_000, session_seconds=60))) == [
        ("Session-Timeout", "1500")
    ]


@pytest.mark.parametrize("family", ["uspot", "generic", "cambium"])
def test_rate_that_only_an_accept_carries_is_brought_by_cut_and_resume(family: str) -> None:
    sent = change(family, SLOW)
    assert isinstance(sent, Send)
    assert sent.way is Way.RESUME


def test_what_relieves_cuts_nobody_who_would_not_come_back() -> None:
    faster = SLOW._replace(down_bps=8_000_000, up_bps=4_000_000)
    assert change("generic", faster, session(resumes=False)) == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)
    cut = change("generic", faster)
    assert isinstance(cut, Send)
    assert cut.way is Way.RESUME


def test_what_holds_down_cuts_also_who_must_log_in_again() -> None:
    sent = change("generic", SLOW, session(resumes=False))
    assert isinstance(sent, Send)
    assert sent.way is Way.RESUME


def test_what_only_the_hour_holds_down_cuts_nobody_who_would_not_come_back() -> None:
    def at_the_edge(family: str, *, resumes: bool) -> Send | Rest:
        left = Amounts(SLOW.octets)
        profile = profile_for(family)
        return dispatch.change(profile, session(resumes=resumes), SLOW, left=left, at=AT, gently=True)

    assert at_the_edge("generic", resumes=False) == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)
    for sent in (at_the_edge("generic", resumes=True), at_the_edge("mikrotik", resumes=False)):
        assert isinstance(sent, Send)
    refused = at_the_edge("coovachilli", resumes=False)
    assert isinstance(refused, Send)
    assert isinstance(refused.otherwise, Rest)


@pytest.mark.parametrize(("before", "after"), [(20, 10), (10, 20), (None, 10), (10, None)])
def test_another_vlan_is_brought_by_cut_and_resume(before: int | None, after: int | None) -> None:
    moved = FULL._replace(octets=9_000_000, session_seconds=6_200, vlan=after)
    sent = change("hostapd", moved, session(FULL._replace(vlan=before), resumes=False))
    assert isinstance(sent, Send)
    assert sent.way is Way.RESUME


def test_a7_07_refused_change_becomes_a_cut_where_that_reaches_the_same() -> None:
    sent = change("coovachilli", SLOW)
    assert isinstance(sent, Send)
    assert isinstance(sent.otherwise, Send)
    assert sent.otherwise.way is Way.RESUME
    later = change("coovachilli", FULL._replace(octets=9_000_000, session_seconds=3_000))
    assert isinstance(later, Send)
    assert later.otherwise == Rest(ChangeState.WAITING, Result.NEXT_LOGIN)


@pytest.mark.parametrize("family", ["aruba", "mikrotik"])
def test_role_that_is_taken_back_ends_by_a_cut(family: str) -> None:
    sent = change(family, Limits(), session(Limits(filter_id="garden")))
    assert isinstance(sent, Send)
    assert sent.way is Way.RESUME  # a CoA that leaves it out would leave it as it is


@pytest.mark.parametrize("family", ["hostapd", "strongswan"])
def test_family_that_limits_no_rate_says_so(family: str) -> None:
    assert change(family, SLOW) == Rest(ChangeState.FAILED, Result.UNSUPPORTED)


@pytest.mark.parametrize("family", ["unifi", "omada", "opnsense", "pfsense", "opennds"])
def test_family_without_coa_and_disconnect_holds_it_from_the_next_time_it_asks(family: str) -> None:
    result = Result.NEXT_QUESTION if family == "pfsense" else Result.NEXT_LOGIN
    granted = SLOW._replace(session_seconds=3_000)
    assert change(family, granted) == Rest(ChangeState.WAITING, result)


@pytest.mark.parametrize("family", sorted(PROFILES))
def test_what_holds_already_is_not_said_again(family: str) -> None:
    same = FULL._replace(octets=9_000_000, session_seconds=6_200)
    assert change(family, same) == Rest(ChangeState.DONE, Result.UNNEEDED)


@pytest.mark.parametrize("family", sorted(PROFILES))
def test_no_coa_carries_what_its_family_does_not_list(family: str) -> None:
    profile = profile_for(family)
    sent = change(family, Limits(64_000, 32_000, 5, 5, 5, 60), session(None))
    if not isinstance(sent, Send) or not isinstance(sent.query, CoaRequest):
        return
    assert profile.coa.kind is not CoaKind.DISCONNECT_ONLY
    assert {name for name, _ in sent.query.changes} <= set(profile.coa.attributes)
    assert {name for name, _ in sent.query.identity} <= {*profile.coa.identity, WHEN}


# For all limits

RATE = st.none() | st.integers(1_000, 2**32 - 1)
AMOUNT = st.none() | st.integers(1, 2**50)
SECONDS = st.none() | st.integers(1, 2**31 - 1)
LIMITS = st.builds(
    Limits,
    down_bps=RATE,
    up_bps=RATE,
    octets=AMOUNT,
    session_seconds=SECONDS,
    idle_seconds=SECONDS,
    interim_seconds=st.none() | st.integers(60, 86_400),
    filter_id=st.none() | st.just("garden"),
    down_octets=AMOUNT,
    up_octets=AMOUNT,
    down_burst_bps=RATE,
    up_burst_bps=RATE,
    burst_seconds=st.none() | st.integers(1, 60),
    vlan=st.none() | st.integers(1, 4094),
    address_list=st.none() | st.just("garden"),
)
USED = st.integers(0, 2**50)


@given(st.sampled_from(sorted(PROFILES)), LIMITS, st.none() | LIMITS, USED, USED, st.integers(0, 10**7), st.booleans())
def test_whatever_changes_a_router_is_sent_only_what_its_family_takes(  # noqa: PLR0917 # drawn one by one
    family: str, granted: Limits, held: Limits | None, down: int, up: int, elapsed: int, resumes: bool
) -> None:
    profile = profile_for(family)
    seen = OpenSession(REPORTED, down, up, elapsed, held, resumes)
    left = Amounts(granted.octets, granted.down_octets, granted.up_octets)
    step: Send | Rest | None = dispatch.change(profile, seen, granted, left=left, at=AT)
    while isinstance(step, Send):
        query = step.query
        identity = query.identity if isinstance(query, CoaRequest) else query.attributes
        assert {name for name, _ in identity} <= {*profile.coa.identity, WHEN}
        assert all(name in identity for name in profile.coa.needed)
        if isinstance(query, CoaRequest):
            assert step.way is Way.COA
            assert query.changes
            assert {name for name, _ in query.changes} <= set(profile.coa.attributes)
        else:
            assert step.way is Way.RESUME
            assert step.otherwise is None
        step = step.otherwise


@given(LIMITS, LIMITS, USED, USED, st.integers(0, 10**7))
def test_chilli_is_told_the_whole_set_from_its_start_and_never_an_amount_that_is_used_up(
    granted: Limits, held: Limits, down: int, up: int, elapsed: int
) -> None:
    seen = OpenSession(REPORTED, down, up, elapsed, held, resumes=False)
    left = Amounts(granted.octets, granted.down_octets, granted.up_octets)
    step = dispatch.change(profile_for("coovachilli"), seen, granted, left=left, at=AT)
    if not isinstance(step, Send) or not isinstance(step.query, CoaRequest):
        return
    said = step.query.changes

    def wide(name: str) -> int | None:
        low, high = said.integer(f"ChilliSpot-Max-{name}-Octets"), said.integer(f"ChilliSpot-Max-{name}-Gigawords")
        return None if low is None or high is None else (high << 32) + low

    for name, limit, used in (
        ("Total", granted.octets, down + up),
        ("Output", granted.down_octets, down),
        ("Input", granted.up_octets, up),
    ):
        assert wide(name) == (None if limit is None else limit + used)
    seconds = granted.session_seconds
    assert said.integer("Session-Timeout") == (None if seconds is None else min(seconds + elapsed, 2**32 - 1))
    assert said.integer("Idle-Timeout") == granted.idle_seconds
    assert said.integer("WISPr-Bandwidth-Max-Down") == granted.down_bps
    assert said.integer("WISPr-Bandwidth-Max-Up") == granted.up_bps
