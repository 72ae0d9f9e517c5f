"""Debian's FreeRADIUS on loopback: its own configuration, as little of it as PAP, CHAP and MS-CHAPv2 need."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.flows.serving import free_udp_ports
from tests.lab.topology import stop, wait_for


@dataclass(frozen=True, slots=True)
class Client:
    """A router as FreeRADIUS knows it; `limit_proxy_state` is read by versions after 3.2.1 only."""

    address: str
    secret: str
    require_message_authenticator: bool


MAIN: Final = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
raddbdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
log {{
    destination = files
    file = {folder}/radius.log
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
proxy_requests = {proxies}
thread pool {{
    start_servers = 1
    max_servers = 1
    min_spare_servers = 1
    max_spare_servers = 1
}}
"""
"""What every radiusd.conf of the lab begins with, to be formatted: one thread, everything in `folder`."""

_CONFIGURATION: Final = (
    MAIN
    + """{clients}
modconfdir = {debian}/mods-config
policy {{
    $INCLUDE {debian}/policy.d/accounting
}}
modules {{
    expr {{
    }}
    $INCLUDE {folder}/sql
    pap {{
    }}
    chap {{
    }}
    mschap {{
        use_mppe = yes
        require_encryption = no
        require_strong = yes
        allow_retry = no
        with_ntdomain_hack = yes
    }}
    files {{
        filename = {folder}/people
    }}
    always ok {{
        rcode = ok
    }}
}}
server lab {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth_port}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {acct_port}
    }}
    authorize {{
        chap
        mschap
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
        Auth-Type CHAP {{
            chap
        }}
        Auth-Type MS-CHAP {{
            mschap
        }}
    }}
    preacct {{
        acct_unique
    }}
    accounting {{
        {accounting}
    }}
}}
"""
)
_DEBIAN: Final = Path("/etc/freeradius/3.0")
_CLIENT: Final = """
client {address} {{
    ipaddr = {address}
    secret = "{secret}"
    require_message_authenticator = {required}
    limit_proxy_state = no
}}
"""


class FreeRadius:
    """One server with these clients and these people, while the context lasts.

    With `sql` it keeps accounting in SQLite, by the module, the schema and the queries that Debian ships.
    """

    def __init__(
        self, folder: Path, clients: Sequence[Client], people: Mapping[str, str], *, sql: bool = False
    ) -> None:
        self.accounts = folder / "accounts.db"
        self.auth_port, self.acct_port = free_udp_ports(2)
        self._log = folder / "talk.log"
        self._command = ["freeradius", "-f", "-x", "-x", "-l", "stdout", "-d", str(folder)]
        folder.mkdir(mode=0o700)
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n", encoding="ascii")
        (folder / "people").write_text(
            "".join(f'{name} Cleartext-Password := "{password}"\n' for name, password in people.items()),
            encoding="utf-8",
        )
        (folder / "sql").write_text(_sql_module(self.accounts) if sql else "", encoding="utf-8")
        configuration = _CONFIGURATION.format(
            proxies="no",
            folder=folder,
            debian=_DEBIAN,
            accounting="sql" if sql else "ok",
            auth_port=self.auth_port,
            acct_port=self.acct_port,
            clients="".join(
                _CLIENT.format(
                    address=client.address,
                    secret=client.secret,
                    required="yes" if client.require_message_authenticator else "no",
                )
                for client in clients
            ),
        )
        (folder / "radiusd.conf").write_text(configuration, encoding="ascii")

    def __enter__(self) -> Self:
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out)
        try:
            wait_for("FreeRADIUS", lambda: "Ready to process requests" in self.talk(), log=self._log)
        except BaseException:
            stop(self._process)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self._process)

    def talk(self) -> str:
        """Return what it has said."""
        return self._log.read_text(errors="replace")


def _sql_module(database: Path) -> str:
    """Return Debian's own configuration of the module, with the real driver and another file."""
    shipped = (_DEBIAN / "mods-available" / "sql").read_text(encoding="utf-8")
    changed = shipped.replace('driver = "rlm_sql_null"', 'driver = "rlm_sql_sqlite"')
    changed = changed.replace('"/tmp/freeradius.db"', f'"{database}"')
    assert changed.count("rlm_sql_sqlite") >= 1
    return changed
