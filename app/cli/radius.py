"""`pesisir radius test`: ask a RADIUS server as one of our routers would."""

import socket
import sys
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import Failure, usage
from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Given, amount, read_secret, seconds
from app.cli.output import Json, say, show_fields, show_json
from app.cli.serving import here as reachable
from app.cli.serving import reached
from app.config import Address, parse_address
from app.domain.devices import parse_mac
from app.domain.nases import Demand

if TYPE_CHECKING:
    from app.domain.nases import Nas
    from radius.client_engine import Query
    from radius.net.client import Answered

commands = noun("radius", "The RADIUS server: ask it as a router of ours would, and watch what it does.")

_DEVICE: Final = "02:00:00:00:00:01"
_LONGEST_TEXT: Final = 253
_LONGEST_PAP: Final = 128
_GOOD: Final = ("Access-Accept", "Accounting-Response")


class Method(StrEnum):
    """How the password is sent."""

    PAP = "pap"
    CHAP = "chap"
    MSCHAPV2 = "mschapv2"


class Kind(StrEnum):
    """What is asked or reported."""

    ACCESS = "access"
    STATUS = "status"
    START = "start"
    INTERIM = "interim"
    STOP = "stop"


@commands.command(
    epilog=example(
        "pesisir radius test gusung-1 siti --password-file siti.txt",
        "pesisir radius test gusung-1",
        "pesisir radius test gusung-1 siti --send start",
    )
)
def test(
    nas: Annotated[str, typer.Argument(metavar="NAS", help="Ask as this NAS: with its secret and its identifier.")],
    user: Annotated[
        str | None, typer.Argument(metavar="[USER]", help="Who; without: Status-Server, or MAC login with --device.")
    ] = None,
    send: Annotated[
        Kind | None, typer.Option(help="What to send; unset: access where there is a USER or a --device, else status.")
    ] = None,
    password: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The password; other people on this machine can see it.")
    ] = None,
    password_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The password, from a file or - for standard input.")
    ] = None,
    method: Annotated[Method, typer.Option(help="How the password is sent.")] = Method.PAP,
    device: Annotated[str | None, typer.Option(metavar="MAC", help="Whose phone.")] = None,
    session: Annotated[str, typer.Option(metavar="ID", help="Acct-Session-Id.")] = "pesisir-test",
    up: Annotated[Given[int] | None, amount("--up", "Accounting: data from the phone since the start.")] = None,
    down: Annotated[Given[int] | None, amount("--down", "Accounting: data to the phone since the start.")] = None,
    time: Annotated[Given[int] | None, seconds("--time", "Accounting: how long ago the session began.")] = None,
    server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Another server than the one that runs here.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Send from this address of this machine; unset: the NAS's own."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send a real request and show the verified answer. Exit 1 unless it is an Accept, or stored accounting.

    It counts like a router's: a log-in is the person's (first use, device), and accounting is charged to them.
    """
    from app.cli.radius_questions import access, accounting, proves_itself, status
    from app.services.nases import nas_secrets, show_nas

    _check_texts(user, session, source)
    kind = send or (Kind.STATUS if user is None and device is None else Kind.ACCESS)
    mac = parse_mac(device or _DEVICE)
    if mac is None:
        usage(f"{device!r} is not a MAC", hint=f"such as {_DEVICE}")
    if kind in (Kind.START, Kind.INTERIM, Kind.STOP) and user is None:
        usage("accounting needs a USER", hint="pesisir radius test NAS USER --send start")
    with open_installation() as here:
        router, secrets = show_nas(here.database, nas), nas_secrets(here.database, here.keyring, nas)
        to = _server(here, server, kind)
    typed = _password(password, password_file) if kind is Kind.ACCESS and user is not None else secrets.mac
    if method is Method.PAP and len(typed.encode()) > _LONGEST_PAP:
        usage("the password is too long", why=f"PAP carries {_LONGEST_PAP} octets (RFC 2865)", hint="another --method")
    asked: Query
    if kind is Kind.STATUS:
        asked = status(router)
    elif kind is Kind.ACCESS:
        asked = access(router, user, typed, method=method, mac=mac, session=session)
    else:
        counted = {"up": _value(up), "down": _value(down), "session_seconds": _value(time)}
        asked = accounting(router, kind, user or "", mac=mac, session=session, **counted)
    source = source or _own_address(router)
    _warn_of_source(router, source or chosen_address(to))
    answered = _ask(to, secrets.radius.encode(), asked, source)
    code = _show(answered, as_json=as_json)
    if not proves_itself(asked, answered.reply, typed):
        raise Failure(
            "the server does not prove that it knows the password",
            why="MS-CHAP2-Success is missing or wrong (RFC 2759)",
        )
    if kind is Kind.ACCESS and router.require_message_authenticator is Demand.AUTO:
        _say_what_it_taught(router)
    if code not in _GOOD:
        raise Failure(f"the answer is {code}", hint=f"pesisir user show {user!r}" if user else "")


def _check_texts(user: str | None, session: str, source: str | None) -> None:
    """Stop before anything is sent where something cannot travel."""
    for what, text in (("USER", user), ("--session", session)):
        if text is not None and not 1 <= len(text.encode()) <= _LONGEST_TEXT:
            usage(
                f"{what} has {len(text.encode())} octets", why=f"an attribute carries 1 to {_LONGEST_TEXT} (RFC 2865)"
            )
    if source is not None:
        try:
            ip_address(source)
        except ValueError:
            usage(f"{source!r} is no address", hint="--source takes one of this machine's, such as 127.0.0.1")


def _say_what_it_taught(router: "Nas") -> None:
    """Say that the server takes this test for the router, which it has seen sign now."""
    if router.learned_message_authenticator is None and router.address.num_addresses == 1:
        say(
            f"this test was signed, so the server has learnt that {router.name} signs; if the router itself does not:\n"
            f"  next: pesisir nas set {router.name!r} --require-message-authenticator auto"
        )


def _value(given: Given[int] | None) -> int:
    return 0 if given is None else given.value or 0


def _password(password: str | None, file: str | None) -> str:
    if password is not None and file is not None:
        usage("two passwords", hint="one of --password and --password-file is enough")
    if password is not None or file is not None:
        return password if file is None and password is not None else read_secret(str(file))
    if not sys.stdin.isatty():
        usage("no password", hint="use --password-file FILE, or - for standard input")
    typed = typer.prompt("Password", hide_input=True, err=True)
    assert isinstance(typed, str)
    return typed


def _server(here: Installation, typed: str | None, kind: Kind) -> Address:
    if typed is not None:
        try:
            return parse_address(typed)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    accounting = kind in (Kind.START, Kind.INTERIM, Kind.STOP)
    running = reached(here.settings, "acct" if accounting else "auth", now())
    if running is not None:
        return running
    host, port = (here.settings.radius_acct_listen if accounting else here.settings.radius_auth_listen)[0]
    return reachable(host), port


def _own_address(router: "Nas") -> str | None:
    """Return the NAS's address where it is one of this machine's; else the system chooses."""
    if router.address.num_addresses > 1:
        return None
    host = str(router.address.network_address)
    family = socket.AF_INET6 if router.address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return None
    return host


def chosen_address(server: Address) -> str | None:
    """Return the address of this machine from which the system would send to the server; None if from none."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(server)
        except OSError:
            return None
        host = probe.getsockname()[0]
        assert isinstance(host, str)
        return host


