"""Data to stdout, talk to stderr. What routers and people sent is shown harmless: without control characters."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from app.cli.failures import ExitCode, Failure, usage
from app.domain.text import escaped

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]

JsonValue = str | int | float | bool | None | Mapping[str, "JsonValue"] | Sequence["JsonValue"]

_WIDE: Final = 100_000
_SCALE: Final = ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


def show_json(value: JsonValue) -> None:
    """Print one JSON value; control characters are escaped, other letters are left as they are."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(re.sub(r"[\x7f-\x9f\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; a pipe gets every letter, a terminal gets them folded to its width."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(harmless(cell) for cell in row))
        count += 1
    if count == 0:
        say("none")
        return
    width = None if sys.stdout.isatty() else _WIDE
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as drawn:  # Rich would answer a closed pipe by itself
        console.print(table)
    print(drawn.get(), end="")


def show_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one a line."""
    width = max(len(name) for name in fields)
    for name, value in fields.items():
        print(f"{name:<{width}}  {harmless(value)}")


def show_files(owner: str, files: Mapping[str, str], only: str | None, *, as_json: bool) -> None:
    """Print files to be put somewhere: all under their headings, `only` one as it is, or all as JSON."""
    if as_json:
        show_json(files)
    elif only is None:
        print("\n".join(f"===== {title} =====\n{text.rstrip()}\n" for title, text in files.items()))
    elif only in files:
        print(files[only], end="")
    else:
        raise Failure(f"{owner} has no file {only!r}", why=f"it has {', '.join(files)}", code=ExitCode.NOT_FOUND)


def harmless(value: object) -> str:
    """Write a value for a terminal: nothing as `-`, control characters by their number."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escaped(str(value))


def say(text: str) -> None:
    """Talk to the person, beside the data."""
    print(text, file=sys.stderr)


def many(count: int, thing: str) -> str:
    """Write a number of things: `1 row`, `2 rows`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def iso(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Write a moment for scripts: ISO 8601 with offset, in the city's zone."""
    return None if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")


def local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Write a moment for people, in the city's zone."""
    return None if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def octets(count: int | None) -> str | None:
    """Write octets for people, three digits at most before the point; exact below a kilobyte."""
    if count is None:
        return None
    for size, unit in _SCALE:
        if abs(count) >= size:
            return f"{count / size:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{count} B"


def duration(seconds: int | None) -> str | None:
    """Write seconds for people: `2h 05m`."""
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed; without a person at the terminal, demand --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        usage(f"{question} Nobody is here to answer", hint="add --yes if you are sure")
    if not typer.confirm(question, err=True):
        raise Failure("nothing was changed")
