"""`pesisir voucher`: printed codes that open a plan."""

import csv
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import usage
from app.cli.installation import By, author, now, open_installation
from app.cli.noun import example, noun
from app.cli.options import read_end
from app.cli.output import Json, Yes, confirm, iso, local, many, say, show_json, show_table
from app.cli.progress import progress_bar
from app.domain.vouchers import VoucherState, printed

if TYPE_CHECKING:
    from app.cli.installation import Installation

commands = noun("voucher", "Printed codes that open a plan.")

_TOP_UP: Final = {True: "yes", False: "no"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How codes are handed over."""

    CSV = "csv"
    HTML = "html"


PrintFormat = Annotated[Format, typer.Option("--format", help="A table for machines, or a sheet to print.")]


@commands.command(epilog=example("pesisir voucher create --plan Harian --count 40 --format html > vouchers.html"))
def create(
    plan: Annotated[str, typer.Option(metavar="PLAN", help="What each code opens.")],
    count: Annotated[int, typer.Option(metavar="N", help="How many codes, up to 100000.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="For whom they are, to find the batch again.")] = "",
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day on which a code can be used for the first time.")
    ] = None,
    top_up: Annotated[
        bool, typer.Option("--top-up", help="Add the plan's total, or its validity, to the account that is logged in.")
    ] = False,
    by: By = None,
    file_format: PrintFormat = Format.CSV,
) -> None:
    """Make a batch of codes and print them to standard output."""
    from app.services.vouchers import create_batch

    with open_installation() as here:
        with progress_bar("vouchers") as progress:
            made = create_batch(
                here.database,
                here.keyring,
                plan=plan,
                count=count,
                note=note,
                valid_until=None if until is None else read_end(until, here.zone),
                top_up=top_up,
                author=author(by),
                now=now(),
                chance=os.urandom,
                progress=lambda done: progress(done, count),
            )
        _print(here, made.batch.id, made.codes, file_format)
    say(f"made batch {made.batch.id}: {many(count, 'code')}; print them again: pesisir voucher print {made.batch.id}")


@commands.command("list", epilog=example("pesisir voucher list --json"))
def list_(as_json: Json = False) -> None:
    """List the batches, the newest first; codes are never listed."""
    from app.services.vouchers import list_batches

    with open_installation() as here:
        found = list_batches(here.database)
    counts = [{state.value: each.states.get(state, 0) for state in VoucherState} for each in found]
    if as_json:
        show_json(
            [
                {
                    "id": each.batch.id,
                    "plan": each.plan_name,
                    "top_up": each.batch.top_up,
                    "size": each.batch.size,
                    **states,
                    "note": each.batch.note,
                    "valid_until": iso(each.batch.valid_until, here.zone),
                    "created_at": iso(each.batch.created_at, here.zone),
                    "author": each.batch.author,
                    "revoked_by": list(each.revoked_by),
                }
                for each, states in zip(found, counts, strict=True)
            ]
        )
        return
    show_table(
        (
            "batch",
            "plan",
            "top-up",
            "codes",
            *(state.value for state in VoucherState),
            "made",
            "by",
            "until",
            "revoked by",
            "note",
        ),
        [
            (
                each.batch.id,
                each.plan_name,
                _TOP_UP[each.batch.top_up],
                each.batch.size,
                *states.values(),
                local(each.batch.created_at, here.zone),
                each.batch.author,
                local(each.batch.valid_until, here.zone),
                ", ".join(each.revoked_by),
                each.batch.note,
            )
            for each, states in zip(found, counts, strict=True)
        ],
    )


@commands.command("print", epilog=example("pesisir voucher print abcdefgh23456722 --format html > vouchers.html"))
def print_(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Its id, as `voucher list` prints it.")],
    file_format: PrintFormat = Format.HTML,
) -> None:
    """Print the codes of a batch again, those that nobody has used or revoked."""
    from app.services.vouchers import batch_codes

    with open_installation() as here:
        codes = batch_codes(here.database, here.keyring, batch)
        left = [each.code for each in codes if each.state is VoucherState.NEW]
        _print(here, batch, left, file_format)
    if len(left) < len(codes):
        say(f"left out {len(codes) - len(left)} that were used or revoked")


@commands.command(epilog=example("pesisir voucher revoke --batch abcdefgh23456722"))
def revoke(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="One code, as printed.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="BATCH", help="Every code of a batch instead.")] = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Revoke a code or a batch: what was opened with it ends too."""
    from app.services.vouchers import revoke_batch, revoke_code

    if (code is None) == (batch is None):
        usage("say one code, or --batch BATCH", hint="pesisir voucher list")
    what = f"batch {batch}" if code is None else f"code {code}"
    confirm(f"Revoke {what}, and end what it has opened?", yes=yes)
    with open_installation() as here:
        if batch is not None:
            number = revoke_batch(here.database, batch, author=author(by), zone=here.zone, now=now(), chance=os.urandom)
        else:
            assert code is not None
            number = revoke_code(
                here.database, here.keyring, code, author=author(by), zone=here.zone, now=now(), chance=os.urandom
            )
    say(f"revoked {number}" if number else "it was revoked before")


def _print(here: "Installation", batch_id: str, codes: "tuple[str, ...] | list[str]", file_format: Format) -> None:
    from app.services.vouchers import list_batches

    found = next(each for each in list_batches(here.database) if each.batch.id == batch_id)
    if file_format is Format.HTML:
        from app.cli.voucher_sheet import sheet

        sys.stdout.write(sheet(here, found, codes))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("code", "plan", "batch", "valid_until", "note", "top_up"))
    until = iso(found.batch.valid_until, here.zone) or ""
    top_up = _TOP_UP[found.batch.top_up]
    for code in codes:
        writer.writerow((printed(code), _cell(found.plan_name), batch_id, until, _cell(found.batch.note), top_up))


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