def _warn_of_source(router: "Nas", source: str | None) -> None:
    """Say before anything is sent that the server will not know the request as this NAS's."""
    if source is None or ip_address(source) in router.address:
        return
    place = router.address if router.address.num_addresses > 1 else router.address.network_address
    say(
        f"this machine is not {place}: it asks from {source}, and the server does not know requests from there as "
        f"{router.name}\n"
        f"  next: run it where {place} is, or register a NAS for tests: "
        f"pesisir nas add test --address {source} --family {router.family.value} --site SITE"
    )


def _ask(server: Address, secret: bytes, asked: "Query", source: str | None) -> "Answered":
    from radius.client_engine import Timing
    from radius.net.client import Answered, exchange

    where = f"{server[0]}:{server[1]}"
    timing = Timing(first_seconds=1.0, attempts=3, give_up_seconds=5.0)
    try:
        got = exchange(server, secret, asked, timing=timing, source=source)
    except OSError as error:
        raise Failure(f"{where} cannot be asked", why=error.strerror or str(error)) from error
    if isinstance(got, Answered):
        return got
    if got.dropped:
        why = (
            f"what came is not believed ({', '.join(sorted(set(got.dropped)))}): is the secret the same on both sides?"
        )
    else:
        why = f"nobody is there, or the server knows no NAS at {source or 'this address'} with this secret"
    raise Failure(f"{where} stays silent", why=why, hint="pesisir doctor")


def _show(answered: "Answered", *, as_json: bool) -> str:
    """Print an answer, and return its name."""
    code = answered.reply.code.name.replace("_", "-").title()
    shown = [(name, value) for name, value in answered.reply.attributes if name != "Message-Authenticator"]
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
        show_fields({"answer": code, "after": f"{milliseconds} ms"})
        for name, value in shown:
            show_fields({f"  {name}": value})
    return code
