"""`pesisir session`: what routers reported, from Start to Stop."""

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import usage
from app.cli.installation import By, Installation, author, now, open_installation
from app.cli.newest import Limit, rows_of, say_whether_cut
from app.cli.noun import example, noun
from app.cli.options import Given, rate, read_end
from app.cli.output import Json, JsonValue, duration, iso, local, octets, say, show_fields, show_json, show_table
from app.cli.previews import JustDryRun, concerned
from app.services.errors import NotFound

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.sessions import SessionView

commands = noun("session", "What routers reported, from Start to Stop.")


class State(StrEnum):
    """Which sessions."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@commands.command("list", epilog=example("pesisir session list --state all --nas gusung-1"))
def list_(
    state: Annotated[State, typer.Option(help="Which ones.")] = State.OPEN,
    user: Annotated[str | None, typer.Option(metavar="USER", help="Only of this user, or of this account id.")] = None,
    nas: Annotated[str | None, typer.Option(metavar="NAS", help="Only behind this NAS.")] = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List sessions, the newest first."""
    from app.services.sessions import StateFilter, list_sessions

    rows = rows_of(limit, as_json=as_json)
    with open_installation() as here:
        found = list_sessions(here.database, state=StateFilter(state.value), user=user, nas=nas, limit=rows)
    if as_json:
        show_json([_json(session, here) for session in found])
        return
    show_table(
        ("id", "user", "device", "nas", "site", "started", "time", "up", "down", "state"),
        [
            (
                s.id,
                s.user,
                s.device,
                s.nas,
                s.site,
                local(s.started_at, here.zone),
                duration(s.session_time),
                octets(s.up_octets),
                octets(s.down_octets),
                ", ".join((s.state.value, *s.flags)),
            )
            for s in found
        ],
    )
    say_whether_cut(limit, len(found))


@commands.command(epilog=example("pesisir session show abcdefgh23456722"))
def show(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `session list` prints it.")],
    as_json: Json = False,
) -> None:
    """Show one session, and what it was to be told."""
    from app.cli.change_words import change_json, kind_words, state_words
    from app.services.session_changes import changes_of_session
    from app.services.sessions import show_session

    with open_installation() as here:
        session = show_session(here.database, session_id)
        changes = changes_of_session(here.database, session_id)
    if session is None:
        raise NotFound("session", session_id)
    told = {name: value for name, value in session.addresses.items() if value is not None}
    shown = _json(session, here) | told
    if as_json:
        asked = {"changes": [change_json(listed, here) for listed in changes]} if changes else {}
        show_json(shown | asked)
        return
    people = {
        "flags": ", ".join(session.flags),
        "started_at": local(session.started_at, here.zone),
        "ended_at": local(session.ended_at, here.zone),
        "session_time": duration(session.session_time),
        "up_octets": octets(session.up_octets),
        "down_octets": octets(session.down_octets),
    }
    show_fields({key.removesuffix("_octets").replace("_", " "): value for key, value in (shown | people).items()})
    if changes:
        print()
        show_table(
            ("at", "what", "state"),
            [
                (local(listed.change.created_at, here.zone), kind_words(listed.change), state_words(listed.change))
                for listed in changes
            ],
        )


SessionId = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `session list` prints it.")]


@commands.command(epilog=example("pesisir session disconnect abcdefgh23456722 --reason 'salah perangkat'"))
def disconnect(
    session_id: SessionId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with your name.")],
    by: By = None,
    dry_run: JustDryRun = False,
) -> None:
    """End an open session. A known device may come back by itself: who must stay out is suspended."""
    from app.services.session_changes import disconnect_session

    with open_installation() as here, concerned(here, dry_run=dry_run) as database:
        disconnect_session(database, session_id, reason=reason, author=author(by), now=now(), chance=os.urandom)
        if dry_run:
            _show_asked(database, session_id, "would end")
            return
    say(f"asked for; see: pesisir session show {session_id}")


@commands.command(epilog=example("pesisir session change abcdefgh23456722 --down 512k --up 512k --reason 'rapat'"))
def change(
    session_id: SessionId,
    down: Annotated[Given[int] | None, rate("--down", "At most so much towards the device; none lifts it.")] = None,
    up: Annotated[Given[int] | None, rate("--up", "At most so much from the device; none lifts it.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Its last day; unset: today.")] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with your name.")] = "by hand",
    by: By = None,
    dry_run: JustDryRun = False,
) -> None:
    """Hold the device of an open session down, also when it comes back, until the end of the day."""
    from app.services.session_changes import change_session

    if down is None and up is None:
        usage("change what?", hint="name --down or --up with a RATE such as 512k, or none")
    with open_installation() as here, concerned(here, dry_run=dry_run) as database:
        ends_at = change_session(
            database,
            session_id,
            down=None if down is None else (down.value,),
            up=None if up is None else (up.value,),
            until=None if until is None else read_end(until, here.zone),
            reason=reason,
            author=author(by),
            zone=here.zone,
            now=now(),
            chance=os.urandom,
        )
        held = "lifted" if ends_at is None else f"held down until {local(ends_at, here.zone)}"
        if dry_run:
            _show_asked(database, session_id, f"would be {held}")
            return
    say(f"{held}; what the router says: pesisir session show {session_id}")


def _show_asked(database: "Database", session_id: str, what: str) -> None:
    """Say of whom and where an open session is, and what it was to be told, in a database of which nothing is left."""
    from app.cli.change_words import kind_words
    from app.services.session_changes import changes_of_session
    from app.services.sessions import show_session

    session, asked = show_session(database, session_id), changes_of_session(database, session_id)
    assert session is not None, "it is there, or nothing could have been asked of it"
    told = kind_words(asked[0].change) if asked else None
    show_fields({what: session_id, "user": session.user, "device": session.device, "nas": session.nas, "told": told})


@commands.command(epilog=example("pesisir session totals --json"))
def totals(as_json: Json = False) -> None:
    """Add up every stored session, those without a login of ours included."""
    from app.services.sessions import session_totals

    with open_installation() as here:
        found = session_totals(here.database)
    if as_json:
        show_json(
            {
                "sessions": found.sessions,
                "open": found.open,
                "closed": found.closed,
                "up_octets": found.up_octets,
                "down_octets": found.down_octets,
            }
        )
    else:
        show_fields(
            {
                "sessions": found.sessions,
                "open": found.open,
                "closed": found.closed,
                "up": octets(found.up_octets),
                "down": octets(found.down_octets),
            }
        )


def _json(session: "SessionView", here: Installation) -> dict[str, JsonValue]:
    return {
        "id": session.id,
        "user": session.user,
        "device": session.device,
        "nas": session.nas,
        "site": session.site,
        "acct_session_id": session.acct_session_id,
        "ip": session.ip,
        "state": session.state.value,
        "started_at": iso(session.started_at, here.zone),
        "ended_at": iso(session.ended_at, here.zone),
        "session_time": session.session_time,
        "up_octets": session.up_octets,
        "down_octets": session.down_octets,
        "terminate_cause": session.terminate_cause,
        "flags": list(session.flags),
    }
