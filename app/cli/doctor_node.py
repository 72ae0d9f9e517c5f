"""What the doctor looks at of a RADIUS process's disk: the snapshot from which it decides without the database."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.findings import Finding, broken, good, warning
from app.cli.installation import now
from app.cli.output import duration, many, octets
from app.config import SettingError, Settings, load_secret_key

if TYPE_CHECKING:  # it brings much that is slow to import
    from app.services.keyring import Keyring

_REWRITE = "start RADIUS while the database can be reached: it writes it anew"


def look_at_snapshots(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of each stored snapshot; nothing where there is none, or no key to open it with."""
    from app.node.stored.loading import stored_paths
    from app.services.keyring import Keyring

    paths = stored_paths(settings.data_dir)
    if not paths or (settings.secret_key is None and not settings.secret_key_file.exists()):
        return
    try:
        keyring = Keyring(load_secret_key(settings))
    except SettingError:  # it is a finding of its own
        return
    for path in paths:
        yield _snapshot(path, keyring, settings)


def _snapshot(path: Path, keyring: "Keyring", settings: Settings) -> Finding:
    from app.node.stored.age import StoredAge
    from app.node.stored.contents import UnknownContentsError, read_counts
    from app.node.stored.sealed import StoredError, read_first

    try:
        found = read_first(path, keyring)
        accounts = read_counts(found.parts[0]).get("account", 0)
    except (StoredError, UnknownContentsError) as error:
        return broken("snapshot", f"a start without the database cannot use it: {error}", _REWRITE)
    if found.label.worker >= settings.radius_workers:
        words = f"of RADIUS process {found.label.worker}, where PESISIR_RADIUS_WORKERS is {settings.radius_workers}"
        return warning("snapshot", f"{words}: a copy of the city that nobody uses", f"rm {path}")
    moment = time.monotonic()
    seconds = StoredAge(found.label.dated, read_at=moment).seconds(now(), moment)
    words = f"of RADIUS process {found.label.worker}, {duration(round(seconds))} old: {many(accounts, 'account')}"
    if seconds > settings.snapshot_max_age_seconds:
        return warning("snapshot", f"{words}; too old to decide by without the database", _REWRITE)
    return good("snapshot", f"{words}, {octets(found.octets)}")
