"""The doctor says of each thing how it is and what to do, and changes nothing."""

import json
import os
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.db import access_log, set_aside
from app.db.engine import Database
from app.domain.reports import Decided, Method
from app.node.running import announce
from app.node.stored import sealed
from app.node.stored.age import Dated
from app.node.stored.contents import LAYOUT
from app.node.stored.loading import stored_path
from app.node.stored.sealed import Label
from app.services.keyring import Keyring
from tests.cli.conftest import Pesisir
from tests.conftest import SECRET_KEY
from tests.factories import NOON

LONG_SECRETS = ("a-secret-of-more-than-16", "another-one-of-more-than-16")


def findings(pesisir: Pesisir, *arguments: str) -> dict[str, dict[str, Any]]:
    return {finding["what"]: finding for finding in pesisir.run("doctor", "--json", *arguments).json}


def test_on_a_machine_where_nothing_was_made_it_makes_nothing(settings: dict[str, str], data_dir: Path) -> None:
    del settings["PESISIR_SECRET_KEY"]
    found = findings(Pesisir(settings))
    assert found["secret key"]["next"] == found["database"]["next"] == "pesisir db upgrade"
    assert not data_dir.exists()


def test_good_installation_passes(city: Pesisir) -> None:
    done = city.run("doctor", "--json")
    assert done.code == 0
    assert {f["what"]: f["health"] for f in done.json}.items() >= {
        "database": "ok",
        "journal": "ok",
        "secrets": "ok",
    }.items()


def test_each_remark_has_its_next_step(city: Pesisir) -> None:
    assert all(finding["next"] for finding in findings(city).values() if finding["health"] != "ok")


def test_database_that_has_vanished_is_not_one_that_was_never_made(city: Pesisir, data_dir: Path) -> None:
    store_snapshot(data_dir)
    (data_dir / "pesisir.db").unlink()
    found = findings(city)["database"]
    assert found["health"] == "broken"
    assert found["next"].startswith("put the file back")


def test_lines_are_for_people(city: Pesisir) -> None:
    assert "ok       database" in city.run("doctor").out


def test_unusable_setting_is_the_finding(city: Pesisir) -> None:
    city.environment["PESISIR_RADIUS_WORKERS"] = "none"
    done = city.run("doctor", "--json")
    assert done.code == 1
    assert "PESISIR_RADIUS_WORKERS" in done.json[0]["words"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("PESISIR_DATABASE_URL", "postgresql://127.0.0.1:1/x", "does not answer", id="away"),
        pytest.param("PESISIR_SECRET_KEY", "00" * 32, "secret key is not the one", id="another key"),
    ],
)
def test_database_that_cannot_be_worked_with_is_broken(city: Pesisir, name: str, value: str, words: str) -> None:
    city.environment[name] = value
    found = findings(city)["database"]
    assert found["health"] == "broken"
    assert words in found["words"]
    assert found["next"] != "pesisir doctor"


def test_password_of_the_database_is_not_shown(city: Pesisir) -> None:
    city.environment["PESISIR_DATABASE_URL"] = "postgresql://pesisir:hush@127.0.0.1:1/x"
    done = city.run("doctor")
    assert "hush" not in done.out + done.err


def test_key_that_others_can_read_is_broken(settings: dict[str, str], data_dir: Path) -> None:
    del settings["PESISIR_SECRET_KEY"]
    pesisir = Pesisir(settings)
    pesisir.ok("db", "upgrade")
    (data_dir / "secret.key").chmod(0o644)
    found = findings(pesisir)["secret key"]
    assert (found["health"], found["next"]) == ("broken", f"chmod 600 {data_dir}/secret.key")


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        pytest.param(("fifteen-octets!", LONG_SECRETS[1]), "easy to guess", id="one short"),
        pytest.param(("sixteen-octets!!", LONG_SECRETS[1]), "long, and each its own", id="just long enough"),
        pytest.param((LONG_SECRETS[0], LONG_SECRETS[0]), "the same secret", id="shared"),
    ],
)
def test_secrets_are_weighed(city: Pesisir, secrets: tuple[str, str], words: str) -> None:
    city.ok("nas", "remove", "gusung-1", "--yes")
    for number, secret in enumerate(secrets):
        address = ("--address", f"10.0.0.{number + 1}", "--family", "mikrotik", "--site", "Gusung")
        city.ok("nas", "add", f"r{number}", *address, "--secret-file", "-", stdin=secret)
    assert words in findings(city)["secrets"]["words"]


