"""`pesisir user`: people with an account."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import nothing_to_change, usage
from app.cli.installation import By, Installation, author, now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Given, number, read_end, read_secret, word
from app.cli.output import (
    Json,
    JsonValue,
    Yes,
    confirm,
    iso,
    say,
    show_json,
    show_table,
)
from app.cli.previews import (
    DryRun,
    Language,
    PreviewJson,
    carry_out,
    only_with_dry_run,
)
from app.cli.quota_options import (
    Billing,
    Daily,
    Monthly,
    Quotas,
    Total,
    Weekly,
    check_own_quotas,
    quota_json,
    quotas_given,
)
from app.cli.sites import site_names
from app.domain.users import CredentialKind, User

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.users import UserValues

commands = noun("user", "People with an account.")

Username = Annotated[str, typer.Argument(metavar="NAME", help="The name that they log in with.")]
PersonName = Annotated[Given[str] | None, word("--name", "TEXT", "Who it is.")]
Phone = Annotated[Given[str] | None, word("--phone", "NUMBER", "A mobile number, such as 0812-3456-7890.")]
Plan = Annotated[str | None, typer.Option(metavar="PLAN", help="What they get; unset: the plan that was made first.")]
Site = Annotated[Given[str] | None, word("--site", "SITE", "The only site where it is good; none: everywhere.")]
BillingDay = Annotated[
    Given[int] | None,
    number("--billing-day", "The day of the month, 1 to 31, on which its billing period begins.", largest=31),
]
Until = Annotated[Given[str] | None, word("--valid-until", "DATE", "The last day, such as 2026-12-31.")]
PasswordFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="The password, from a file or - for standard input.")
]
Secret = Annotated[
    CredentialKind | None,
    typer.Option(
        "--secret",
        help="How the password is kept; unset: hashed. Encrypted ones can serve CHAP and MS-CHAPv2, and import fast.",
    ),
]

_PAGE: Final = 500
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LENGTH: Final = 12  # 59 bits


@commands.command(epilog=example("pesisir user add siti --name 'Siti Aminah' --plan Warga --password-file -"))
def add(
    username: Username,
    password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The password; other people on this machine can see it.")
    ] = None,
    password_file: PasswordFile = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Nobody can log in by a password.")] = False,
    secret: Secret = None,
    name: PersonName = None,
    phone: Phone = None,
    plan: Plan = None,
    site: Site = None,
    valid_until: Until = None,
    billing_day: BillingDay = None,
) -> None:
    """Add a user. Without a password one is made and printed, this once."""
    from app.services.users import add_user

    given = _password(password, password_file, absent=no_password)
    if no_password and secret is not None:
        usage("--secret says how a password is kept", why="there is none", hint="leave out --no-password")
    made = _made_password() if given is None and not no_password else None
    with open_installation() as here:
        values = _values(here, name, phone, plan, site, valid_until)
        if billing_day is not None:
            values["billing_day"] = billing_day.value or 1
        user = add_user(
            here.database,
            here.keyring,
            username,
            password=made if given is None else given,
            kind=secret or CredentialKind.HASHED,
            now=now(),
            chance=os.urandom,
            **values,
        )
    say(f"added user {user.username} with plan {user.account.policy.plan.name}")
    if made is not None:
        say("password, shown this once:")
        print(made)


@commands.command("list", epilog=example("pesisir user list --search siti"))
def list_(
    search: Annotated[str, typer.Option(metavar="TEXT", help="Part of a username, a name or a phone number.")] = "",
    as_json: Json = False,
) -> None:
    """List the users."""
    with open_installation() as here:
        users = list(_every(here, search))
        sites = site_names(here)
    if as_json:
        show_json([user_json(user, here, sites) for user in users])
    else:
        show_table(
            ("user", "name", "phone", "plan", "site", "state"),
            [
                (u.username, u.name, u.phone, u.account.policy.plan.name, sites.get(u.account.site_id), state_of(u))
                for u in users
            ],
        )


@commands.command(
    "set",
    epilog=example(
        "pesisir user set siti --plan Kantor --valid-until 2026-12-31", "pesisir user set siti --plan Kantor --dry-run"
    ),
)
def set_(
    username: Username,
    password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A new password; other people on this machine can see it.")
    ] = None,
    password_file: PasswordFile = None,
    secret: Secret = None,
    name: PersonName = None,
    phone: Phone = None,
    plan: Plan = None,
    site: Site = None,
    valid_until: Until = None,
    billing_day: BillingDay = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Change a user. What is not named stays as it is; `none` takes a value away."""
    from app.services.passwords import set_password
    from app.services.previews import Of
    from app.services.users import set_user, show_user

    only_with_dry_run(dry_run, language, as_json=as_json)
    if dry_run and plan is None:
        usage("--dry-run says what another plan brings", why="none is named", hint="--plan PLAN")
    given = _password(password, password_file, absent=False)
    if given is None and secret is not None:
        usage("--secret says how a new password is kept", hint="give one by --password-file")
    kind = secret or CredentialKind.HASHED
    with open_installation() as here:
        values = _values(here, name, phone, plan, site, valid_until)
        if billing_day is not None:
            values["billing_day"] = billing_day.value or 1
        if not values and given is None:
            nothing_to_change("user set")

        def change(database: "Database") -> None:
            set_user(database, username, zone=here.zone, now=now(), chance=os.urandom, **values)

        if not carry_out(here, change, Of.USER, username, dry_run=dry_run, language=language, as_json=as_json):
            return
        if given is not None:
            set_password(here.database, here.keyring, username, given, kind=kind, now=now(), chance=os.urandom)
        user = show_user(here.database, username, now=now())
    say(f"changed user {user.username}")


