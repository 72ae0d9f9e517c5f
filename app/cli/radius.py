"""`pesisir radius`: ask a RADIUS server as one of our routers would."""

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Failure, usage
from app.cli.installation import Installation, open_installation
from app.cli.noun import example, noun
from app.cli.options import read_secret
from app.cli.output import Json, show_fields, show_json

if TYPE_CHECKING:
    from app.config import Address
    from radius.client_engine import Query
    from radius.credentials import Credential
    from radius.net.client import Answered

commands = noun("radius", "Ask a RADIUS server as one of our routers would.")

_DEVICE = "02:00:00:00:00:01"


class Method(StrEnum):
    """How the password is sent."""

    PAP = "pap"
    CHAP = "chap"


@commands.callback()
def _radius() -> None:
    """Keep `test` a verb, though it is the only one."""


@commands.command(
    epilog=example("pesisir radius test gusung-1 siti --password-file siti.txt", "pesisir radius test gusung-1")
)
def test(
    nas: Annotated[str, typer.Argument(metavar="NAS", help="Ask as this NAS: with its secret and identifier.")],
    user: Annotated[
        str | None, typer.Argument(metavar="[USER]", help="Log this user in; without: Status-Server.")
    ] = None,
    password_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The user's password; `-` reads it; without: asked for.")
    ] = None,
    method: Annotated[Method, typer.Option(help="How the password is sent.")] = Method.PAP,
    server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Another server than the one of these settings.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Send from this address of this machine; unset: the NAS's own."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="MAC", help="Calling-Station-Id.")] = _DEVICE,
    as_json: Json = False,
) -> None:
    """Send a real Access-Request, or Status-Server, and show the verified answer. Exit 1 unless it is an Accept."""
    from app.services.nases import nas_secrets, show_nas

    if user is None and (password_file is not None or method is not Method.PAP):
        usage("a password needs a USER to belong to")
    password = None if user is None else _password(password_file)
    with open_installation() as here:
        stored, secrets = show_nas(here.database, nas), nas_secrets(here.database, here.keyring, nas)
        address = _server(here, server)
    query = _query(stored.identifier or stored.name, user, password, method, device)
    answered = _ask(address, secrets.radius.encode(), query, source or _own_address(str(stored.address), address[0]))
    shown = [(name, str(value)) for name, value in answered.reply.attributes if name != "Message-Authenticator"]
    code = answered.reply.code.name.replace("_", "-").title()
    milliseconds = round(answered.seconds * 1000, 2)
    if as_json:
        show_json(
            {
                "answer": code,
                "milliseconds": milliseconds,
                "attempts": answered.attempts,
                "attributes": [{"name": name, "value": value} for name, value in shown],
            }
        )
    else:
        show_fields({"answer": code, "after": f"{milliseconds} ms", **{f"  {name}": value for name, value in shown}})
    if code == "Access-Reject":
        raise Failure("the server said no", hint=f"pesisir user show {user}")


def _password(file: str | None) -> str:
    if file is not None:
        return read_secret(file)
    typed = typer.prompt("Password", hide_input=True, err=True)
    assert isinstance(typed, str)
    return typed


def _server(here: Installation, typed: str | None) -> "Address":
    if typed is None:
        host, port = here.settings.radius_auth_listen[0]
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 compared, not bound
    from app.config import parse_address

    try:
        return parse_address(typed)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _own_address(network: str, server: str) -> str | None:
    """Send as the NAS where its address is one of this machine's loopback addresses; else as the system chooses."""
    host = network.partition("/")[0]
    return host if server.startswith("127.") and host.startswith("127.") else None


def _query(identifier: str, user: str | None, password: str | None, method: Method, device: str) -> "Query":
    from radius.attributes import Attributes
    from radius.client_engine import AccessQuery, StatusQuery

    if user is None or password is None:
        return StatusQuery()
    attributes = (
        Attributes()
        .add("User-Name", user)
        .add("NAS-Identifier", identifier)
        .add("Calling-Station-Id", device)
        .add("NAS-Port-Type", "Wireless-802.11")
    )
    return AccessQuery(attributes, _credential(method, password))


def _credential(method: Method, password: str) -> "Credential":
    from radius.credentials import ChapResponse, PapPassword

    if method is Method.PAP:
        return PapPassword(password.encode())
    return ChapResponse.answering(challenge=os.urandom(16), identifier=os.urandom(1)[0], password=password)


def _ask(server: "Address", secret: bytes, query: "Query", source: str | None) -> "Answered":
    from radius.client_engine import Timing
    from radius.net.client import Answered, exchange

    where = f"{server[0]}:{server[1]}"
    try:
        got = exchange(
            server, secret, query, timing=Timing(first_seconds=1.0, attempts=3, give_up_seconds=5.0), source=source
        )
    except OSError as error:
        raise Failure(f"{where} cannot be asked", why=error.strerror or str(error)) from error
    if isinstance(got, Answered):
        return got
    if got.dropped:
        why = f"answers came that do not verify ({', '.join(got.dropped)}): is the secret the same on both sides?"
    else:
        why = "the server drops what it does not believe: an unknown address, a wrong secret; or it is not there"
    raise Failure(f"{where} stays silent", why=why, hint="pesisir doctor")
