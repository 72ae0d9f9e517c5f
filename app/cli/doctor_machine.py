"""What the doctor looks at on the machine itself: key, clock, disk, processes, ports."""

import ctypes
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.cli.findings import Finding, broken, good, warning
from app.cli.installation import now
from app.cli.output import octets
from app.cli.serving import serving
from app.config import Address, SettingError, Settings, load_secret_key, written_address
from app.domain.clock import believable
from app.node.journal.writer import LEAST_FREE_SEGMENTS, SEGMENT_OCTETS

_LOW_OCTETS: Final = 2_000_000_000
_EMPTY_OCTETS: Final = LEAST_FREE_SEGMENTS * SEGMENT_OCTETS  # below that, the journal soon finds no room
_TIMEX_OCTETS: Final = 256  # struct timex is 208 on 64-bit Linux, adjtimex(2)
_TIME_ERROR: Final = 5


def look_at_machine(settings: Settings) -> Iterator[Finding]:
    """Yield what is found; nothing is made or changed."""
    yield _key(settings)
    yield _clock()
    yield from _disk(settings.data_dir)
    yield from _processes(settings)


def _key(settings: Settings) -> Finding:
    path = settings.secret_key_file
    if settings.secret_key is not None:
        return good("secret key", f"from {settings.origins['PESISIR_SECRET_KEY']}")
    if not path.exists():
        return warning("secret key", "not made yet: the first start makes it", "pesisir db upgrade")
    try:
        load_secret_key(settings)
        mode = path.stat().st_mode & 0o777
    except (SettingError, OSError) as error:
        return broken("secret key", str(error), "put the right key there, from the copy that you keep")
    if mode & 0o077:
        return broken("secret key", f"others can read it (mode {mode:04o})", f"chmod 600 {path}")
    return good("secret key", f"in {path}; keep a copy apart from the database")


def _clock() -> Finding:
    if not believable(now()):
        return broken(
            "clock", f"it says {now():%Y-%m-%d}, before this version was made", "set it; start an NTP service"
        )
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_OCTETS))
    if state == _TIME_ERROR:
        return warning("clock", f"{now():%Y-%m-%d %H:%M:%S} UTC, kept by nobody", "start chrony or systemd-timesyncd")
    return good("clock", f"{now():%Y-%m-%d %H:%M:%S} UTC")


def _disk(folder: Path) -> Iterator[Finding]:
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        yield broken("data folder", f"{folder} cannot be written by this user", f"chown it, or run as {folder.owner()}")
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < _EMPTY_OCTETS:
        yield broken(
            "disk",
            f"only {octets(free)} free: accounting stops when the journal finds no room",
            f"make room in {there}",
        )
    elif free < _LOW_OCTETS:
        yield warning("disk", f"only {octets(free)} free", f"make room in {there}: a full disk stops accounting")
    else:
        yield good("disk", f"{octets(free)} free")


def _processes(settings: Settings) -> Iterator[Finding]:
    found = serving(settings.data_dir, now())
    for one in found:
        if one.alive:
            places = [written_address(address) for at in one.listening.values() for address in at]
            yield good(one.process, f"runs{', at ' + ', '.join(places) if places else ''}")
        else:
            yield broken(one.process, f"no sign of life for {one.silent_seconds:.0f} s", "pesisir serve")
    if not found:
        yield warning("processes", "none runs here", "pesisir serve")
        yield from _ports(settings)


def _ports(settings: Settings) -> Iterator[Finding]:
    """Tell whether a start could have its ports."""
    for variable, kind, addresses in (
        ("PESISIR_HTTP_LISTEN", socket.SOCK_STREAM, settings.http_listen),
        ("PESISIR_ADMIN_LISTEN", socket.SOCK_STREAM, settings.admin_listen),
        ("PESISIR_RADIUS_AUTH_LISTEN", socket.SOCK_DGRAM, settings.radius_auth_listen),
        ("PESISIR_RADIUS_ACCT_LISTEN", socket.SOCK_DGRAM, settings.radius_acct_listen),
    ):
        for address in addresses:
            problem = _bind_problem(kind, address)
            if problem:
                yield broken("port", f"{written_address(address)}: {problem}", f"see `ss -ltunp`, or change {variable}")


def _bind_problem(kind: socket.SocketKind, address: Address) -> str:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""
