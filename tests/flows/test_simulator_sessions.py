"""A simulated session holds what it is told to the octet and the second."""

import pytest

from app.simulator.sessions import Cause, Limits, Session, read_rates
from radius.attributes import Attributes

GIB4 = 2**32
MB = 1_000_000


def make_session(limits: Limits) -> Session:
    return Session("80100001", "02:aa:00:00:00:01", "127.21.0.2", "name", (b"class",), limits, started=1_000.0)


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        pytest.param("2000000/4000000", 2_000_000, 4_000_000, id="the phone's up stands first"),
        pytest.param("512k/4M 1M/8M 512k/4M 8/8", 512_000, 4_000_000, id="suffixes, burst ignored"),
        pytest.param("1M", 1_000_000, 1_000_000, id="one number is both"),
        pytest.param("0/4M", None, 4_000_000, id="zero is no limit"),
        pytest.param("", None, None, id="absent"),
        pytest.param("fast", None, None, id="nonsense"),
    ],
)
def test_rate_limit_is_read_as_routeros_reads_it(text: str, up: int | None, down: int | None) -> None:
    assert read_rates(text) == (up, down)


def test_limits_of_an_accept_have_both_words() -> None:
    accept = Attributes(
        [
            ("Mikrotik-Rate-Limit", "2M/4M"),
            ("Mikrotik-Total-Limit", 5),
            ("Mikrotik-Total-Limit-Gigawords", 1),
            ("Session-Timeout", 3600),
            ("Acct-Interim-Interval", 60),
        ]
    )
    assert Limits.of_accept(accept) == Limits(
        up_bps=2_000_000, down_bps=4_000_000, total_octets=GIB4 + 5, session_seconds=3600, interim_seconds=60
    )


@pytest.mark.parametrize(
    ("limits", "up", "down"),
    [
        pytest.param(Limits(), 7 * MB, 9 * MB, id="no limit"),
        pytest.param(Limits(total_octets=3 * MB), 0, 3 * MB, id="the sum is cut at the octet"),
        pytest.param(Limits(total_octets=10 * MB), 1 * MB, 9 * MB, id="down comes first"),
        pytest.param(Limits(up_octets=5), 5, 9 * MB, id="up alone"),
        pytest.param(Limits(down_octets=5), 7 * MB, 5, id="down alone"),
        pytest.param(Limits(up_bps=8 * MB, down_bps=16 * MB), 2 * MB, 4 * MB, id="two seconds at the rate"),
    ],
)
def test_traffic_never_passes_a_limit(limits: Limits, up: int, down: int) -> None:
    session = make_session(limits)
    session.use(7 * MB, 9 * MB, 2.0, now=1_002.0)
    assert (session.up_octets, session.down_octets) == (up, down)


@pytest.mark.parametrize(
    ("limits", "now", "cause"),
    [
        pytest.param(Limits(session_seconds=60), 1_059.9, None, id="just before the session time"),
        pytest.param(Limits(session_seconds=60), 1_060.0, Cause.SESSION_TIMEOUT, id="at the session time"),
        pytest.param(Limits(idle_seconds=30), 1_039.9, None, id="used ten seconds after the start"),
        pytest.param(Limits(idle_seconds=30), 1_040.0, Cause.IDLE_TIMEOUT, id="idle"),
        pytest.param(Limits(total_octets=300), 1_010.0, Cause.SESSION_TIMEOUT, id="octets used up"),
        pytest.param(Limits(total_octets=301), 1_010.0, None, id="one octet left"),
    ],
)
def test_session_ends_when_a_limit_is_reached(limits: Limits, now: float, cause: Cause | None) -> None:
    session = make_session(limits)
    session.use(100, 200, 10.0, now=1_010.0)
    assert session.ends(now) is cause


def test_counters_carry_gigawords() -> None:
    session = make_session(Limits())
    session.use(1, 2 * GIB4 + 3, 10.0, now=1_010.0)
    counters = session.counters(1_010.7)
    assert counters.integer("Acct-Input-Octets") == 1
    assert counters.integer("Acct-Output-Octets") == 3
    assert counters.integer("Acct-Output-Gigawords") == 2
    assert counters.integer("Acct-Session-Time") == 10


def test_coa_leaves_alone_what_it_does_not_name() -> None:
    before = Limits(up_bps=1, down_bps=2, total_octets=3, session_seconds=4)
    coa = Attributes([("Mikrotik-Rate-Limit", "512000/512000"), ("Idle-Timeout", 300)])
    assert before.changed_by(coa) == Limits(
        up_bps=512_000, down_bps=512_000, total_octets=3, session_seconds=4, idle_seconds=300
    )
