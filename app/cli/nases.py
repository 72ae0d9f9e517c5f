"""`pesisir nas`: the routers and controllers that let devices through and speak to us."""

import os
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from app.cli.failures import nothing_to_change, usage
from app.cli.hint_words import SHARED_SECRET, SHORT_SECRET, remedy, words
from app.cli.installation import Installation, now, open_installation
from app.cli.nas_options import (
    Address,
    CoaAddress,
    CoaPort,
    Counts,
    DebugAnswers,
    FamilyOption,
    Identifier,
    LimitProxyState,
    LoginAddress,
    MacLogin,
    MessageAuthenticator,
    PortalSecretFile,
    SecretFile,
    Site,
    StatusServer,
    StrictIdentity,
    nas_options,
)
from app.cli.noun import example, noun
from app.cli.options import Name, read_end
from app.cli.output import (
    Json,
    JsonValue,
    Yes,
    confirm,
    harmless,
    iso,
    local,
    say,
    show_fields,
    show_json,
    show_table,
)
from app.cli.sites import site_names
from app.domain.hints import HintKind
from app.domain.nases import Demand, Family, Nas, NasSecrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.hints import Hint
    from app.services.nases import NasValues, StoredNas

commands = noun("nas", "Routers and controllers that let devices through and speak to us.")

_DEMAND_SIGNATURES: Final = "--require-message-authenticator yes"
_WARNINGS: Final = {"short_secret": SHORT_SECRET, "shared_secret": SHARED_SECRET}


@commands.command(
    epilog=example(
        "pesisir nas add gusung-1 --address 10.9.1.2 --family mikrotik --site Gusung --login-address 10.5.50.1"
    )
)
def add(
    name: Name,
    address: Address,
    family: FamilyOption,
    site: Site,
    secret_file: SecretFile = None,
    portal_secret_file: PortalSecretFile = None,
    login_address: LoginAddress = None,
    identifier: Identifier = None,
    require_message_authenticator: MessageAuthenticator = None,
    limit_proxy_state: LimitProxyState = None,
    coa_port: CoaPort = None,
    coa_address: CoaAddress = None,
    direction: Counts = None,
    status_server: StatusServer = None,
    strict_identity: StrictIdentity = None,
    debug_answers: DebugAnswers = None,
    mac_login: MacLogin = None,
) -> None:
    """Register a NAS. Secrets that are not given are made."""
    from app.services.nases import add_nas

    options = nas_options(
        secret_file, portal_secret_file, login_address, identifier, require_message_authenticator, limit_proxy_state,
        coa_port, coa_address, direction,
        status_server=status_server, strict_identity=strict_identity, debug_answers=debug_answers,
        mac_login=mac_login,
    )  # fmt: skip
    with open_installation() as here:
        stored = add_nas(
            here.database,
            here.keyring,
            name,
            address=address,
            family=family,
            site=site,
            now=now(),
            chance=os.urandom,
            **options,
        )
    say(f"added {family.value} {name} at {stored.nas.address}; next: pesisir nas config {name!r}")
    _warn(stored, here)


@commands.command("list", epilog=example("pesisir nas list --site Gusung"))
def list_(
    site: Annotated[str | None, typer.Option(metavar="SITE", help="Only those of this site.")] = None,
    as_json: Json = False,
) -> None:
    """List the NASes, without their secrets, and what is probably wrong with each."""
    from app.cli.family_words import with_state
    from app.services.hints import hints_of_nases
    from app.services.nases import list_nases

    with open_installation() as here:
        nases = list_nases(here.database, site=site)
        sites = site_names(here)
        hints = hints_of_nases(here.database, here.keyring, now=now(), protections=here.settings.protections)
    if as_json:
        show_json([_json(nas, sites, hints[nas.name], here.zone) for nas in nases])
    else:
        show_table(
            ("name", "family", "site", "address", "identifier", "login address", "hints"),
            [
                (
                    n.name,
                    with_state(n.family),
                    sites[n.site_id],
                    n.address,
                    n.identifier,
                    n.login_address,
                    _kinds(hints[n.name]),
                )
                for n in nases
            ],
        )


@commands.command(epilog=example("pesisir nas show gusung-1 --secrets"))
def show(
    name: Name,
    secrets: Annotated[bool, typer.Option("--secrets", help="Also print its secrets in clear.")] = False,
    as_json: Json = False,
) -> None:
    """Show one NAS, and what is probably wrong with it."""
    from app.services.hints import hints_of_nases
    from app.services.nases import nas_secrets, show_nas

    with open_installation() as here:
        nas = show_nas(here.database, name)
        hints = hints_of_nases(here.database, here.keyring, now=now(), protections=here.settings.protections)[nas.name]
        shown = _json(nas, site_names(here), hints, here.zone)
        if secrets:
            shown |= _secrets(nas_secrets(here.database, here.keyring, name))
    if as_json:
        show_json(shown)
        return
    force = here.settings.protections.applied_to(nas)
    shown |= {
        name: f"auto ({demand.value}, by PESISIR_{name.upper()})"
        for name, own, demand in (
            ("require_message_authenticator", nas.require_message_authenticator, force.require_message_authenticator),
            ("limit_proxy_state", nas.limit_proxy_state, force.limit_proxy_state),
        )
        if own is not demand
    }
    show_fields({key.replace("_", " "): value for key, value in shown.items() if key != "hints"})
    if force.require_message_authenticator is Demand.AUTO and nas.learned_message_authenticator:
        say(f"it signs its requests; to demand that for good: pesisir nas set {nas.name!r} {_DEMAND_SIGNATURES}")
    for hint in hints:
        seen = f" (last at {local(hint.last_at, here.zone)})" if hint.last_at else ""
        print(f"! {harmless(words(hint.kind, hint.detail, hint.times))}{seen}\n  next: {remedy(hint.kind, nas.name)}")


