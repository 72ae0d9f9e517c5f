"""The evening storm: power returns, 5,000 known phones are online again without a page, and strangers cost nobody."""

import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import func, insert, select

from app.db.engine import Database
from app.db.tables.accounts import accounts, resume_grants
from app.db.tables.journals import access_log
from app.db.tables.plans import plans
from app.domain.keys import new_id
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.codes import Code
from radius.signatures import hide_password, prepared, sign_access_request
from tests.flows.serving import Installation
from tests.node.city import MAC_SECRET, SECRET, City

PHONES = 5_000
AT_ONCE = 200


def mac_of(kind: int, number: int) -> str:
    return f"02:{kind:02x}:00:00:{number >> 8:02x}:{number & 255:02x}"


def add_guests(city: City, macs: Sequence[str]) -> None:
    """Make a guest and a resume grant for each phone, as an evening at the portal leaves them."""
    now = datetime.now(UTC)
    with city.database.write() as connection:
        plan_id = connection.scalar(select(plans.c.id))
        ids = [new_id(number.to_bytes(10, "big")) for number in range(len(macs))]
        common = {"plan_id": plan_id, "created_at": now}
        connection.execute(
            insert(accounts),
            [{"id": id_, "kind": "guest", "guest_mac": mac, **common} for id_, mac in zip(ids, macs, strict=True)],
        )
        grant = {"site_id": city.site.id, "expires_at": now + timedelta(hours=12), "created_at": now}
        connection.execute(
            insert(resume_grants),
            [{"id": id_, "account_id": id_, "mac": mac, **grant} for id_, mac in zip(ids, macs, strict=True)],
        )


def request(identifier: int, mac: str) -> bytes:
    secret, authenticator = prepared(SECRET.encode()), os.urandom(16)
    said = Attributes([("User-Name", mac), ("Calling-Station-Id", mac.upper().replace(":", "-"))])
    said.add("User-Password", hide_password(secret, authenticator, MAC_SECRET.encode()))
    said.add("Acct-Session-Id", mac[-8:].replace(":", "")).add("NAS-Identifier", "gusung-1")
    return sign_access_request(secret, Code.ACCESS_REQUEST, identifier, authenticator, said.to_bytes())


def ask_all(port: int, macs: Sequence[str]) -> dict[str, Code]:
    """Ask about every MAC, a batch at a time, each batch from a port of its own; lost datagrams are sent again."""
    answers: dict[str, Code] = {}
    for batch in batches(macs):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            waiting = {number: request(number, mac) for number, mac in enumerate(batch)}
            while waiting:
                for packet in waiting.values():
                    asking.sendto(packet, ("127.0.0.1", port))
                try:
                    while waiting:
                        reply = asking.recv(4096)
                        if waiting.pop(reply[1], None) is not None:
                            answers[batch[reply[1]]] = Code(reply[0])
                except TimeoutError:
                    continue
    return answers


def batches(macs: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(macs)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


# A5.09, D08
def test_storm_of_known_phones_and_strangers(sqlite_database: Database, keyring: Keyring, tmp_path: Path) -> None:
    city = City(sqlite_database, keyring)
    known = [mac_of(0xAA, number) for number in range(PHONES)]
    strangers = [mac_of(0xBB, number) for number in range(PHONES)]
    add_guests(city, known)
    installation = Installation(sqlite_database, tmp_path / "var")
    mixed = [mac for pair in zip(known, strangers, strict=True) for mac in pair]
    with installation.running("radius", "0", "--status"):
        answers = ask_all(installation.auth_port, mixed)
        assert {answers[mac] for mac in known} == {Code.ACCESS_ACCEPT}
        assert {answers[mac] for mac in strangers} == {Code.ACCESS_REJECT}
        assert journal_status(installation.data_dir, {}).pending == PHONES  # strangers leave nothing on the disk
    with sqlite_database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(access_log)) == 0  # no page, no portal
