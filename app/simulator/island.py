"""One place with a router: what comes up when the power comes, and falls silent when it goes."""

import asyncio

from app.simulator.browser import Browser
from app.simulator.coa import IncomingPort, listen
from app.simulator.hotspot import Hotspot
from app.simulator.router import Address, Chance, Clock, Router, RouterSettings


class Island:
    """A router with its web side and its port for changes. Ports that were given as 0 stay as first opened."""

    def __init__(self, settings: RouterSettings, *, clock: Clock, chance: Chance) -> None:
        self.router = Router(settings, clock=clock, chance=chance)
        self.hotspot = Hotspot(self.router)
        self.power = asyncio.Event()
        self.coa_port = settings.coa_port
        self._window: Address | None = None
        self._incoming: IncomingPort | None = None

    @property
    def name(self) -> str:
        """Return the router's identity."""
        return self.router.settings.name

    async def boot(self, *, window: Address | None = None) -> None:
        """Give it power; `window` is a further address at which the web is seen through this router."""
        self._window = window or self._window
        self.router.boot()
        await self.hotspot.open()
        if self._window is not None:
            self._window = await self.hotspot.open_window(self._window)
        self._incoming = await listen(self.router, self.coa_port)
        self.coa_port = self._incoming.port
        self.power.set()

    @property
    def window(self) -> Address:
        """Return where the web is seen through this router."""
        return self._window or self.hotspot.address

    def cut_power(self) -> None:
        """Take its power away: sessions vanish, nobody is told."""
        self.power.clear()
        self.hotspot.close()
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None
        self.router.cut_power()

    def phone(self, number: int) -> Browser:
        """Return the phone with this number, from 1 to 65,000; its address lies beside the router's.

        A router at 127.20.0.3 has its phones at 127.23.0.1 and up.
        """
        last = int(self.router.settings.address.rpartition(".")[2])
        assert 0 < number <= 65_000
        assert last < 200
        return Browser(f"127.{20 + last}.{number // 250}.{number % 250 + 1}", self.hotspot)