def test_router_that_never_spoke_is_named_until_it_does(city: Pesisir, stored: Database) -> None:
    assert "gusung-1" in findings(city)["routers"]["words"]
    nas_id = city.ok("nas", "show", "gusung-1", "--json").json["id"]
    verdict = Decided(NOON, nas_id, "", None, "x", Method.PASSWORD, accepted=False, reason="wrong_credentials")
    with stored.write() as connection:
        access_log.add(connection, [verdict])
    assert findings(city)["routers"]["health"] == "ok"


def test_records_set_aside_are_counted_with_their_reasons(city: Pesisir, stored: Database) -> None:
    with stored.write() as connection:
        set_aside.add(connection, [("too long", b"1"), ("odd", b"2"), ("too long", b"3")], origin="n/0", now=NOON)
    assert "3 records could not be merged: too long (2), odd (1)" in findings(city)["set aside"]["words"]


def test_process_that_shows_no_sign_of_life_is_broken(city: Pesisir, data_dir: Path) -> None:
    path = announce(data_dir, "worker", {})
    assert findings(city, "--alive")["worker"]["health"] == "ok"
    os.utime(path, (time.time() - 31, time.time() - 31))
    assert findings(city, "--alive")["worker"]["health"] == "broken"
    assert city.run("doctor", "--alive").code == 1


def test_listener_that_does_not_answer_is_broken(city: Pesisir, data_dir: Path) -> None:
    announce(data_dir, "http", {"portal": [("127.0.0.1", 1)]})
    assert "127.0.0.1:1 does not answer" in findings(city, "--alive")["http"]["words"]


def test_port_that_another_holds_is_named(city: Pesisir, taken_port: int) -> None:
    city.environment["PESISIR_RADIUS_AUTH_LISTEN"] = f"127.0.0.1:{taken_port}"
    found = findings(city)["port"]
    assert "address already in use" in found["words"]
    assert "PESISIR_RADIUS_AUTH_LISTEN" in found["next"]


def store_snapshot(data_dir: Path, *, worker: int = 0, days_ago: float = 0.0, key: bytes = SECRET_KEY) -> Path:
    """Store what a RADIUS process would have, of three accounts."""
    path, keyring = stored_path(data_dir, worker), Keyring(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC) - timedelta(days=days_ago)
    label = Label("nodenodenodenode", worker, Dated(at, at, 0.5), keyring.check)
    first = zlib.compress(json.dumps({"layout": LAYOUT, "rows": {"account": 3}}).encode())
    sealed.write(path, label, [first, b"rows"], keyring, chance=os.urandom)
    return path


def test_stored_snapshot_is_shown_with_its_age(city: Pesisir, data_dir: Path) -> None:
    assert "snapshot" not in findings(city)
    store_snapshot(data_dir, days_ago=2)
    found = findings(city)["snapshot"]
    assert found["health"] == "ok"
    assert "2d 00h old" in found["words"]
    assert "3 accounts" in found["words"]


def test_snapshot_of_a_process_that_is_no_more_may_go(city: Pesisir, data_dir: Path) -> None:
    store_snapshot(data_dir)
    left = store_snapshot(data_dir, worker=1)
    found = [finding for finding in city.run("doctor", "--json").json if finding["what"] == "snapshot"]
    assert [(one["health"], one["next"]) for one in found] == [("ok", ""), ("warning", f"rm {left}")]
    city.environment["PESISIR_RADIUS_WORKERS"] = "2"
    found = [finding for finding in city.run("doctor", "--json").json if finding["what"] == "snapshot"]
    assert [one["health"] for one in found] == ["ok", "ok"]


def test_stored_snapshot_that_is_too_old_is_a_warning(city: Pesisir, data_dir: Path) -> None:
    store_snapshot(data_dir, days_ago=7.1)
    found = findings(city)["snapshot"]
    assert found["health"] == "warning"
    assert "too old" in found["words"]
    assert found["next"]


@pytest.mark.parametrize("key", [bytes(32), SECRET_KEY], ids=["another key", "damage"])
def test_stored_snapshot_that_a_start_would_refuse_is_broken(city: Pesisir, data_dir: Path, key: bytes) -> None:
    path = store_snapshot(data_dir, key=key)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"nodenode", b"nodemode"))
    found = findings(city)["snapshot"]
    assert found["health"] == "broken"
    assert str(path) in found["words"]
    assert found["next"]


def test_database_that_is_gone_is_not_made_anew(pesisir: Pesisir, data_dir: Path) -> None:
    store_snapshot(data_dir)
    file = data_dir / "pesisir.db"
    file.unlink()
    done = pesisir.run("user", "list")
    assert done.code == 1
    assert "is gone" in done.err
    assert "pesisir db upgrade" in done.err
    assert not file.exists()
    pesisir.ok("db", "upgrade")
    pesisir.ok("user", "list")
