"""What every process does first: settings, key, database."""

import errno
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from app.config import Address, SettingError, Settings, load_secret_key
from app.db.engine import Database
from app.db.errors import AWAY
from app.domain.keys import Chance, is_id, new_id
from app.main.ends import StartError
from app.node.journal.writer import make_directory, sync_directory
from app.node.stored.loading import stored_paths
from app.services.keyring import Keyring
from app.services.schema import MissingDatabaseError, SchemaError, open_ready_database

_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger("main")


class DatabaseAwayError(Exception):
    """The database cannot be reached now; it may be later."""


def now() -> datetime:
    """Return the moment, aware, in UTC."""
    return datetime.now(UTC)


def keyring_of(settings: Settings) -> Keyring:
    """Return the keyring of the secret key; raise StartError."""
    try:
        return Keyring(load_secret_key(settings))
    except SettingError as error:
        raise StartError(str(error), "put the right key there, or let the first start make one") from error


def database_of(settings: Settings, keyring: Keyring, stop: threading.Event) -> Database | None:
    """Open the database, waiting while it is away; None if `stop` came first. Raise StartError if it is unfit."""
    said = False
    while not stop.is_set():
        try:
            return database_now(settings, keyring)
        except DatabaseAwayError as error:
            if not said:
                log.warning("database_away", error=str(error))
                said = True
            stop.wait(_RETRY_SECONDS)
    return None


def database_now(settings: Settings, keyring: Keyring) -> Database:
    """Open the database without waiting; raise DatabaseAwayError, or StartError if it is unfit.

    A file that is missing is away, and nothing to make anew, where a stored snapshot shows that it has been there.
    """
    try:
        return open_ready_database(settings.database_url, keyring)
    except SchemaError as error:
        if isinstance(error, MissingDatabaseError) and stored_paths(settings.data_dir):
            raise DatabaseAwayError(error.problem) from error
        raise StartError(error.problem, error.remedy) from error
    except AWAY as error:
        raise DatabaseAwayError(str(error).splitlines()[0]) from error


def node_id(data_dir: Path, chance: Chance) -> str:
    """Return the name of this node, made once."""
    path = data_dir / "node.id"
    if not path.exists():
        make_directory(data_dir)
        part = path.with_name(".node.id.new")
        part.write_text(new_id(chance(10)) + "\n", encoding="ascii")
        try:
            path.hardlink_to(part)  # the first of several processes wins
        except FileExistsError:
            pass
        finally:
            part.unlink(missing_ok=True)
        sync_directory(data_dir)
    name = path.read_text(encoding="ascii").strip()
    if not is_id(name):
        raise StartError(f"{path} does not hold a node id", "restore it from a backup; its journal is named after it")
    return name


def bind_failure(error: OSError, address: Address, setting: str) -> StartError:
    """Say why an address could not be bound."""
    where = f"{address[0]}:{address[1]}"
    match error.errno:
        case errno.EADDRINUSE:
            return StartError(
                f"{where} is in use by another program", f"stop it (`ss -ltunp` shows it), or change {setting}"
            )
        case errno.EACCES:
            return StartError(f"{where} needs a privilege to be bound", f"choose a port above 1023 in {setting}")
        case errno.EADDRNOTAVAIL:
            return StartError(f"{where} is no address of this machine", f"correct {setting}")
        case _:
            return StartError(f"{where} cannot be bound: {error.strerror}", f"correct {setting}")


def tcp_sockets(addresses: tuple[Address, ...], setting: str) -> list[socket.socket]:
    """Bind and return listening sockets; raise StartError."""
    bound: list[socket.socket] = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind(address)
        except OSError as error:
            for one in (*bound, listener):
                one.close()
            raise bind_failure(error, address, setting) from error
        listener.listen(1024)
        bound.append(listener)
    return bound
