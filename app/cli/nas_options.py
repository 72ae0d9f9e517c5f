"""What `nas add` and `nas set` take of a NAS, as options of the command line."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.options import Given, number, read_secret, word
from app.domain.nases import Demand, Direction, Family

if TYPE_CHECKING:
    from app.services.nases import NasOptions

Address = Annotated[str, typer.Option(metavar="CIDR", help="Where its packets come from: 10.1.2.3 or 10.1.2.0/24.")]
FamilyOption = Annotated[Family, typer.Option("--family", help="What it is.")]
Site = Annotated[str, typer.Option(metavar="SITE", help="Where it stands.")]
SecretFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Its RADIUS secret, from a file or - for standard input.")
]
PortalSecretFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Its portal secret: chilli's uamsecret, openNDS's FAS key.")
]
LoginAddress = Annotated[
    Given[str] | None, word("--login-address", "HOST[:PORT]", "Where phones are sent back to log in at it.")
]
Identifier = Annotated[
    Given[str] | None, word("--identifier", "TEXT", "Its NAS-Identifier, where several share one address.")
]
MessageAuthenticator = Annotated[
    Demand | None,
    typer.Option(
        "--require-message-authenticator", help="Refuse requests without it; auto learns, anew each time it is set."
    ),
]
LimitProxyState = Annotated[
    Demand | None, typer.Option("--limit-proxy-state", help="Refuse unsigned requests with Proxy-State.")
]
CoaPort = Annotated[Given[int] | None, number("--coa-port", "Where it takes CoA and Disconnect.", largest=65_535)]
CoaAddress = Annotated[
    Given[str] | None,
    word("--coa-address", "HOST", "Where to send them; unset: whence the session was last heard of."),
]
Counts = Annotated[
    Direction | None,
    typer.Option(
        "--direction", help="From whose side it counts octets; auto: as the packet says, else as its family does."
    ),
]


class Switch(StrEnum):
    """On or off."""

    YES = "yes"
    NO = "no"


StatusServer = Annotated[Switch | None, typer.Option(help="Answer its Status-Server; yes unless set.")]
StrictIdentity = Annotated[
    Switch | None, typer.Option(help="Refuse it when it calls itself otherwise than it is registered.")
]
DebugAnswers = Annotated[
    Switch | None,
    typer.Option(help="Tell it that it must sign, once a second, until it does (for good); for setting it up."),
]
MacLogin = Annotated[
    Switch | None, typer.Option(help="Let known devices come back through it by their MAC alone; yes unless set.")
]

_COA_PORT: Final = 3799


def nas_options(
    secret_file: str | None,
    portal_secret_file: str | None,
    login_address: Given[str] | None,
    identifier: Given[str] | None,
    require_message_authenticator: Demand | None,
    limit_proxy_state: Demand | None,
    coa_port: Given[int] | None,
    coa_address: Given[str] | None,
    direction: Direction | None,
    **switches: Switch | None,
) -> "NasOptions":
    """Return the options that were given, read and as the service takes them."""
    options: NasOptions = {}
    if secret_file is not None:
        options["secret"] = read_secret(secret_file)
    if portal_secret_file is not None:
        options["portal_secret"] = read_secret(portal_secret_file)
    if login_address is not None:
        options["login_address"] = login_address.value
    if identifier is not None:
        options["identifier"] = identifier.value
    if require_message_authenticator is not None:
        options["require_message_authenticator"] = require_message_authenticator
    if limit_proxy_state is not None:
        options["limit_proxy_state"] = limit_proxy_state
    if coa_port is not None:
        options["coa_port"] = coa_port.value or _COA_PORT
    if coa_address is not None:
        options["coa_address"] = coa_address.value
    if direction is not None:
        options["direction"] = direction
    for name, switch in switches.items():
        if switch is not None:
            options[name] = switch is Switch.YES  # type: ignore[literal-required] # mypy wants each name written out
    return options
