"""What the doctor looks at behind the database: schema, key, damage, journal, records set aside, routers."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.cli.addresses import SET_THEM, is_elsewhere, unreachable
from app.cli.findings import Finding, broken, good, warning
from app.cli.hint_words import remedy, words
from app.cli.installation import Installation, database_gone, now
from app.cli.output import duration, many
from app.cli.settings import hide_password
from app.config import Settings, load_secret_key
from app.domain.hints import HintKind

if TYPE_CHECKING:
    from app.domain.hints import Hint
    from app.domain.nases import Nas

_LATE_SECONDS: Final = 60
_SHORT_SECRET_OCTETS: Final = 15
_NAMED: Final = 5
_SAID_OF_SECRETS: Final = (HintKind.SHORT_SECRET, HintKind.SHARED_SECRET)


def look_at_data(settings: Settings) -> Iterator[Finding]:
    """Yield what is found; raise what the database raises where it cannot be worked with."""
    from app.db.engine import open_database
    from app.db.migrate import SchemaState, check
    from app.services.keyring import Keyring
    from app.services.schema import verify

    file = settings.database_url.removeprefix("sqlite:///")
    if database_gone(settings):
        yield broken(
            "database",
            f"{file} is not there any more, and a RADIUS process decides by a snapshot of it",
            "put the file back; to begin with an empty one, without people and routers: pesisir db upgrade",
        )
        return
    if file != settings.database_url and not Path(file).exists():
        yield warning("database", f"{file} is not made yet", "pesisir db upgrade")
        return
    database = open_database(settings.database_url)
    try:
        if check(database) is SchemaState.EMPTY:
            yield warning("database", "empty", "pesisir db upgrade")
            return
        keyring = Keyring(load_secret_key(settings))
        verify(database, keyring)
        yield good("database", f"{hide_password(settings.database_url)}: schema current, key fits, no damage")
        here = Installation(settings, database, keyring)
        yield _journal(here)
        yield _set_aside(here)
        yield from _routers(here)
    finally:
        database.close()


def _journal(here: Installation) -> Finding:
    from app.cli.journal import read_status

    status = read_status(here)
    if status.damaged:
        paths = ", ".join(str(path) for path in status.damaged)
        return broken(
            "journal",
            f"records are damaged in {paths}",
            "keep these files and look at the disk; remove their .damaged notes when it is settled",
        )
    age = 0 if status.oldest_at is None else int(now().timestamp() - status.oldest_at)
    if age > _LATE_SECONDS:
        words = f"not in the database yet: {many(status.pending, 'record')}, the oldest for {duration(age)}"
        return warning("journal", words, "pesisir serve, or pesisir serve --only worker")
    return good("journal", f"waiting for the database: {many(status.pending, 'record')}")


def _set_aside(here: Installation) -> Finding:
    from app.services.positions import ingest_state

    reasons = ingest_state(here.database).set_aside
    if not reasons:
        return good("set aside", "every record could be merged")
    some = _some([f"{reason} ({count})" for reason, count in reasons.items()])
    words = f"{many(sum(reasons.values()), 'record')} could not be merged: {some}"
    return warning("set aside", words, "nothing is lost: they stay in the table set_aside; report what they say")


def _routers(here: Installation) -> Iterator[Finding]:
    from app.services.nases import list_nases, silent_nases

    nases = list_nases(here.database)
    if not nases:
        yield warning("routers", "none is registered", "pesisir nas add NAME --address CIDR --family F --site S")
        return
    yield from _secrets(here, nases)
    yield from _hints(here)
    yield from _addresses(here, nases)
    silent = silent_nases(here.database)
    if silent:
        yield warning("routers", f"never heard of: {_some(silent)}", f"pesisir nas config {silent[0]!r}")
    else:
        yield good("routers", f"{len(nases)} registered, each was heard of")


def _hints(here: Installation) -> Iterator[Finding]:
    """Yield what nodes and the worker have noticed, and what is unprotected; each kind of several routers at most."""
    from app.services.hints import hints_of_nases

    by_kind: dict[HintKind, list[tuple[str, Hint]]] = {}
    for name, hints in hints_of_nases(
        here.database, here.keyring, now=now(), protections=here.settings.protections
    ).items():
        for hint in hints:
            if hint.kind not in _SAID_OF_SECRETS:
                by_kind.setdefault(hint.kind, []).append((name, hint))
    for kind, found in by_kind.items():
        for name, hint in found[:_NAMED]:
            yield warning(f"router {name}", words(kind, hint.detail, hint.times), remedy(kind, name))
        more = [name for name, _ in found[_NAMED:]]
        if more:
            yield warning("routers", f"{kind.value.replace('_', ' ')}, too: {_some(more)}", "pesisir nas list")


def _addresses(here: Installation, nases: "list[Nas]") -> Iterator[Finding]:
    """Tell whether routers that are other machines can reach this one."""
    from app.nas.families import portal_family

    elsewhere = [nas for nas in nases if is_elsewhere(nas)]
    portal = any(portal_family(nas.family) is not None for nas in elsewhere)
    wrong = list(unreachable(here.settings, portal=portal)) if elsewhere else []
    if wrong:
        names = _some([nas.name for nas in elsewhere])
        words = f"{', '.join(str(one) for one in wrong)}: nothing that {names} can reach"
        yield warning("addresses", words, SET_THEM)


def _secrets(here: Installation, nases: "list[Nas]") -> Iterator[Finding]:
    from app.services.nases import nas_secrets

    secrets = {nas.name: nas_secrets(here.database, here.keyring, nas.name).radius for nas in nases}
    counted = Counter(secrets.values())
    short = [name for name, secret in secrets.items() if len(secret.encode()) <= _SHORT_SECRET_OCTETS]
    shared = [name for name, secret in secrets.items() if counted[secret] > 1]
    if short:
        yield _weak("easy to guess (under 16 characters)", short)
    if shared:
        yield _weak("the same secret", shared)
    if not short and not shared:
        yield good("secrets", "long, and each its own")


def _weak(problem: str, names: list[str]) -> Finding:
    return warning("secrets", f"{problem}: {_some(names)}", f"pesisir nas set {names[0]!r} --secret-file FILE")


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
