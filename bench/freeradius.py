"""A throw-away FreeRADIUS 3.2 from Debian: users in memory, or its SQL module on PostgreSQL.

Schema, queries, durability, threads and connections are as shipped. To its advantage it has only those modules that it
needs for this, and receive buffers as large as ours. Its answers are signed and say as much as ours do.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.postgresql import PostgreSql
from bench.server import Stored
from bench.setting import (
    IDLE_SECONDS,
    INTERIM_SECONDS,
    MAC_SECRET,
    OCTETS,
    SECRET,
    SESSION_SECONDS,
    Setting,
    free_ports,
)

_SHIPPED: Final = Path("/etc/freeradius/3.0")
_READY_SECONDS: Final = 300.0
_RATE: Final = "2M/4M"
_GROUP: Final = "warga"
_DATABASE: Final = "radius"
_TOTAL: Final = (("Mikrotik-Total-Limit", OCTETS % 2**32), ("Mikrotik-Total-Limit-Gigawords", OCTETS // 2**32))
_GRANTED: Final[tuple[tuple[str, object], ...]] = (
    ("Session-Timeout", SESSION_SECONDS),
    ("Idle-Timeout", IDLE_SECONDS),
    ("Acct-Interim-Interval", INTERIM_SECONDS),
    ("Mikrotik-Rate-Limit", f'"{_RATE}"'),
    ("Class", "0x70657369736972"),
)

_CONFIGURATION: Final = """\
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {shipped}
confdir = {shipped}
modconfdir = {shipped}/mods-config
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
max_requests = 16384
log {{
    destination = files
    file = {folder}/log
}}
security {{
    max_attributes = 200
    reject_delay = 1
    status_server = yes
}}
thread pool {{
    start_servers = 5
    max_servers = 32
    min_spare_servers = 3
    max_spare_servers = 10
    max_requests_per_server = 0
}}
client routers {{
    ipaddr = 127.0.0.0/8
    secret = {secret}
    require_message_authenticator = no
}}
modules {{
    $INCLUDE {shipped}/mods-available/pap
    $INCLUDE {shipped}/mods-available/chap
    $INCLUDE {shipped}/mods-available/preprocess
    {modules}
}}
policy {{
    {policies}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
        recv_buff = 4194304
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {acct}
        recv_buff = 4194304
    }}
    authorize {{
        preprocess
        chap
        {lookup}
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
        Auth-Type CHAP {{
            chap
        }}
    }}
    preacct {{
        preprocess
        {unique}
    }}
    accounting {{
        {record}
    }}
    post-auth {{
        update reply {{
            &Message-Authenticator := 0x00
        }}
        {verdicts}
    }}
}}
"""
_MEMORY: Final = """\
files {{
        filename = {folder}/users
    }}
    detail {{
        filename = {folder}/detail
    }}
