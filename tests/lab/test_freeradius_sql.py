"""The same evening's accounting to Debian's FreeRADIUS with SQL and to us: what each has stored, and what is true.

Packets come late, twice and in the wrong order; a router restarts beside another of the same NAS-IP-Address; counters
pass 2**32 and begin anew. [A6.07] and [A6.13] name what FreeRADIUS' queries do with the first two.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from shutil import copyfile
from typing import Final, NamedTuple

import pytest

from app.db.engine import open_database
from app.services.keyring import Keyring
from app.services.sessions import StateFilter, list_sessions, session_totals
from tests.flows.serving import Installation, Router
from tests.lab.conftest import demand
from tests.lab.freeradius import Client, FreeRadius
from tests.lab.wire import attribute, text
from tests.node.city import SECRET, City
from tests.node.journals import until

pytestmark = pytest.mark.lab
MB: Final = 10**6
START, STOP, INTERIM, ON = 1, 2, 3, 7
FACTORY_ADDRESS: Final = "192.168.88.1"  # what every RouterOS has at first
BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


class Stored(NamedTuple):
    """One session as somebody has it: octets down in all its rows, and seconds after BEGIN at which it ended."""

    down: int
    ended: int | None
    rows: int = 1


def packet(
    session: str,
    status: int,
    seconds: int,
    down: int = 0,
    *,
    router: str = "gusung-1",
    begins: int = 0,
    gigawords: bool = True,
    packets: int = 0,
) -> bytes:
    """Write what a router says `seconds` after the session's start, which is `begins` seconds after BEGIN."""
    at = BEGIN + timedelta(seconds=begins + seconds)
    parts = [
        attribute(40, status.to_bytes(4)),
        text(32, router),
        attribute(4, ip_address(FACTORY_ADDRESS).packed),
        attribute(55, int(at.timestamp()).to_bytes(4)),
    ]
    if status != ON:
        parts += [
            text(44, session),
            text(1, session),
            text(31, "02-AA-00-00-00-01"),
            attribute(46, seconds.to_bytes(4)),
            attribute(43, (down % 2**32).to_bytes(4)),
        ]
        if packets:
            parts.append(attribute(48, packets.to_bytes(4)))
        if gigawords:
            parts.append(attribute(53, (down >> 32).to_bytes(4)))
    return b"".join(parts)


REORDERED = [
    packet("reordered", START, 0),
    packet("reordered", INTERIM, 120, 20 * MB),
    packet("reordered", INTERIM, 60, 10 * MB),
]
LATE = [
    packet("late", START, 0),
    packet("late", STOP, 300, 90 * MB),
    packet("late", INTERIM, 240, 40 * MB),
]
REPEATED = [
    packet("repeated", START, 0),
    packet("repeated", INTERIM, 60, 30 * MB),
    packet("repeated", STOP, 120, 50 * MB),
    packet("repeated", START, 0),
    packet("repeated", INTERIM, 60, 30 * MB),
]
NEIGHBOURS = [
    packet("stays", START, 0, router="melahing-1"),
    packet("goes", START, 0, router="gusung-1"),
    packet("stays", INTERIM, 600, 70 * MB, router="melahing-1"),
    packet("goes", INTERIM, 600, 70 * MB, router="gusung-1"),
    packet("", ON, 4_000, router="gusung-1"),
    packet("stays", INTERIM, 4_200, 80 * MB, router="melahing-1"),
]
AGAIN = [
    packet("again", START, 0),
    packet("again", STOP, 600, 300 * MB),
    packet("again", START, 0, begins=7_000),
    packet("again", STOP, 300, 25 * MB, begins=7_000),
]
RESET = [
    packet("reset", START, 0),
    packet("reset", INTERIM, 600, 400 * MB, packets=400_000),
    packet("reset", STOP, 1_200, 60 * MB, packets=60_000),
]
WRAP = [
    packet("wrap", START, 0, gigawords=False),
    packet("wrap", INTERIM, 600, 4_000 * MB, packets=4_000_000, gigawords=False),
    packet("wrap", STOP, 1_200, 5_000 * MB, packets=5_000_000, gigawords=False),
]
SAID: Final = (REORDERED, LATE, REPEATED, NEIGHBOURS, AGAIN, RESET, WRAP)