@commands.command(
    "set-quota", epilog=example("pesisir user set-quota siti --daily 1GB --reason 'ujian' --until 2026-12-05")
)
def set_quota(
    username: Username,
    daily: Daily = None,
    weekly: Weekly = None,
    monthly: Monthly = None,
    billing: Billing = None,
    total: Total = None,
    quota: Quotas = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; everybody who looks will read it.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Its last day; unset: for good.")] = None,
    by: By = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Give one person a quota of their own in place of the plan's. `none` gives the plan's back."""
    from app.services.previews import Of
    from app.services.quotas import change_quotas

    only_with_dry_run(dry_run, language, as_json=as_json)
    given = quotas_given(daily, weekly, monthly, billing, total, quota)
    check_own_quotas(given, what="a quota of one's own", reason=reason, until=until, by=by)
    with open_installation() as here:
        ends_at = None if until is None else read_end(until, here.zone)

        def change(database: "Database") -> None:
            change_quotas(
                database,
                username,
                given,
                reason=reason or "",
                author=author(by),
                until=ends_at,
                zone=here.zone,
                now=now(),
                chance=os.urandom,
            )

        if not carry_out(here, change, Of.USER, username, dry_run=dry_run, language=language, as_json=as_json):
            return
    say(f"changed; see: pesisir user show {username!r}")


@commands.command(epilog=example("pesisir user suspend siti --by 'Ibu Ratna'", "pesisir user suspend siti --lift"))
def suspend(
    username: Username, lift: Annotated[bool, typer.Option("--lift", help="Let them in again.")] = False, by: By = None
) -> None:
    """Keep somebody offline for now, without removing anything."""
    from app.services.users import suspend_user

    with open_installation() as here:
        user = suspend_user(
            here.database,
            username,
            suspended=not lift,
            author=author(by),
            zone=here.zone,
            now=now(),
            chance=os.urandom,
        )
    say(f"{user.username} may log in again" if lift else f"{user.username} is suspended")


@commands.command(epilog=example("pesisir user remove siti --yes"))
def remove(username: Username, yes: Yes = False) -> None:
    """Remove a user. What they have used stays in the totals."""
    from app.services.users import remove_user, show_user

    with open_installation() as here:
        user = show_user(here.database, username, now=now())
        confirm(f"Remove {user.username}? They can no longer log in.", yes=yes)
        remove_user(here.database, username, zone=here.zone, now=now(), chance=os.urandom)
    say(f"removed {user.username}")


def _password(password: str | None, file: str | None, *, absent: bool) -> str | None:
    if (password is not None) + (file is not None) + absent > 1:
        usage("two passwords", hint="one of --password, --password-file and --no-password is enough")
    return password if file is None else read_secret(file)


def _made_password() -> str:
    """Make a password that is easy to read aloud; each letter by rejection, so that none is likelier."""
    letters = ""
    while len(letters) < _PASSWORD_LENGTH:
        index = os.urandom(1)[0] & 31
        letters += _LETTERS[index] if index < len(_LETTERS) else ""
    return letters


def _values(
    here: Installation,
    name: Given[str] | None,
    phone: Given[str] | None,
    plan: str | None,
    site: Given[str] | None,
    valid_until: Given[str] | None,
) -> "UserValues":
    values: UserValues = {}
    if name is not None:
        values["name"] = name.value or ""
    if phone is not None:
        values["phone"] = phone.value
    if plan is not None:
        values["plan"] = plan
    if site is not None:
        values["site"] = site.value
    if valid_until is not None:
        values["valid_until"] = (
            None if valid_until.value is None else read_end(valid_until.value, here.zone, flag="--valid-until")
        )
    return values


def _every(here: Installation, search: str) -> Iterator[User]:
    """Yield every user that fits, a page at a time."""
    from app.services.users import list_users

    after: str | None = ""
    while after is not None:
        page = list_users(here.database, search=search, after=after, limit=_PAGE, now=now())
        yield from page.users
        after = page.next_after


def state_of(user: User) -> str:
    """Say in a word whether they may log in."""
    if user.account.suspended:
        return "suspended"
    ends_at = user.account.ends_at(now())
    return "expired" if ends_at is not None and ends_at <= now() else "good"


def user_json(user: User, here: Installation, sites: dict[str | None, str]) -> dict[str, JsonValue]:
    """Return a user as scripts read one."""
    account = user.account
    return {
        "id": account.id,
        "username": user.username,
        "name": user.name,
        "phone": user.phone,
        "plan": account.policy.plan.name,
        "site": sites.get(account.site_id),
        "state": state_of(user),
        "suspended": account.suspended,
        "valid_until": iso(account.valid_until, here.zone),
        "first_used_at": iso(account.first_used_at, here.zone),
        "billing_day": account.billing_day,
        "quotas": [
            {
                **quota_json(effective.quota),
                "origin": effective.origin.value,
                "reason": effective.reason,
            }
            for effective in account.policy.quotas
        ],
    }
