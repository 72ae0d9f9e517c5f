"""The command line in this process, on a real SQLite database of its own."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.root import build
from app.db.engine import Database, open_database
from tests.conftest import SECRET_KEY

ROOT = build()


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # what a command prints is read by scripts without types
        return json.loads(self.out)


class Pesisir:
    """Runs commands; `environment` is what they see of settings."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, *arguments: str, stdin: str = "") -> Done:
        result = CliRunner().invoke(ROOT, list(arguments), input=stdin, env=self.environment)
        assert "Traceback" not in result.stderr
        return Done(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str, stdin: str = "") -> Done:
        done = self.run(*arguments, stdin=stdin)
        assert done.code == 0, done.err
        return done


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PESISIR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def settings(data_dir: Path) -> dict[str, str]:
    """Settings of an installation that nothing else on this machine touches."""
    return {
        "PESISIR_DATA_DIR": str(data_dir),
        "PESISIR_SECRET_KEY": SECRET_KEY.hex(),
        "PESISIR_PORTAL_URL": "https://portal.example.id",
        "PESISIR_HTTP_LISTEN": "127.0.0.1:0",
        "PESISIR_ADMIN_LISTEN": "127.0.0.1:0",
        "PESISIR_STATUS_LISTEN": "127.0.0.1:0",
        "PESISIR_RADIUS_AUTH_LISTEN": "127.0.0.1:0",
        "PESISIR_RADIUS_ACCT_LISTEN": "127.0.0.1:0",
    }


@pytest.fixture
def pesisir(settings: dict[str, str], data_dir: Path, migrated_sqlite_file: Path) -> Pesisir:
    """The command, on a database that is migrated and empty."""
    data_dir.mkdir()
    shutil.copyfile(migrated_sqlite_file, data_dir / "pesisir.db")
    return Pesisir(settings)


@pytest.fixture(scope="session")
def city_file(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite_file: Path) -> Path:
    """A database with a plan, a site, a NAS and a user, made by the command line; to be copied."""
    folder = tmp_path_factory.mktemp("city")
    shutil.copyfile(migrated_sqlite_file, folder / "pesisir.db")
    pesisir = Pesisir({"PESISIR_DATA_DIR": str(folder), "PESISIR_SECRET_KEY": SECRET_KEY.hex()})
    pesisir.ok("plan", "add", "Warga", "--down", "4M", "--up", "2M", "--daily", "500MB", "--validity", "30d")
    pesisir.ok("site", "add", "Gusung", "--capacity", "20M", "--guest-plan", "Warga")
    pesisir.ok(
        "nas", "add", "gusung-1", "--address", "127.0.0.1/32", "--family", "mikrotik", "--site", "Gusung",
        "--login-address", "10.5.50.1", "--secret-file", "-", stdin="a-secret-of-more-than-16\n",
    )  # fmt: skip
    pesisir.ok("user", "add", "siti", "--name", "Siti Aminah", "--password", "rahasia-siti")
    return folder / "pesisir.db"


@pytest.fixture
def city(settings: dict[str, str], data_dir: Path, city_file: Path) -> Pesisir:
    """The command, on an installation with a plan, a site, a NAS and a user."""
    data_dir.mkdir()
    shutil.copyfile(city_file, data_dir / "pesisir.db")
    return Pesisir(settings)


@pytest.fixture
def stored(city: Pesisir, data_dir: Path) -> Any:
    """The database behind the city, for what only routers can put there."""
    database: Database = open_database(f"sqlite:///{data_dir / 'pesisir.db'}")
    yield database
    database.close()


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A UDP port of loopback that somebody else holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
