"""`pesisir doctor`: look at the whole installation, and say of each thing how it is and what to do."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from app.cli.failures import ExitCode
from app.cli.installation import now, read_settings
from app.cli.noun import example
from app.cli.output import Json, harmless, octets, show_json
from app.config import SettingError, Settings, load_secret_key

if TYPE_CHECKING:
    from app.cli.installation import Installation

_LOW_SPACE: Final = 1_000_000_000
_LATE_SECONDS: Final = 60
_BUILT: Final = datetime(2026, 11, 1, tzinfo=UTC)  # a clock before this has lost its battery


class Health(StrEnum):
    """How one thing is."""

    GOOD = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the thing, how it is, in words, and the next command or act ("" if none is needed)."""

    what: str
    health: Health
    words: str
    remedy: str = ""


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir doctor"))(doctor)


def doctor(as_json: Json = False) -> None:
    """Look at settings, key, database, journal, clock, disk, ports and routers. Exit 1 if something is broken."""
    findings = list(_look())
    if as_json:
        show_json([{"what": f.what, "health": f.health.value, "words": f.words, "next": f.remedy} for f in findings])
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            print(f"{finding.health.value:<8} {finding.what:<{width}}  {harmless(finding.words)}")
            if finding.remedy:
                print(f"{'':<{width + 11}}next: {finding.remedy}")
    if any(finding.health is Health.BROKEN for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _look() -> Iterator[Finding]:
    try:
        settings = read_settings()
        load_secret_key(settings)
    except SettingError as error:
        yield Finding("settings", Health.BROKEN, str(error), "pesisir config show --origin")
        return
    yield Finding("settings", Health.GOOD, f"data in {settings.data_dir}")
    yield _key_file(settings)
    yield _clock()
    yield _disk(settings.data_dir)
    yield from _ports(settings)
    yield from _stored()


def _key_file(settings: Settings) -> Finding:
    if settings.secret_key is not None:
        return Finding("secret key", Health.GOOD, f"from {settings.origins['PESISIR_SECRET_KEY']}")
    mode = settings.secret_key_file.stat().st_mode & 0o777
    if mode & 0o077:
        return Finding(
            "secret key",
            Health.WARNING,
            f"others can read it (mode {mode:04o})",
            f"chmod 600 {settings.secret_key_file}",
        )
    return Finding("secret key", Health.GOOD, f"in {settings.secret_key_file}; keep a copy apart from the database")


def _clock() -> Finding:
    if now() < _BUILT:
        return Finding("clock", Health.BROKEN, f"it says {now():%Y-%m-%d}, before this version was made", "start NTP")
    return Finding("clock", Health.GOOD, f"{now():%Y-%m-%d %H:%M:%S} UTC")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if free < _LOW_SPACE:
        return Finding(
            "disk", Health.WARNING, f"only {octets(free)} free in {folder}", "make room: a full disk stops accounting"
        )
    return Finding("disk", Health.GOOD, f"{octets(free)} free")


def _ports(settings: Settings) -> Iterator[Finding]:
    for name, addresses in (
        ("portal port", settings.http_listen),
        ("admin port", settings.admin_listen),
    ):
        for host, port in addresses:
            yield _answers(name, socket.SOCK_STREAM, host, port)
    for name, addresses in (
        ("RADIUS port", settings.radius_auth_listen),
        ("accounting port", settings.radius_acct_listen),
    ):
        for host, port in addresses:
            yield _answers(name, socket.SOCK_DGRAM, host, port)


def _answers(name: str, kind: socket.SocketKind, host: str, port: int) -> Finding:
    """Tell whether somebody holds a port: where it can still be bound, nobody serves there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return Finding(name, Health.WARNING, f"{host}:{port} needs a privilege", "choose a port above 1023")
        except OSError:
            return Finding(name, Health.GOOD, f"{host}:{port} is served")
    return Finding(name, Health.WARNING, f"nobody serves {host}:{port}", "pesisir serve")


def _stored() -> Iterator[Finding]:
    """Look at what is behind the database; nothing of it can be known while the database cannot be opened."""
    from app.cli.installation import open_installation
    from app.cli.noun import explain

    try:
        with open_installation() as here:
            kind = "PostgreSQL" if here.database.is_postgresql else "SQLite"
            yield Finding("database", Health.GOOD, f"{kind}, schema current, key fits")
            for look in _LOOKS:
                yield look(here)
    except Exception as error:  # noqa: BLE001 whatever is wrong is the finding
        failure = explain(error)
        yield Finding("database", Health.BROKEN, ": ".join(t for t in (failure.what, failure.why) if t), failure.hint)


def _journal(here: "Installation") -> Finding:
    from app.cli.journal import read_status

    status = read_status(here)
    if status.damaged:
        return Finding(
            "journal",
            Health.BROKEN,
            f"damaged: {', '.join(map(str, status.damaged))}",
            "keep these files, restore from a backup",
        )
    age = 0 if status.oldest_at is None else int(now().timestamp() - status.oldest_at)
    if age > _LATE_SECONDS:
        words = f"{status.pending} records wait, the oldest for {age} s"
        return Finding("journal", Health.WARNING, words, "pesisir serve --only worker")
    return Finding("journal", Health.GOOD, f"{status.pending} records wait")


def _set_aside(here: "Installation") -> Finding:
    from app.services.positions import ingest_state

    count = ingest_state(here.database).set_aside
    if count:
        return Finding(
            "set aside",
            Health.WARNING,
            f"{count} records could not be merged",
            "read table set_aside: each has its reason",
        )
    return Finding("set aside", Health.GOOD, "nothing")


def _routers(here: "Installation") -> Finding:
    from app.services.nases import list_nases, nas_secrets

    nases = list_nases(here.database)
    if not nases:
        return Finding("routers", Health.WARNING, "none is registered", "pesisir nas add --help")
    secrets = {nas.name: nas_secrets(here.database, here.keyring, nas.name).radius for nas in nases}
    short = [name for name, secret in secrets.items() if len(secret.encode()) <= 12]
    if short:
        return Finding(
            "routers",
            Health.WARNING,
            f"secrets of 12 octets or less: {', '.join(short)}",
            "pesisir nas set NAME --secret-file FILE",
        )
    shared = [name for name, secret in secrets.items() if list(secrets.values()).count(secret) > 1]
    if shared:
        return Finding(
            "routers",
            Health.WARNING,
            f"one secret for several: {', '.join(shared)}",
            "pesisir nas set NAME --secret-file FILE",
        )
    return Finding("routers", Health.GOOD, f"{len(nases)} registered")


def _silent_routers(here: "Installation") -> Finding:
    from app.services.nases import silent_nases

    silent = silent_nases(here.database)
    if silent:
        return Finding(
            "heard of", Health.WARNING, f"never a packet from {', '.join(silent)}", f"pesisir nas config {silent[0]}"
        )
    return Finding("heard of", Health.GOOD, "every router has spoken")


_LOOKS: Final[tuple[Callable[["Installation"], Finding], ...]] = (_journal, _set_aside, _routers, _silent_routers)
