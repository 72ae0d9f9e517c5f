"""`pesisir change`: what open sessions are to be told, and what became of it."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from app.cli.installation import open_installation
from app.cli.newest import Limit, rows_of, say_whether_cut
from app.cli.noun import example, noun
from app.cli.output import Json, local, say, show_json, show_table
from app.domain.changes import UNFINISHED, ChangeState

commands = noun("change", "What open sessions are to be told, and what became of it.")


class Which(StrEnum):
    """Which changes."""

    OPEN = "open"
    FAILED = "failed"
    DONE = "done"
    ALL = "all"


_STATES: Final = {
    Which.OPEN: UNFINISHED,
    Which.FAILED: frozenset({ChangeState.FAILED}),
    Which.DONE: frozenset({ChangeState.DONE}),
    Which.ALL: frozenset(ChangeState),
}


@commands.command("list", epilog=example("pesisir change list --state failed --nas gusung-1"))
def list_(
    state: Annotated[Which, typer.Option(help="Which ones; open: whatever is not done yet.")] = Which.OPEN,
    nas: Annotated[str | None, typer.Option(metavar="NAS", help="Only behind this NAS.")] = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List changes, the newest first."""
    from app.cli.change_words import change_json, kind_words, state_words
    from app.services.session_changes import list_changes

    rows = rows_of(limit, as_json=as_json)
    with open_installation() as here:
        found = list_changes(here.database, states=_STATES[state], nas=nas, limit=rows)
    if as_json:
        show_json([change_json(listed, here) for listed in found])
        return
    show_table(
        ("at", "session", "user", "nas", "what", "state"),
        [
            (
                local(listed.change.created_at, here.zone),
                listed.change.session_id,
                listed.user,
                listed.nas,
                kind_words(listed.change),
                state_words(listed.change),
            )
            for listed in found
        ],
    )
    say_whether_cut(limit, len(found))
    if not found and state is Which.OPEN:
        say("nothing is open; what is done or failed: pesisir change list --state all")
