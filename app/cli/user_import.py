"""`pesisir user import`: many people from one CSV file, all or none."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Failure
from app.cli.installation import now, open_installation
from app.cli.noun import example
from app.cli.options import read_octets
from app.cli.output import Json, JsonValue, harmless, many, say, show_json
from app.cli.progress import progress_bar
from app.cli.users import Secret
from app.domain.users import CredentialKind

if TYPE_CHECKING:
    from app.services.user_import import ImportReport


def register(users: typer.Typer) -> None:
    """Add the verb to its noun."""
    users.command("import", epilog=example("pesisir user import residents.csv --dry-run"))(import_users)


def import_users(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file, or - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    secret: Secret = None,
    as_json: Json = False,
) -> None:
    """Add or change users from a CSV file: all rows or none. The same file again changes nothing.

    The first line names the columns: username,password,name,phone,plan,site. Only username is required.
    """
    from app.services import user_import

    data = read_octets(file)
    with open_installation() as here, progress_bar("importing") as progress:
        report = user_import.import_users(
            here.database,
            here.keyring,
            data,
            kind=secret or CredentialKind.HASHED,
            dry_run=dry_run,
            now=now(),
            chance=os.urandom,
            progress=progress,
        )
    if as_json:
        show_json(_report_json(report))
    _tell(report, dry_run=dry_run)


def _tell(report: "ImportReport", *, dry_run: bool) -> None:
    for error in report.errors:
        column = f", {error.column}" if error.column else ""
        say(harmless(f"row {error.row}{column}: {error.problem}"))
    if report.errors:
        raise Failure(
            "nothing was imported",
            why=f"{many(len(report.errors), 'mistake')} in the file",
            hint="correct it and run this again",
        )
    counts = f"{report.added} new, {report.updated} changed, {report.unchanged} as they were"
    say(f"dry run, nothing was written: {counts}" if dry_run else f"imported {many(report.rows, 'row')}: {counts}")
    if report.default_plan_rows:
        say(
            f"without a plan, so with {report.default_plan}, the one made first: "
            f"{many(report.default_plan_rows, 'new user')}"
        )
    if report.without_password:
        say(f"without a password, so not able to log in by one: {many(report.without_password, 'new user')}")


def _report_json(report: "ImportReport") -> dict[str, JsonValue]:
    return {
        "applied": report.applied,
        "rows": report.rows,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "without_password": report.without_password,
        "default_plan": report.default_plan,
        "default_plan_rows": report.default_plan_rows,
        "errors": [{"row": e.row, "column": e.column, "problem": e.problem} for e in report.errors],
    }
