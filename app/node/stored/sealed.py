"""The file that holds a snapshot: a label that can be read by itself, then sealed parts. It is read whole or refused.

Head: magic (8), format (2), octets of the label (2), salt (32). Label: JSON. Then for each part its octets (4) and the
part, sealed by AES-256-GCM under a key that is derived for this salt alone, so a nonce need only count. It also says
which part is the last one, and each seal covers head and label: no part can be changed, left out, moved, cut off or
added, and the first part, which tells what is in the file, vouches for the label without the rest.
"""

import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.node.journal.writer import sync_directory
from app.node.stored.age import Dated
from app.services.keyring import Keyring

MAGIC: Final = b"PESISIRS"
FORMAT: Final = 1
SALT_OCTETS: Final = 32
_HEAD: Final = struct.Struct(f">8sHH{SALT_OCTETS}s")
_OCTETS: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(">Q3x?")
_SYNC_OCTETS: Final = 1024 * 1024  # so that another file's sync never waits for more than this


class StoredError(Exception):
    """A file that is not taken: which, and why."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Label:
    """Whose snapshot it is, and of when. `key_check` tells the secret key without revealing it."""

    node: str
    worker: int
    dated: Dated
    key_check: str

    def to_bytes(self) -> bytes:
        """Write it as JSON, so that anybody can read what a file is."""
        fields = {
            "node": self.node,
            "worker": self.worker,
            "as_of": self.dated.as_of.isoformat(),
            "written_at": self.dated.written_at.isoformat(),
            "age_seconds": round(self.dated.age_seconds, 3),
            "key_check": self.key_check,
        }
        return json.dumps(fields).encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a file held: all of it, or only its first part."""

    label: Label
    parts: tuple[bytes, ...]
    octets: int


def write(path: Path, label: Label, parts: Iterable[bytes], keyring: Keyring, *, chance: Callable[[int], bytes]) -> int:
    """Put a file in place, all of it or nothing, readable by its owner alone; return its octets. Raises OSError."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            octets = _write_all(descriptor, _sealed(label, parts, keyring, chance(SALT_OCTETS)))
        finally:
            os.close(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
    return octets


def read(path: Path, keyring: Keyring) -> Sealed:
    """Read a whole file; raise StoredError, or FileNotFoundError if there is none."""
    return _open(path, keyring, first_only=False)


def read_first(path: Path, keyring: Keyring) -> Sealed:
    """Read the label and the first part only, both as they were written; raises like `read`."""
    return _open(path, keyring, first_only=True)


def _sealed(label: Label, parts: Iterable[bytes], keyring: Keyring, salt: bytes) -> Iterator[bytes]:
    said = label.to_bytes()
    head = _HEAD.pack(MAGIC, FORMAT, len(said), salt) + said
    cipher = AESGCM(keyring.snapshot_key(salt))
    yield head
    for number, (part, last) in enumerate(_with_last(parts)):
        sealed = cipher.encrypt(_NONCE.pack(number, last), part, head)
        yield _OCTETS.pack(len(sealed))
        yield sealed


def _with_last(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give each part with whether it is the last one."""
    waiting: bytes | None = None
    for part in parts:
        if waiting is not None:
            yield waiting, False
        waiting = part
    assert waiting is not None, "a snapshot has a first part"
    yield waiting, True


def _write_all(descriptor: int, pieces: Iterable[bytes]) -> int:
    octets = unsynced = 0
    for piece in pieces:
        written = os.write(descriptor, piece)
        if written != len(piece):
            raise OSError(f"{written} of {len(piece)} octets written")
        octets += written
        unsynced += written
        if unsynced >= _SYNC_OCTETS:
            os.fdatasync(descriptor)
            unsynced = 0
    os.fsync(descriptor)
    return octets


def _open(path: Path, keyring: Keyring, *, first_only: bool) -> Sealed:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoredError(path, f"cannot be read: {error.strerror}") from error
    head, salt = _head(path, data)
    label = _label(path, head)
    if label.key_check != keyring.check:
        raise StoredError(path, "was written with another secret key")
    cipher = AESGCM(keyring.snapshot_key(salt))
    parts: list[bytes] = []
    at, last = len(head), False
    while not last and not (first_only and parts):
        sealed = _part(path, data, at)
        last = at + _OCTETS.size + len(sealed) == len(data)
        try:
            parts.append(cipher.decrypt(_NONCE.pack(len(parts), last), sealed, head))
        except InvalidTag as error:
            raise StoredError(path, f"is damaged, cut off or changed in the part at octet {at}") from error
        at += _OCTETS.size + len(sealed)
    return Sealed(label, tuple(parts), len(data))


def _head(path: Path, data: bytes) -> tuple[bytes, bytes]:
    """Return head and label as one, and the salt."""
    if len(data) < _HEAD.size:
        raise StoredError(path, f"is no snapshot: it ends at octet {len(data)}")
    magic, number, octets, salt = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise StoredError(path, "is no snapshot: it begins with something else")
    if number != FORMAT:
        raise StoredError(path, f"is of format {number}; this version reads format {FORMAT}")
    return data[: _HEAD.size + octets], salt


def _label(path: Path, head: bytes) -> Label:
    try:
        said = json.loads(head[_HEAD.size :])
        dated = Dated(
            datetime.fromisoformat(said["as_of"]),
            datetime.fromisoformat(said["written_at"]),
            float(said["age_seconds"]),
        )
        return Label(str(said["node"]), int(said["worker"]), dated, str(said["key_check"]))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise StoredError(path, f"is damaged: its label, at octet {_HEAD.size}, cannot be read") from error


def _part(path: Path, data: bytes, at: int) -> bytes:
    begins = at + _OCTETS.size
    if begins > len(data):
        raise StoredError(path, f"is cut off: it ends at octet {len(data)}, before its last part")
    (octets,) = _OCTETS.unpack_from(data, at)
    if begins + octets > len(data):
        raise StoredError(path, f"is cut off or damaged: the part at octet {at} reaches beyond its end")
    return data[begins : begins + octets]
