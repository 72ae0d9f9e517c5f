"""`pesisir user top-up`: data and days that are added to somebody's account."""

import os
from typing import Annotated

import typer

from app.cli.failures import usage
from app.cli.installation import By, author, now, open_installation
from app.cli.noun import example
from app.cli.options import Given, amount, number, read_end
from app.cli.output import local, octets, say
from app.cli.previews import JustDryRun, concerned
from app.cli.users import Username
from app.domain.top_ups import left_in


def register(users: typer.Typer) -> None:
    """Add the verb to its noun."""
    users.command("top-up", epilog=example("pesisir user top-up siti --octets 2GB --reason 'ujian' --by 'Ibu Ratna'"))(
        top_up
    )


def top_up(
    username: Username,
    more: Annotated[Given[int] | None, amount("--octets", "Data to use once a quota is used up, such as 2GB.")] = None,
    days: Annotated[
        Given[int] | None, number("--days", "Days by which the account lasts longer.", largest=3_660)
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; everybody who looks will read it.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The data's last day; unset: until used.")] = None,
    by: By = None,
    dry_run: JustDryRun = False,
) -> None:
    """Add data, or days, to somebody's account. Data is used after the quotas, and does not end with their periods."""
    from app.services.top_ups import Addition, top_up_user

    if more is None and days is None:
        usage("top up by what?", hint="--octets AMOUNT such as 2GB, or --days N")
    if reason is None:
        usage("a top-up needs a reason", hint="--reason TEXT")
    added_seconds = 86_400 * (days.value or 0) if days is not None else 0
    with open_installation() as here:
        addition = Addition(
            (more.value or 0) if more is not None else 0,
            added_seconds,
            None if until is None else read_end(until, here.zone),
        )
        with concerned(here, dry_run=dry_run) as database:
            account = top_up_user(
                database,
                username,
                addition,
                reason=reason,
                author=author(by),
                zone=here.zone,
                now=now(),
                chance=os.urandom,
            )
    said = []
    if addition.octets:
        said.append(f"{octets(addition.octets)} more, until {local(addition.ends_at, here.zone) or 'used'}")
        said.append(f"{octets(left_in(account.top_ups, now()))} of extra data left")
    if (ends_at := account.ends_at(now())) is not None:
        said.append(f"the account is good until {local(ends_at, here.zone)}")
    if dry_run:
        print(f"would top up {username}: {'; '.join(said)}")
    else:
        say(f"topped up {username}: {'; '.join(said)}")
