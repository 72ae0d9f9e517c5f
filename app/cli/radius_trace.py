"""`pesisir radius trace`: watch what the running RADIUS server does, datagram by datagram."""

import json
import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from app.cli.failures import usage
from app.cli.installation import read_settings
from app.cli.noun import example
from app.cli.output import many, say
from app.domain.devices import parse_mac

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cli.trace_streams import Message
    from app.cli.trace_view import Paint
    from app.node.trace import ShownHint, Traced

    Hinted = dict[tuple[str, str | None], list[ShownHint]]  # by process and NAS


def register(commands: typer.Typer) -> None:
    """Add the verb."""
    commands.command(
        epilog=example(
            "pesisir radius trace --nas gusung-1",
            "pesisir radius trace --user siti --count 2",
            "pesisir radius trace --drops --json",
        )
    )(trace)


def trace(
    nas: Annotated[str, typer.Option(metavar="NAS", help="Only this NAS.")] = "",
    user: Annotated[str, typer.Option(metavar="USER", help="Only this user, however the router names them.")] = "",
    mac: Annotated[str, typer.Option(metavar="MAC", help="Only this device.")] = "",
    drops: Annotated[bool, typer.Option("--drops", help="Only what got no answer.")] = False,
    count: Annotated[int | None, typer.Option(metavar="N", min=1, help="Stop after so many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts, one datagram a line.")] = False,
) -> None:
    """Show each RADIUS datagram, what was decided, and why. Passwords and other proofs are never shown.

    It looks at the processes of this machine, from now on, until Ctrl-C.
    """
    from app.cli.trace_streams import follow
    from app.node.trace import TraceFilter

    device = parse_mac(mac) if mac else ""
    if device is None:
        usage(f"{mac!r} is not a MAC", hint="such as 02:00:00:00:00:01")
    settings = read_settings()
    with closing(follow(settings.data_dir, TraceFilter(nas=nas, user=user, mac=device, drops=drops))) as messages:
        try:
            _show(messages, settings.time_zone, count, as_json=as_json)
        except KeyboardInterrupt:
            return


def _show(messages: "Iterator[Message]", zone: ZoneInfo, count: int | None, *, as_json: bool) -> None:
    """Print datagrams to standard output and talk beside it, until `count` were shown or the messages end."""
    from app.cli.trace_streams import Began, Ended, Lost
    from app.cli.trace_view import lines, painter

    paint = painter(sys.stdout, os.environ)
    number = 0
    hinted: Hinted = {}
    for message in messages:
        match message:
            case Began(process):
                say(f"watching {process}; Ctrl-C ends it")
            case Ended(process):
                say(f"{process} has stopped; it is watched again when it is back")
            case Lost(process, lost):
                say(f"{process}: {many(lost, 'datagram')} came faster than they could be shown")
            case _:
                if as_json:
                    print(_json_line(message, zone), flush=True)
                else:
                    print("\n".join([*_news(message, hinted, paint), *lines(message, zone, paint)]), flush=True)
                number += 1
                if number == count:
                    return


def _news(shown: "Traced", hinted: "Hinted", paint: "Paint") -> "Iterator[str]":
    """Yield the hints about the NAS of a datagram where its process has said others before."""
    from app.cli.trace_view import hint_lines

    whose = shown["process"], shown["nas"]
    if shown["hints"] != hinted.get(whose, []):
        hinted[whose] = shown["hints"]
        yield from hint_lines(shown, paint)


def _json_line(shown: "Traced", zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(shown["at"], UTC).astimezone(zone).isoformat(timespec="milliseconds")
    return json.dumps({**shown, "at": at})
