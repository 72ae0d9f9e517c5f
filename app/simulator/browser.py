"""A phone's browser: pages, redirects, and forms as they were served. It is on one router's network and no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from app.simulator.hotspot import Hotspot, mac_of
from app.simulator.http import HttpError, Response, exchange
from app.simulator.router import Address

_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset((301, 302, 303))
_ALERT_TAG: Final = "div"


class PageError(Exception):
    """A page that did not come: the URL, and what happened."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url}: {problem}")
        self.url = url
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Form:
    """A form as served: where it goes, and what every field holds before anybody types."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What is on the screen. `alert` is what it warns of (role="alert"), "" if of nothing."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...] = field(default=())
    alert: str = ""

    def form(self, **fixed: str) -> Form | None:
        """Return the form whose fields hold these values from the start."""
        return next((form for form in self.forms if fixed.items() <= form.fields.items()), None)


class Browser:
    """The browser of the phone that has the address `ip` behind a hotspot."""

    def __init__(self, ip: str, hotspot: Hotspot) -> None:
        self.ip = ip
        self.mac = mac_of(ip)
        self.hotspot = hotspot

    async def get(self, url: str) -> Page:
        """Ask for a page and follow where it leads; raise PageError."""
        return await self._visit(url, "GET", "")

    async def submit(self, page: Page, form: Form, **typed: str) -> Page:
        """Send a form of a page with what was typed into it, and follow where it leads; raise PageError."""
        return await self._visit(urljoin(page.url, form.action), "POST", urlencode({**form.fields, **typed}))

    async def _visit(self, url: str, method: str, body: str) -> Page:
        for _ in range(_MOST_REDIRECTS):
            answer = await self._ask(url, method, body)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                text = answer.body.decode(errors="replace")
                reader = read_page(text)
                return Page(url, answer.status, text, tuple(reader.forms), " ".join("".join(reader.alert).split()))
            url, method, body = urljoin(url, location), "GET", ""
        raise PageError(url, "too many redirects")

    async def _ask(self, url: str, method: str, body: str) -> Response:
        try:
            address, request = _request(url, method, body)
            if not self.hotspot.lets_through(address):
                address = self.hotspot.address
            return await exchange(address, request, source=self.ip)
        except (OSError, TimeoutError, HttpError, ValueError) as error:
            raise PageError(url, f"{type(error).__name__}: {error}") from error


def _request(url: str, method: str, body: str) -> tuple[Address, bytes]:
    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="", fragment="", path=parts.path or "/").geturl()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: text/html", "Accept-Language: id"]
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        lines.append(f"Origin: {parts.scheme}://{parts.netloc}")
    lines.append("Connection: close")
    return (parts.hostname or "", parts.port or 80), ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class PageReader(HTMLParser):
    """Collects forms, with the value of each field that would be sent untouched, and the words of a warning."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.alert: list[str] = []
        self._fields: dict[str, str] | None = None
        self._alert_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, or note a field of the one that is open."""
        values = {name: value or "" for name, value in attrs}
        if tag == _ALERT_TAG and (self._alert_depth or values.get("role") == "alert"):
            self._alert_depth += 1
        if tag == "form":
            self._fields = {}
            self.forms.append(Form(values.get("action", ""), self._fields))
        elif tag == "input" and self._fields is not None and _is_sent(values):
            self._fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """End a form, or the warning."""
        if tag == "form":
            self._fields = None
        elif tag == _ALERT_TAG and self._alert_depth:
            self._alert_depth -= 1

    def handle_data(self, data: str) -> None:
        """Note the words of a warning."""
        if self._alert_depth:
            self.alert += data, " "


def _is_sent(values: Mapping[str, str]) -> bool:
    return "name" in values and (values.get("type") not in ("checkbox", "radio", "submit") or "checked" in values)


def read_page(text: str) -> PageReader:
    """Read a page as far as it goes."""
    reader = PageReader()
    reader.feed(text)
    reader.close()
    return reader
