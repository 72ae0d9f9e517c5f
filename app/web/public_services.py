"""The public services that stay open without a login: one file, `services.toml` of the theme, read and changed as text.

The portal shows them, and `nas config` writes their hosts into the routers' walled gardens. Whoever edits the file by
hand keeps the comments; a change by command leaves everything else of it as it is.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from app.nas.addresses import parse_address
from app.web.catalogue import LANGUAGES

FILE: Final = "services.toml"
_ENTRY: Final = re.compile(r"^[ \t]*\[\[[ \t]*services[ \t]*\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Service:
    """A public service that stays open without a login; `hosts` are all that its pages need, its own first."""

    name: str
    agency: str
    url: str
    hosts: tuple[str, ...]
    about: Mapping[str, str]

    @property
    def host(self) -> str:
        """Return the host of its own page."""
        return self.hosts[0]


class ServicesError(Exception):
    """The file, or a service that is to be added, is not usable: why."""


def make_service(
    url: str, *, name: str, agency: str, about: Mapping[str, str], more_hosts: Iterable[str] = ()
) -> Service:
    """Return a service whose hosts every router can let phones reach; raise ServicesError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ServicesError(f"{url!r} is no web address") from error
    if parts.scheme not in ("http", "https") or port is not None or "@" in parts.netloc:
        raise ServicesError(f"{url!r} is no web address such as https://layanan.example.go.id, without a port")
    if any(_CONTROL.search(text) for text in (url, name, agency, *about.values())):
        raise ServicesError(f"{name!r} has a control character")
    return Service(name, agency, url, tuple(dict.fromkeys(_host(one) for one in (host, *more_hosts))), dict(about))


def read_services(text: str) -> tuple[Service, ...]:
    """Read the file; raise ServicesError."""
    try:
        entries: list[dict[str, Any]] = tomllib.loads(text).get("services", [])
        return tuple(_service(entry) for entry in entries)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise ServicesError(f"it cannot be read: {error}") from error
    except KeyError as error:
        raise ServicesError(f"a service has no {error.args[0]}") from error


def hosts_of(services: Iterable[Service]) -> tuple[str, ...]:
    """Return every host that phones must reach for some services, each once."""
    return tuple(dict.fromkeys(host for service in services for host in service.hosts))


def with_service(text: str, service: Service) -> str:
    """Return the file with one service more; raise ServicesError if it has that page already."""
    if any(known.url == service.url for known in read_services(text)):
        raise ServicesError(f"{service.url} is there already")
    values = {"name": service.name, "agency": service.agency, "url": service.url}
    lines = [f"{key} = {_quoted(value)}" for key, value in (values | dict(service.about)).items()]
    if service.hosts[1:]:
        lines.append(f"hosts = [{', '.join(_quoted(host) for host in service.hosts[1:])}]")
    changed = "\n".join([text.rstrip("\n"), "", "[[services]]", *lines, ""])
    return _checked(changed, (*read_services(text), service))


def without_service(text: str, host: str) -> str:
    """Return the file without the services of a host; raise ServicesError if there is none."""
    services = read_services(text)
    kept = tuple(service for service in services if service.host != host)
    if kept == services:
        raise ServicesError(f"there is no service at {host}")
    ends = [*(match.start() for match in _ENTRY.finditer(text)), len(text)]
    blocks = [text[start:end] for start, end in pairwise(ends)]
    stay = (block for block in blocks if all(one.host != host for one in read_services(block)))
    return _checked(text[: ends[0]] + "".join(stay), kept)


def _checked(text: str, wanted: tuple[Service, ...]) -> str:
    """Return a changed file that says what it is to say; a list written in another way is left to its author."""
    if read_services(text) != wanted:
        raise ServicesError("it is not written as [[services]] blocks: change it by hand")
    return text


def _service(entry: Mapping[str, Any]) -> Service:
    about = {language: str(entry[language]) for language in LANGUAGES}
    more = [str(host) for host in entry.get("hosts", ())]
    return make_service(
        str(entry["url"]), name=str(entry["name"]), agency=str(entry["agency"]), about=about, more_hosts=more
    )


def _host(text: str) -> str:
    address = parse_address(text.lower())
    if address is None or address.port is not None or ":" in address.host:
        raise ServicesError(f"{text!r} is no host: exact names or IPv4 addresses, no wildcards, no ports")
    return address.host


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def services_file(folders: Iterable[Path]) -> Path:
    """Return the file that counts: the city's own before ours."""
    return next(folder / FILE for folder in folders if (folder / FILE).is_file())
