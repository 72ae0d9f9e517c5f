"""`pesisir nas config`: what is pasted into a router."""

from typing import Annotated

import typer

from app.cli.addresses import SET_THEM, is_elsewhere, unreachable
from app.cli.failures import Failure
from app.cli.garden import city_services
from app.cli.installation import Installation, open_installation
from app.cli.noun import example
from app.cli.options import Name
from app.cli.output import Json, say, show_files


def register(nases: typer.Typer) -> None:
    """Add the verb to its noun."""
    nases.command("config", epilog=example("pesisir nas config gusung-1 --file hotspot.rsc > hotspot.rsc"))(config)


def config(
    name: Name,
    file: Annotated[str | None, typer.Option(metavar="NAME", help="Print this one file and nothing else.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Print it though the router cannot reach the addresses in it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print what to paste into the router: every file under its heading. It holds the secrets."""
    with open_installation() as here:
        _check_addresses(here, name, anyway=anyway)
        files = _files(here, name)
    show_files(name, files, file, as_json=as_json)


def _check_addresses(here: Installation, name: str, *, anyway: bool) -> None:
    """Refuse to print what cannot work: a router elsewhere reaches no address that only this machine has."""
    from app.nas.families import portal_family
    from app.services.nases import show_nas

    nas = show_nas(here.database, name)
    if not is_elsewhere(nas):
        return
    wrong = list(unreachable(here.settings, portal=portal_family(nas.family) is not None))
    if not wrong:
        return
    words = ", ".join(str(one) for one in wrong)
    if not anyway:
        raise Failure(f"{nas.name} at {nas.address} cannot reach this server", why=words, hint=SET_THEM)
    say(f"warning: {nas.name} at {nas.address} cannot reach this server: {words}\n  next: {SET_THEM}")


def _files(here: Installation, name: str) -> dict[str, str]:
    from app.nas.families import config as config_of
    from app.nas.families import portal_of
    from app.nas.queues import router_files
    from app.services.nases import nas_secrets, show_nas
    from app.services.sites import list_sites
    from app.services.uplinks import site_lines
    from app.web.public_services import hosts_of

    nas = show_nas(here.database, name)
    site = next(site for site in list_sites(here.database) if site.id == nas.site_id)
    portal = portal_of(here.settings, site, garden=hosts_of(city_services(here.settings)))
    files = config_of(nas, nas_secrets(here.database, here.keyring, name), portal)
    return {**files, **router_files(nas, site_lines(here.database)[site.id])}
