"""How a phone comes online: by itself if the router knows it, else through the splash page as it was served."""

from dataclasses import dataclass
from html import unescape
from re import DOTALL, compile  # noqa: A004 the module's own name for it
from typing import Final

from app.simulator.browser import Browser, Page, PageError
from app.simulator.residents import Pass, Way
from app.simulator.router import Outcome

ANY_PAGE: Final = "http://berita.example/"
_TITLE: Final = compile(r"<title>(.*?)</title>", DOTALL)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How it went: `online`, whether `resumed` without a page, and what the screen said otherwise."""

    online: bool
    resumed: bool = False
    said: str = ""


async def come_online(phone: Browser, way: Way, held: Pass) -> Arrival:
    """Bring a phone online as its owner would."""
    router = phone.hotspot.router
    if await router.appear(phone.ip, phone.mac) is Outcome.ONLINE:
        return Arrival(online=True, resumed=True)
    try:
        page = await log_in(phone, way, held)
    except PageError as error:
        return Arrival(online=phone.mac in router.sessions, said=error.problem)
    return Arrival(online=phone.mac in router.sessions, said=page.alert or title(page))


async def log_in(phone: Browser, way: Way, held: Pass) -> Page:
    """Open any page, fill in the splash page that comes instead, and return where that leads; raise PageError."""
    splash = await phone.get(ANY_PAGE)
    form = splash.form(way=way.value)
    if form is None:
        return splash
    match way:
        case Way.TAP:
            return await phone.submit(splash, form)
        case Way.VOUCHER:
            return await phone.submit(splash, form, code=held.code)
        case Way.ACCOUNT:
            return await phone.submit(splash, form, username=held.username, password=held.password)


def title(page: Page) -> str:
    """Return the title of a page, "" if it has none."""
    match = _TITLE.search(page.text)
    return "" if match is None else " ".join(unescape(match[1]).split())
