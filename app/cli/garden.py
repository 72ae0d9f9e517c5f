"""`pesisir garden`: the public services that open without a login, on the portal and in the routers' walled gardens."""

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Failure
from app.cli.installation import read_settings
from app.cli.noun import example, noun
from app.cli.output import Json, Yes, confirm, say, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.config import Settings
    from app.web.public_services import Service

commands = noun("garden", "The public services that open without a login, also when a quota is used up.")

_NEXT = "the portal shows it after its next start; give it to each router: pesisir nas config NAME"

Url = Annotated[str, typer.Argument(metavar="URL", help="Its page, such as https://layanan.example.go.id.")]
Host = Annotated[str, typer.Argument(metavar="HOST", help="The host of its page.")]


@commands.command("list", epilog=example("pesisir garden list"))
def list_(as_json: Json = False) -> None:
    """List the services and every host that phones reach for them."""
    services = city_services(read_settings())
    if as_json:
        show_json(
            [
                {
                    "name": one.name,
                    "agency": one.agency,
                    "url": one.url,
                    "hosts": list(one.hosts),
                    "about": dict(one.about),
                }
                for one in services
            ]
        )
    else:
        rows = [(one.name, one.agency, one.url, " ".join(one.hosts)) for one in services]
        show_table(("name", "agency", "page", "hosts"), rows)


@commands.command(
    epilog=example(
        "pesisir garden add https://layanan.bontangkota.go.id --name 'Layanan kota' --agency 'Kota Bontang' "
        "--id 'Surat dan izin.' --en 'Letters and permits.' --host aset.bontangkota.go.id"
    )
)
def add(
    url: Url,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What people call it.")],
    agency: Annotated[str, typer.Option("--agency", metavar="NAME", help="Who offers it.")],
    indonesian: Annotated[str, typer.Option("--id", metavar="TEXT", help="What it is for, in Indonesian.")],
    english: Annotated[str, typer.Option("--en", metavar="TEXT", help="The same in English.")],
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="A further host that its pages need; may be repeated."),
    ] = None,
) -> None:
    """Add a service: an exact host, without wildcards."""
    from app.web.public_services import make_service, with_service

    settings = read_settings()
    with _usable("the service"):
        service = make_service(
            url, name=name, agency=agency, about={"id": indonesian, "en": english}, more_hosts=host or ()
        )
    with _usable(str(_file(settings))):
        changed = with_service(_file(settings).read_text(encoding="utf-8"), service)
    say(f"added {service.host} in {_write(settings, changed)}\n{_NEXT}")


@commands.command(epilog=example("pesisir garden remove layanan.bontangkota.go.id --yes"))
def remove(host: Host, yes: Yes = False) -> None:
    """Remove the services of a host."""
    from app.web.public_services import without_service

    settings = read_settings()
    with _usable(str(_file(settings))):
        changed = without_service(_file(settings).read_text(encoding="utf-8"), host)
    confirm(f"Remove {host}? Who is not logged in reaches it no more.", yes=yes)
    say(f"removed {host} from {_write(settings, changed)}\n{_NEXT}")


def city_services(settings: "Settings") -> "tuple[Service, ...]":
    """Return the public services of this installation; raise Failure where their file is not usable."""
    from app.web.public_services import read_services

    with _usable(str(_file(settings))):
        return read_services(_file(settings).read_text(encoding="utf-8"))


def _file(settings: "Settings") -> "Path":
    from app.web.public_services import services_file
    from app.web.theme import theme_folders

    return services_file(theme_folders(settings.data_dir))


@contextmanager
def _usable(what: str) -> "Iterator[None]":
    from app.web.public_services import ServicesError

    try:
        yield
    except ServicesError as error:
        raise Failure(f"{what} is not usable", why=str(error), hint="pesisir garden list") from error


def _write(settings: "Settings", text: str) -> "Path":
    """Put the city's own file in place, whole or not at all; return where."""
    from app.web.public_services import FILE

    path = settings.data_dir / "theme" / FILE
    fresh = path.with_name(f"{FILE}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return fresh.replace(path)
    except OSError as error:
        raise Failure(f"{path} was not written", why=error.strerror or str(error)) from error
