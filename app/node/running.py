"""What runs on this machine: `<data dir>/run/<process>.json` says where each process listens; it is kept young."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

_YOUNG_SECONDS: Final = 30.0
BEAT_SECONDS: Final = 5.0

Listening = Mapping[str, Sequence[tuple[str, int]]]


def announce(data_dir: Path, process: str, listening: Listening) -> Path:
    """Say that a process is ready and where it listens; return the file, to be touched and at last removed."""
    folder = data_dir / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{process}.json"
    content = {"pid": os.getpid(), **{service: [list(address) for address in at] for service, at in listening.items()}}
    write_whole(path, json.dumps(content) + "\n")
    return path


def read_running(data_dir: Path) -> dict[str, dict[str, object]]:
    """Return what is announced, by process; what died without a word may be among it."""
    found: dict[str, dict[str, object]] = {}
    for path in sorted((data_dir / "run").glob("*.json")):
        try:
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return found


def receiving(data_dir: Path, now: datetime) -> bool:
    """Tell whether a RADIUS process of this machine has shown a sign of life lately."""
    for path in (data_dir / "run").glob("radius-*.json"):
        try:
            if now.timestamp() - path.stat().st_mtime < _YOUNG_SECONDS:
                return True
        except FileNotFoundError:
            continue
    return False


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
