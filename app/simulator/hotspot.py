"""The router's web side: it stands in the way of every page, and has /login, /logout and /status of its own.

The web beyond it is a page that says "you are online", and the answers that phones probe for.
"""

from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader

from app.simulator.http import Request, Response, html, serve
from app.simulator.router import Address, Host, LogIn, Outcome, Router
from app.simulator.servlets import fill
from app.simulator.sessions import Cause

if TYPE_CHECKING:
    import asyncio

NO_ANSWER: Final = "RADIUS server is not responding"  # the words of RouterOS; the portal knows them
_REFUSED: Final = "invalid username or password"
_PAGES: Final = Environment(loader=PackageLoader("app.simulator", "pages"), autoescape=True)

# What a phone asks to find out whether it is online, and what the web answers.
_PROBES: Final[Mapping[str, Response]] = {
    "/generate_204": Response(HTTPStatus.NO_CONTENT),
    "/gen_204": Response(HTTPStatus.NO_CONTENT),
    "/hotspot-detect.html": html("<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
    "/connecttest.txt": html("Microsoft Connect Test"),
    "/success.txt": html("success\n"),
}


def mac_of(ip: str) -> str:
    """Return the MAC of the phone behind an address: here every phone keeps its lease for ever."""
    return "02:1a:" + ":".join(f"{octet:02x}" for octet in IPv4Address(ip).packed)


class Hotspot:
    """The web side of one router. It listens at the router's own address, and wherever a phone's web is to begin."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self._servers: list[asyncio.Server] = []
        self._own: set[str] = set()  # the Host headers that mean the router itself
        self._port = router.settings.http_port

    @property
    def address(self) -> Address:
        """Return where phones log in; the port is the one that was opened first."""
        return self.router.settings.address, self._port

    async def open(self) -> None:
        """Listen at the router's own address."""
        server = await serve(self.answer, self.address)
        self._servers.append(server)
        self._port = server.sockets[0].getsockname()[1]
        self._own = {f"{self.router.settings.address}:{self._port}", self.router.settings.address}

    async def open_window(self, address: Address) -> Address:
        """Listen at a further address, whose every page is "some page of the web" seen through this router."""
        server = await serve(self.answer, address)
        self._servers.append(server)
        host, port = server.sockets[0].getsockname()[:2]
        return host, port

    def close(self) -> None:
        """Listen no more."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def lets_through(self, address: Address) -> bool:
        """Tell whether phones reach an address before they log in."""
        return address in self.router.settings.garden

    async def answer(self, request: Request) -> Response:
        """Answer one request of a phone."""
        mac = mac_of(request.source)
        host = self.router.host(request.source, mac)
        if request.host in self._own:
            return await self._own_page(request, host)
        if await self.router.appear(host.ip, mac) is Outcome.ONLINE:
            return _PROBES.get(request.path) or self._web(host)
        orig = f"http://{request.host}{request.path}"
        return self._page("rlogin.html", host, redirect=f"{self._link('login')}?{urlencode({'dst': orig})}")

    async def _own_page(self, request: Request, host: Host) -> Response:
        online = host.mac in self.router.sessions
        dst = request.form.get("dst", "")
        match request.path:
            case "/login" if "username" in request.form:
                result = await self.router.log_in(host, request.form["username"], request.form.get("password", ""))
                return self._after_login(host, result, dst)
            case "/login" if online:
                return self._after_login(host, LogIn(Outcome.ONLINE), dst)
            case "/login":
                return self._page("login.html", host, orig=dst)
            case "/logout" if self.router.log_out(host.mac, Cause.USER_REQUEST):
                return self._page("logout.html", host)
            case "/" | "/status" if online:
                return self._page("status.html", host)
            case "/" | "/status" | "/logout":
                return self._page("redirect.html", host, redirect=self._link("login"))
            case _:
                return html("404", HTTPStatus.NOT_FOUND)

    def _after_login(self, host: Host, result: LogIn, dst: str) -> Response:
        match result.outcome:
            case Outcome.ONLINE:
                onward = dst if _scheme(dst) in ("http", "https") else self._link("status")
                return self._page("alogin.html", host, redirect=onward)
            case Outcome.REFUSED:
                return self._page("login.html", host, orig=dst, error=result.message or _REFUSED)
            case Outcome.NO_ANSWER:
                return self._page("login.html", host, orig=dst, error=NO_ANSWER)

    def _page(self, name: str, host: Host, *, orig: str = "", error: str = "", redirect: str = "") -> Response:
        """Fill in a page of the hotspot folder. Names that end in `-esc` are escaped for a URL."""
        variables = {
            "mac": host.mac.upper(),
            "mac-esc": quote(host.mac.upper(), safe=""),
            "ip": host.ip,
            "link-login-only": self._link("login"),
            "link-orig": orig,
            "link-orig-esc": quote(orig, safe=""),
            "link-redirect": redirect,
            "error": error,
            "radius25": self._class_of(host),
        }
        if self.router.settings.chap and name == "login.html":
            self.router.renew_challenge(host)
            variables["chap-id"] = octal(bytes((host.chap_id,)))
            variables["chap-challenge"] = octal(host.challenge)
        return fill(self.router.settings.pages[name], variables)

    def _class_of(self, host: Host) -> str:
        session = self.router.sessions.get(host.mac)
        return "" if session is None else b"".join(session.class_values).decode("ascii", "replace")

    def _link(self, servlet: str) -> str:
        host, port = self.address
        return f"http://{host}:{port}/{servlet}"

    def _web(self, host: Host) -> Response:
        session = self.router.sessions[host.mac]
        return html(_PAGES.get_template("online.html").render(session=session, place=self.router.settings.name))


def _scheme(url: str) -> str:
    """Return the scheme of a URL, "" where there is none or it is no URL."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def octal(octets: bytes) -> str:
    r"""Write octets as RouterOS writes them in a page: `\371` each."""
    return "".join(f"\\{octet:03o}" for octet in octets)
