"""Reading what an earlier run has stored, whole or not at all."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.node.stored import sealed
from app.node.stored.age import Dated
from app.node.stored.contents import Contents, UnknownContentsError, decode
from app.node.stored.sealed import StoredError
from app.services.keyring import Keyring

_FOLDER: Final = "snapshot"
_SUFFIX: Final = ".snapshot"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file held."""

    dated: Dated
    contents: Contents


def stored_path(data_dir: Path, worker: int) -> Path:
    """Return where a RADIUS process stores its snapshot."""
    return data_dir / _FOLDER / f"{worker}{_SUFFIX}"


def stored_paths(data_dir: Path) -> list[Path]:
    """Return the files that there are."""
    return sorted((data_dir / _FOLDER).glob(f"[0-9]*{_SUFFIX}"))


def load_stored(path: Path, keyring: Keyring, *, node: str, worker: int, now: datetime) -> Stored:
    """Return what a file holds for this process; raise StoredError, or FileNotFoundError if there is none."""
    found = sealed.read(path, keyring)
    label = found.label
    if (label.node, label.worker) != (node, worker):
        raise StoredError(path, f"is of process {label.worker} of node {label.node}; this is {worker} of {node}")
    try:
        with _without_collector():
            return Stored(label.dated, decode(found.parts, now=now))
    except UnknownContentsError as error:
        raise StoredError(path, f"holds what this version does not know ({error})") from error


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the collector from walking through what only grows: it would take as long as the loading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
