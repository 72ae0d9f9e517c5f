"""A throw-away PostgreSQL as Debian ships it: nothing is turned off, every commit is on the disk."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psycopg

from bench.setting import free_ports

_USER: Final = "postgres"  # the server refuses to run as root


class PostgreSql:
    """One cluster in a folder of its own, on a port of loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (self.port,) = free_ports(1)
        folder.mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(folder, _USER)
        self._run("initdb", "--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata")
        with (self._data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")

    @property
    def pid(self) -> int:
        """Return the process that has started all others."""
        return int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def url(self, name: str) -> str:
        """Return where a database is."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self._folder}/log", "--pgdata")

    def stop(self) -> None:
        """End it."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast", "--pgdata")

    def create(self, name: str) -> None:
        """Make an empty database."""
        with psycopg.connect(self.url(_USER), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    def execute(self, name: str, script: str) -> None:
        """Run a script of statements."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(script.encode())

    def fill(self, name: str, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Put rows into a table."""
        statement = f"COPY {table} ({columns}) FROM STDIN".encode()
        with (
            psycopg.connect(self.url(name)) as connection,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def one_row(self, name: str, query: str) -> tuple[int, ...]:
        """Return the only row of a query."""
        with psycopg.connect(self.url(name)) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return tuple(int(value) for value in row)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_program(program)), *arguments, str(self._data)]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups", "--", *command]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")


def available() -> bool:
    """Tell whether PostgreSQL is installed here."""
    return bool(_versions()) and any(entry.pw_name == _USER for entry in pwd.getpwall())


def _program(name: str) -> Path:
    return _versions()[-1] / "bin" / name


def _versions() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("[0-9]*"), key=lambda path: int(path.name))
