"""Accounting packets in our words (standards A6.04 to A6.13)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.acceptances import Acceptance, class_value
from app.domain.reports import NasRestart, ReportKind, SessionReport, Unusable, UnusableReason
from app.node.reports import ReportingNas, event_time, named, to_report
from radius.attributes import Attributes
from radius.codes import StatusType
from radius.values import Value
from radius.vendors import profile_for
from radius.vendors.profile import Direction

ARRIVED = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
KEY = b"k" * 32
NAS = ReportingNas("nasanasanasanasa", profile_for("mikrotik"), Direction.AUTO)
ACCEPTANCE = Acceptance("00112233aabbccdd", "abcdefghijklmnop")
GIGA = 2**32


def report(
    status: StatusType | int | None = StatusType.STOP, nas: ReportingNas = NAS, /, **said: Value
) -> SessionReport | NasRestart | Unusable:
    attributes = Attributes([(name.replace("_", "-"), value) for name, value in said.items()])
    return to_report(attributes, status, nas=nas, source="10.9.8.7", arrived_at=ARRIVED.timestamp(), class_key=KEY)


def session(**said: Value) -> SessionReport:
    found = report(StatusType.STOP, NAS, **{"Acct_Session_Id": "81a00001", **said})
    assert isinstance(found, SessionReport)
    return found


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (StatusType.START, ReportKind.START),
        (StatusType.INTERIM_UPDATE, ReportKind.INTERIM),
        (StatusType.STOP, ReportKind.STOP),
    ],
)
def test_kind(status: StatusType, kind: ReportKind) -> None:
    found = report(status, Acct_Session_Id="1")
    assert isinstance(found, SessionReport)
    assert found.kind is kind


def test_a6_08_totals_have_64_bits_and_input_is_up() -> None:
    found = session(Acct_Input_Octets=10, Acct_Input_Gigawords=1, Acct_Output_Octets=20, Acct_Output_Gigawords=2)
    assert (found.up_octets, found.down_octets) == (GIGA + 10, 2 * GIGA + 20)


@pytest.mark.parametrize(
    ("nas", "view", "up"),
    [
        pytest.param(NAS, None, 10, id="as RFC 2866 says"),
        pytest.param(
            ReportingNas("n" * 16, profile_for("mikrotik"), Direction.CLIENT), None, 20, id="pinned to client"
        ),
        pytest.param(ReportingNas("n" * 16, profile_for("coovachilli"), Direction.AUTO), 2, 20, id="chilli as shipped"),
        pytest.param(ReportingNas("n" * 16, profile_for("coovachilli"), Direction.AUTO), 1, 10, id="chilli swapped"),
        pytest.param(ReportingNas("n" * 16, profile_for("coovachilli"), Direction.RFC), 2, 10, id="pinned to RFC"),
    ],
)
def test_direction(nas: ReportingNas, view: int | None, up: int) -> None:
    said: dict[str, Value] = {} if view is None else {"ChilliSpot_Acct_View_Point": view}
    found = report(StatusType.STOP, nas, Acct_Session_Id="1", Acct_Input_Octets=10, Acct_Output_Octets=20, **said)
    assert isinstance(found, SessionReport)
    assert found.up_octets == up


@pytest.mark.parametrize(
    ("stamp", "delay", "expected"),
    [
        pytest.param(None, None, timedelta(), id="nothing said: the arrival"),
        pytest.param(timedelta(hours=-2), None, timedelta(hours=-2), id="stamped"),
        pytest.param(timedelta(hours=-2), 30, timedelta(hours=-2), id="stamped and delayed: never both"),
        pytest.param(timedelta(hours=-24), None, timedelta(hours=-24), id="just a day ago"),
        pytest.param(timedelta(hours=-24, seconds=-1), 5, timedelta(seconds=-5), id="more than a day ago"),
        pytest.param(timedelta(minutes=5), None, timedelta(minutes=5), id="clock five minutes fast"),
        pytest.param(timedelta(minutes=5, seconds=1), 5, timedelta(seconds=-5), id="clock faster than that"),
        pytest.param(None, 40, timedelta(seconds=-40), id="delayed"),
        pytest.param(None, 86_401, timedelta(), id="a delay beyond a day is no delay"),
    ],
)
def test_a6_11_event_time(stamp: timedelta | None, delay: int | None, expected: timedelta) -> None:
    attributes = Attributes()
    if stamp is not None:
        attributes.add("Event-Timestamp", ARRIVED + stamp)
    if delay is not None:
        attributes.add("Acct-Delay-Time", delay)
    assert event_time(attributes, ARRIVED.timestamp()) == ARRIVED + expected


@pytest.mark.parametrize(
    ("value", "mac"),
    [
        ("02-AA-00-00-00-01", "02:aa:00:00:00:01"),
        ("02:aa:00:00:00:01:Gusung", "02:aa:00:00:00:01"),
        ("02aa00000001", "02:aa:00:00:00:01"),
        ("10.99.10.194[4500]", ""),
    ],
)
def test_device(value: str, mac: str) -> None:
    assert session(Calling_Station_Id=value).mac == mac


def test_class_of_ours_names_the_acceptance_among_other_peoples_classes() -> None:
    attributes = Attributes([("Acct-Session-Id", "1"), ("Class", b"of somebody else")])
    attributes.add("Class", class_value(ACCEPTANCE, key=KEY, nas_id=NAS.id))
    found = to_report(
        attributes, StatusType.START, nas=NAS, source="10.9.8.7", arrived_at=ARRIVED.timestamp(), class_key=KEY
    )
    assert isinstance(found, SessionReport)
    assert (found.account_id, found.acceptance_id) == (ACCEPTANCE.account_id, ACCEPTANCE.id)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(class_value(ACCEPTANCE, key=KEY, nas_id="anothernasanothe"), id="issued to another NAS"),
        pytest.param(class_value(ACCEPTANCE, key=b"x" * 32, nas_id=NAS.id), id="another key"),
        pytest.param(b"\x01", id="cut short"),
    ],
)
def test_c5_11_class_that_we_did_not_issue_here_charges_nobody(value: bytes) -> None:
    assert session(Class=value).account_id is None


def test_scope_is_the_nas_identifier_else_the_source() -> None:
    assert session(NAS_Identifier="gusung-1").nas_scope == "gusung-1"
    assert session(NAS_IP_Address="127.0.0.1").nas_scope == "10.9.8.7"


@pytest.mark.parametrize(
    ("status", "cause"), [(StatusType.ACCOUNTING_ON, "NAS-Reboot"), (StatusType.ACCOUNTING_OFF, "NAS-Request")]
)
def test_a6_13_restart_needs_neither_session_nor_name(status: StatusType, cause: str) -> None:
    assert report(status) == NasRestart(NAS.id, "10.9.8.7", ARRIVED, cause)


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        pytest.param(None, {"Acct_Session_Id": "1"}, UnusableReason.NO_STATUS_TYPE, id="no status type"),
        pytest.param(15, {"Acct_Session_Id": "1"}, UnusableReason.NO_STATUS_TYPE, id="Failed"),
        pytest.param(StatusType.START, {}, UnusableReason.NO_SESSION_ID, id="no session id"),
        pytest.param(
            StatusType.STOP,
            {"Acct_Session_Id": "1", "Acct_Input_Gigawords": 2**31},
            UnusableReason.IMPLAUSIBLE,
            id="more octets than any line carries",
        ),
    ],
)
def test_a6_15_unusable(status: StatusType | None, said: dict[str, Value], reason: UnusableReason) -> None:
    assert report(status, NAS, **said) == Unusable(reason)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"Acct_Terminate_Cause": 1}, "User-Request"),
        ({"Acct_Terminate_Cause": 250}, "250"),
        ({}, ""),
    ],
)
def test_terminate_cause(said: dict[str, Value], cause: str) -> None:
    assert session(**said).terminate_cause == cause


def test_absent_counters_are_zero() -> None:
    found = session(Acct_Session_Time=60)
    assert (found.up_octets, found.down_octets, found.session_seconds) == (0, 0, 60)


@given(st.binary(min_size=1, max_size=253))
def test_any_identifier_becomes_text_that_every_database_takes(raw: bytes) -> None:
    text = named(raw)
    assert 0 < len(text) <= 253
    assert "\0" not in text
    text.encode()


@given(
    st.lists(st.tuples(st.integers(1, 255), st.binary(min_size=1, max_size=40)), max_size=12),
    st.one_of(st.none(), st.integers(0, 20)),
)
def test_no_attribute_breaks_a_report(items: list[tuple[int, bytes]], status: int | None) -> None:
    attributes = Attributes()
    for number, raw in items:
        attributes.add_raw(number, raw)
    kinds = {int(kind): kind for kind in StatusType}
    known = None if status is None else kinds.get(status, status)
    to_report(attributes, known, nas=NAS, source="::1", arrived_at=ARRIVED.timestamp(), class_key=KEY)


@pytest.mark.parametrize(
    ("said", "octets", "gigawords", "packets"),
    [
        pytest.param({}, False, False, None, id="no counter at all"),
        pytest.param({"Acct_Input_Octets": 5}, True, False, None, id="A6.09 octets of 32 bits"),
        pytest.param({"Acct_Input_Octets": 5, "Acct_Input_Gigawords": 0}, True, True, None, id="gigawords"),
        pytest.param({"Acct_Output_Packets": 7}, False, False, 7, id="packets"),
        pytest.param({"Acct_Input_Packets": 7}, False, False, 0, id="packets one way"),
        pytest.param(
            {"Acct_Input_Octets": 5, "Acct_Input_Packets": 0, "Acct_Output_Packets": 0},
            True,
            False,
            None,
            id="none at all",
        ),
    ],
)
def test_what_a_router_counts(said: dict[str, Value], octets: bool, gigawords: bool, packets: int | None) -> None:
    found = session(**said)
    assert (found.has_octets, found.has_gigawords, found.down_packets) == (octets, gigawords, packets)


def ipv6(number: int, raw: bytes) -> dict[str, str]:
    attributes = Attributes([("Acct-Session-Id", "1")]).add_raw(number, raw)
    found = to_report(
        attributes, StatusType.STOP, nas=NAS, source="192.0.2.1", arrived_at=ARRIVED.timestamp(), class_key=b"k" * 32
    )
    assert isinstance(found, SessionReport)
    return {kind.value: value for kind, value in found.addresses}


PREFIX = bytes.fromhex("20010db8000a0001ffffffffffffffff")


@pytest.mark.parametrize(
    ("number", "raw", "name", "value"),
    [
        pytest.param(95, PREFIX, "nas_ipv6_address", "2001:db8:a:1:ffff:ffff:ffff:ffff", id="NAS-IPv6-Address"),
        pytest.param(95, PREFIX[:15], "nas_ipv6_address", None, id="an address of 15 octets"),
        pytest.param(168, PREFIX, "framed_ipv6_address", "2001:db8:a:1:ffff:ffff:ffff:ffff", id="Framed-IPv6-Address"),
        pytest.param(96, PREFIX[4:12], "framed_interface_id", "000a:0001:ffff:ffff", id="Framed-Interface-Id"),
        pytest.param(96, PREFIX[:7], "framed_interface_id", None, id="an interface id of 7 octets"),
        pytest.param(97, b"\0\x40" + PREFIX, "framed_ipv6_prefix", "2001:db8:a:1::/64", id="host bits are cleared"),
        pytest.param(97, b"\0\x40" + PREFIX[:8], "framed_ipv6_prefix", "2001:db8:a:1::/64", id="a short form"),
        pytest.param(97, b"\0\x3f" + PREFIX[:8], "framed_ipv6_prefix", "2001:db8:a::/63", id="bits inside an octet"),
        pytest.param(97, b"\0\x00", "framed_ipv6_prefix", "::/0", id="no bit at all"),
        pytest.param(97, b"\0\x81" + PREFIX, "framed_ipv6_prefix", None, id="129 bits"),
        pytest.param(97, b"\0\x40" + PREFIX[:7], "framed_ipv6_prefix", None, id="fewer octets than bits"),
        pytest.param(97, b"\0\x40" + PREFIX + b"\0", "framed_ipv6_prefix", None, id="more than 16 octets"),
        pytest.param(
            123, b"\0\x38" + PREFIX[:7], "delegated_ipv6_prefix", "2001:db8:a::/56", id="Delegated-IPv6-Prefix"
        ),
    ],
)
def test_a6_20_ipv6(number: int, raw: bytes, name: str, value: str | None) -> None:
    assert ipv6(number, raw) == ({} if value is None else {name: value})