@commands.command("set", epilog=example("pesisir nas set gusung-1 --login-address 10.5.50.1"))
def set_(
    name: Name,
    address: Annotated[str | None, typer.Option(metavar="CIDR", help="Where its packets come from.")] = None,
    family: Annotated[Family | None, typer.Option(help="What it is.")] = None,
    site: Annotated[str | None, typer.Option(metavar="SITE", help="Where it stands.")] = None,
    secret_file: SecretFile = None,
    old_secret_until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="How long the RADIUS secret before this one is good as well: a week if unset."
        ),
    ] = None,
    portal_secret_file: PortalSecretFile = None,
    login_address: LoginAddress = None,
    identifier: Identifier = None,
    require_message_authenticator: MessageAuthenticator = None,
    limit_proxy_state: LimitProxyState = None,
    coa_port: CoaPort = None,
    coa_address: CoaAddress = None,
    direction: Counts = None,
    status_server: StatusServer = None,
    strict_identity: StrictIdentity = None,
    debug_answers: DebugAnswers = None,
    mac_login: MacLogin = None,
) -> None:
    """Change a NAS. What is not named stays as it is; `none` takes a value away."""
    from app.services.nases import set_nas

    if old_secret_until is not None and secret_file is None:
        usage("--old-secret-until says how long the old secret lasts", hint="give the new one by --secret-file")
    options = nas_options(
        secret_file, portal_secret_file, login_address, identifier, require_message_authenticator, limit_proxy_state,
        coa_port, coa_address, direction,
        status_server=status_server, strict_identity=strict_identity, debug_answers=debug_answers,
        mac_login=mac_login,
    )  # fmt: skip
    values: NasValues = {**options}  # type: ignore[typeddict-item] # mypy takes the absent keys for given
    if address is not None:
        values["address"] = address
    if family is not None:
        values["family"] = family
    if site is not None:
        values["site"] = site
    if not values:
        nothing_to_change("nas set")
    with open_installation() as here:
        until = None if old_secret_until is None else read_end(old_secret_until, here.zone, flag="--old-secret-until")
        stored = set_nas(here.database, here.keyring, name, now=now(), old_secret_until=until, **values)
    say(f"changed {name}; if its secrets or address changed: pesisir nas config {name!r}")
    _warn(stored, here)


@commands.command(epilog=example("pesisir nas remove gusung-1 --yes"))
def remove(name: Name, yes: Yes = False) -> None:
    """Remove a NAS: it is answered no more. Its sessions stay."""
    from app.services.nases import remove_nas, show_nas

    with open_installation() as here:
        show_nas(here.database, name)
        confirm(f"Remove {name}? Phones behind it can no longer log in.", yes=yes)
        remove_nas(here.database, name, now=now())
    say(f"removed {name}")


def _warn(stored: "StoredNas", here: Installation) -> None:
    if here.settings.protections.applied_to(stored.nas).is_unprotected:
        name = stored.nas.name
        say(f"warning: {words(HintKind.UNPROTECTED, '')}; next: {remedy(HintKind.UNPROTECTED, name)}")
    for warning in stored.warnings:
        say(f"warning: {_WARNINGS[warning]}; next: pesisir nas set {stored.nas.name!r} --secret-file FILE")


def _kinds(hints: "Sequence[Hint]") -> str:
    return ", ".join(hint.kind.value for hint in hints)


def _json(nas: Nas, sites: dict[str | None, str], hints: "Sequence[Hint]", zone: ZoneInfo) -> dict[str, JsonValue]:
    from radius.vendors import profile_for

    return {
        "id": nas.id,
        "name": nas.name,
        "site": sites[nas.site_id],
        "family": nas.family.value,
        "experimental": profile_for(nas.family.value).experimental,
        "address": str(nas.address),
        "identifier": nas.identifier,
        "login_address": nas.login_address,
        "require_message_authenticator": nas.require_message_authenticator.value,
        "learned_message_authenticator": nas.learned_message_authenticator,
        "limit_proxy_state": nas.limit_proxy_state.value,
        "direction": nas.direction.value,
        "coa_port": nas.coa_port,
        "coa_address": nas.coa_address,
        "status_server": nas.status_server,
        "strict_identity": nas.strict_identity,
        "debug_answers": nas.debug_answers,
        "mac_login": nas.mac_login,
        "hints": [
            {
                "hint": hint.kind.value,
                "detail": hint.detail,
                "words": words(hint.kind, hint.detail, hint.times),
                "next": remedy(hint.kind, nas.name),
                "times": hint.times,
                "first_at": iso(hint.first_at, zone),
                "last_at": iso(hint.last_at, zone),
            }
            for hint in hints
        ],
    }


def _secrets(secrets: NasSecrets) -> dict[str, JsonValue]:
    return {
        "secret": secrets.radius,
        "old_secret": secrets.old_radius,
        "portal_secret": secrets.portal,
        "mac_secret": secrets.mac,
    }
