"""What serves on this machine now: which processes, where they listen, whether they are alive."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from app.config import Address, Settings

_YOUNG_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 3.0
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared, not bound


@dataclass(frozen=True, slots=True)
class Serving:
    """One process that has said where it listens; `silent_seconds` since its last sign of life."""

    process: str
    listening: Mapping[str, tuple[Address, ...]]
    silent_seconds: float

    @property
    def alive(self) -> bool:
        """Tell whether it has shown a sign of life lately."""
        return self.silent_seconds < _YOUNG_SECONDS


def serving(data_dir: Path, now: datetime) -> list[Serving]:
    """Return every process that is announced here; one that was killed stays among them, and grows silent."""
    from app.node.running import read_running

    found = []
    for process, content in read_running(data_dir).items():
        try:
            touched = (data_dir / "run" / f"{process}.json").stat().st_mtime
        except FileNotFoundError:  # it has just ended
            continue
        listening = {service: _addresses(at) for service, at in content.items() if isinstance(at, list)}
        found.append(Serving(process, listening, now.timestamp() - touched))
    return found


def reached(settings: Settings, service: str, now: datetime) -> Address | None:
    """Return where a service (`auth`, `acct`, `portal`, `admin`, `status`) can be reached; None if nobody serves it."""
    for one in serving(settings.data_dir, now):
        if one.alive and one.listening.get(service):
            host, port = one.listening[service][0]
            return here(host), port
    return None


def here(host: str) -> str:
    """Return the address at which this machine reaches itself where it listens on every one."""
    return _EVERYWHERE.get(host, host)


def healthy(settings: Settings, address: Address) -> bool:
    """Ask a listener of ours for its health."""
    host, port = here(address[0]), address[1]
    if settings.tls_cert is None:
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
    else:
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # our own listener, asked over loopback
        connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE_SECONDS, context=trust)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _addresses(listed: list[object]) -> tuple[Address, ...]:
    found = []
    for one in listed:
        match one:
            case [str(host), int(port)]:
                found.append((host, port))
            case _:
                continue
    return tuple(found)