TRUE: Final[Mapping[str, Stored]] = {
    "reordered": Stored(20 * MB, 120),
    "late": Stored(90 * MB, 300),
    "repeated": Stored(50 * MB, 120),
    "stays": Stored(80 * MB, None),
    "goes": Stored(70 * MB, 600),
    "again": Stored(325 * MB, 7_300, rows=2),
    "reset": Stored(460 * MB, 1_200),
    "wrap": Stored(5_000 * MB, 1_200),
}
THEIRS: Final = {
    "reordered": Stored(10 * MB, 4_000),  # [A6.07] an older Interim-Update overwrites newer counters
    "late": Stored(40 * MB, 300),  # [A6.07] even those of a session that has ended
    "repeated": Stored(30 * MB, 120),  # [A6.12] and so does a repeated one
    "stays": Stored(80 * MB, 4_000),  # [A6.13] closed by NAS-IP-Address, and what comes later does not reopen it
    "goes": Stored(70 * MB, 4_000),  # [A6.13] closed when its router came back, not when it was last heard of
    "again": Stored(25 * MB, 7_300),  # [A6.05] the second session took the place of the first
    "reset": Stored(60 * MB, 1_200),  # [A6.09]
    "wrap": Stored(5_000 * MB - 2**32, 1_200),  # [A6.09]
}


class Both(NamedTuple):
    ours: Mapping[str, Stored]
    theirs: Mapping[str, Stored]
    flags: Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def both(
    request: pytest.FixtureRequest,
    migrated_sqlite_file: Path,
    keyring: Keyring,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Both]:
    demand(request, "freeradius")
    folder = tmp_path_factory.mktemp("accounts")
    copyfile(migrated_sqlite_file, folder / "pesisir.db")
    database = open_database(f"sqlite:///{folder / 'pesisir.db'}")
    City(database, keyring)
    ours = Installation(database, folder / "var")
    theirs = FreeRadius(folder / "freeradius", [Client("127.0.0.1", SECRET, False)], {}, sql=True)
    with theirs, ours.running("radius", "0", "--status"), ours.running("worker", "--status"):
        for port in (ours.acct_port, theirs.acct_port):
            for conversation in SAID:
                _tell(port, conversation)
        until(lambda: session_totals(database).sessions == sum(stored.rows for stored in TRUE.values()))
        until(lambda: _ours(ours)["wrap"].ended is not None)
        found = list_sessions(database, state=StateFilter.ALL)
        yield Both(_ours(ours), _theirs(theirs.accounts), {one.acct_session_id: one.flags for one in found})
    database.close()


def _tell(port: int, conversation: Sequence[bytes]) -> None:
    """Say one thing after the other, each once it is acknowledged; from a port of its own each, so none is a copy."""
    for said in conversation:
        router = Router(port)
        router.send([(SECRET.encode(), said)])
        router.close()


def _ours(installation: Installation) -> dict[str, Stored]:
    rows = [
        (one.acct_session_id, one.down_octets, None if one.ended_at is None else _after(one.ended_at))
        for one in list_sessions(installation.database, state=StateFilter.ALL)
    ]
    return _added(rows)


def _theirs(accounts: Path) -> dict[str, Stored]:
    with sqlite3.connect(accounts) as connection:
        rows = connection.execute("SELECT acctsessionid, acctoutputoctets, acctstoptime FROM radacct").fetchall()
    return _added(
        [
            (name, int(down), None if end is None else _after(datetime.fromtimestamp(int(end), UTC)))
            for name, down, end in rows
        ]
    )


def _after(moment: datetime) -> int:
    return int((moment - BEGIN).total_seconds())


def _added(rows: Sequence[tuple[str, int, int | None]]) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    for name, down, ended in rows:
        known = found.get(name, Stored(0, ended, 0))
        ends = None if ended is None or known.ended is None else max(ended, known.ended)
        found[name] = Stored(known.down + down, ends, known.rows + 1)
    return found


@pytest.mark.parametrize("session", TRUE)
def test_what_we_have_stored_is_what_was_used(both: Both, session: str) -> None:
    assert both.ours[session] == TRUE[session]


@pytest.mark.parametrize("session", THEIRS)
def test_what_freeradius_has_stored_instead(both: Both, session: str) -> None:
    assert both.theirs[session] == THEIRS[session]


def test_a6_09_what_is_strange_is_flagged(both: Both) -> None:
    strange = {name: set(flags) - {"unmatched"} for name, flags in both.flags.items()}
    assert strange == {name: set() for name in TRUE} | {
        "reset": {"decreased", "reset"},
        "wrap": {"decreased", "wrapped"},
    }


def test_all_octets_together(both: Both) -> None:
    ours, true = (sum(stored.down for stored in side.values()) for side in (both.ours, TRUE))
    theirs = sum(stored.down for stored in both.theirs.values())
    assert ours == true
    assert theirs < true / 5, "FreeRADIUS lost most of it"