"""


class FreeRadius:
    """One server in a folder of its own. With a PostgreSQL it is asked for everything, and told everything."""

    def __init__(self, setting: Setting, postgresql: PostgreSql | None = None) -> None:
        self.name = "FreeRADIUS, memory" if postgresql is None else "FreeRADIUS, PostgreSQL"
        self.auth_port, self.acct_port = free_ports(2)
        self._postgresql = postgresql
        self._folder = setting.folder / ("freeradius" if postgresql is None else "freeradius-postgresql")
        self._folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        if postgresql is None:
            self._write_users(setting)
        else:
            self._fill(postgresql, setting)
        (self._folder / "radiusd.conf").write_text(self._configuration(), encoding="ascii")

    def launch(self) -> None:
        """Start it, and do not wait."""
        (self._folder / "log").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [_program(), "-f", "-d", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wait_ready(self) -> None:
        """Wait until it says so."""
        assert self._process is not None
        log, until = self._folder / "log", time.monotonic() + _READY_SECONDS
        while not (log.exists() and "Ready to process requests" in log.read_text(encoding="utf-8", errors="replace")):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not start: {log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Return its one process."""
        assert self._process is not None
        return [self._process.pid]

    def roots(self) -> list[int]:
        """Return its process and the database's."""
        return self.pids() + ([] if self._postgresql is None else [self._postgresql.pid])

    def settled(self) -> bool:
        """Say yes: it answers when the database has."""
        return True

    def stored(self) -> Stored | None:
        """Return what is in radacct."""
        if self._postgresql is None:
            return None
        row = self._postgresql.one_row(
            _DATABASE,
            "SELECT count(*), count(acctstoptime),"
            " coalesce(sum(acctinputoctets), 0), coalesce(sum(acctoutputoctets), 0) FROM radacct",
        )
        return Stored(*row)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _configuration(self) -> str:
        shown = {"shipped": _SHIPPED, "folder": self._folder, "secret": SECRET}
        ports = {"auth": self.auth_port, "acct": self.acct_port}
        if self._postgresql is None:
            modules = _MEMORY.format(folder=self._folder)
            return _CONFIGURATION.format(
                **shown, **ports, modules=modules, policies="", lookup="files", unique="", record="detail", verdicts=""
            )
        where = f"dbname={_DATABASE} host=127.0.0.1 port={self._postgresql.port} user=postgres"
        return _CONFIGURATION.format(
            **shown,
            **ports,
            modules=f"$INCLUDE {_SHIPPED}/mods-available/expr\n{_sql_module(where)}",
            policies=f"$INCLUDE {_SHIPPED}/policy.d/accounting",
            lookup="sql",
            unique="acct_unique",
            record="sql",
            verdicts="sql\n        Post-Auth-Type REJECT {\n            sql\n        }",
        )

    def _write_users(self, setting: Setting) -> None:
        granted = ",\n\t".join(f"{name} = {value}" for name, value in (*_GRANTED, *_TOTAL))
        with (self._folder / "users").open("w", encoding="ascii") as file:
            for name, password in _everybody(setting):
                file.write(f'{name} Cleartext-Password := "{password}"\n\t{granted}\n\n')

    def _fill(self, postgresql: PostgreSql, setting: Setting) -> None:
        postgresql.create(_DATABASE)
        schema = _SHIPPED / "mods-config/sql/main/postgresql/schema.sql"
        postgresql.execute(_DATABASE, schema.read_text(encoding="utf-8"))
        columns = "username, attribute, op, value"
        passwords = ((name, "Cleartext-Password", ":=", password) for name, password in _everybody(setting))
        postgresql.fill(_DATABASE, "radcheck", columns, passwords)
        own = ((name, attribute, "=", str(value)) for name, _ in _everybody(setting) for attribute, value in _TOTAL)
        postgresql.fill(_DATABASE, "radreply", columns, own)
        members = ((name, _GROUP, 1) for name, _ in _everybody(setting))
        postgresql.fill(_DATABASE, "radusergroup", "username, groupname, priority", members)
        granted = ((_GROUP, attribute, "=", str(value).strip('"')) for attribute, value in _GRANTED)
        postgresql.fill(_DATABASE, "radgroupreply", "groupname, attribute, op, value", granted)
        postgresql.execute(_DATABASE, "ANALYZE")


def available() -> bool:
    """Tell whether FreeRADIUS and its PostgreSQL driver are installed here."""
    return _program() != "" and Path("/usr/lib/freeradius/rlm_sql_postgresql.so").exists()


def _program() -> str:
    return shutil.which("freeradius") or shutil.which("radiusd") or ""


def _everybody(setting: Setting) -> Iterator[tuple[str, str]]:
    yield from setting.accounts()
    yield from ((mac, MAC_SECRET) for mac in setting.macs())


def _sql_module(where: str) -> str:
    """Return the module as it is shipped, with the dialect, the driver and the place of the database put in."""
    set_to = {"dialect": "postgresql", "driver": "rlm_sql_postgresql", "radius_db": where}
    lines: Sequence[str] = (_SHIPPED / "mods-available/sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(
        f'\t{name} = "{set_to[name]}"' if (name := line.partition("=")[0].strip()) in set_to else line for line in lines
    )
