"""The demo's city while it lives: islands with power, residents, the keyboard, and the evening storm."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from app.cli.demo_city import LINE_BPS, OFFICE, DemoCity
from app.cli.demo_ports import Ports
from app.cli.demo_terminal import Terminal
from app.cli.failures import Failure
from app.config import load
from app.simulator.city import City
from app.simulator.island import Island
from app.simulator.storm import reconnect, tap_all

_SUMMARY_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_WINDOW: Final = "gusung"  # the island whose web the phone URL shows


class Run:
    """One run of the city beside a server that is ready."""

    def __init__(
        self,
        terminal: Terminal,
        ports: Ports,
        city: DemoCity,
        config: Path,
        server: subprocess.Popen[bytes],
        *,
        seed: int,
    ) -> None:
        self._terminal = terminal
        self._ports = ports
        self._made = city
        self._config = config
        self._server = server
        self._seed = seed
        self._stop = asyncio.Event()
        self._switches: asyncio.Queue[None] = asyncio.Queue()

    async def until_stopped(self, storm_phones: int) -> None:
        """Let the city live until Ctrl-C, SIGTERM, or the end of the server."""
        async with self._islands() as islands:
            city = City(
                islands,
                self._made.people,
                clock=time.monotonic,
                seed=self._seed,
                tell=lambda event: self._terminal.tell(event, datetime.now(UTC)),
                line_bps=LINE_BPS,
            )
            self._welcome()
            with self._controls():
                await self._live(city, storm_phones)

    @asynccontextmanager
    async def _islands(self) -> AsyncIterator[dict[str, Island]]:
        chance = Random(self._seed).randbytes  # noqa: S311 a simulated router's chance is repeatable
        islands = {
            place: Island(settings, clock=time.monotonic, chance=chance)
            for place, settings in self._made.routers.items()
        }
        try:
            for place, island in islands.items():
                await island.boot(window=self._ports.phone if place == _WINDOW else None)
            yield islands
        finally:
            for island in islands.values():
                island.cut_power()

    def _welcome(self) -> None:
        settings = load({"PESISIR_CONFIG": str(self._config)})
        self._terminal.welcome(settings, self._ports, self._made, self._config, os.getpid())

    @contextmanager
    def _controls(self) -> Iterator[None]:
        """Listen to signals and to the keyboard."""
        loop = asyncio.get_running_loop()

        def switch() -> None:
            self._switches.put_nowait(None)

        def typed() -> None:
            line = sys.stdin.readline()
            if not line:
                loop.remove_reader(sys.stdin)
            elif line.strip().lower() == "p":
                switch()

        handlers: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGINT: self._stop.set,
            signal.SIGTERM: self._stop.set,
            signal.SIGUSR1: switch,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        if sys.stdin.isatty():
            loop.add_reader(sys.stdin, typed)
        yield
        loop.remove_reader(sys.stdin)

    async def _live(self, city: City, storm_phones: int) -> None:
        """Do all of it until the first part ends: the order to stop, or a failure, which is raised."""
        parts = [
            asyncio.ensure_future(part)
            for part in (
                self._stop.wait(),
                self._watch_server(),
                self._play(city, storm_phones),
                self._switch_when_told(city),
                self._summarise(city),
            )
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _switch_when_told(self, city: City) -> None:
        while True:
            await self._switches.get()
            await city.switch_power()

    async def _play(self, city: City, storm_phones: int) -> None:
        if storm_phones:
            await self._storm(city, storm_phones)
        await city.live()

    async def _storm(self, city: City, count: int) -> None:
        """Play the evening: everybody taps in, the power goes, every router boots."""
        homes = [island for place, island in city.islands.items() if place != OFFICE]
        phones = [homes[number % len(homes)].phone(1_000 + number) for number in range(count)]
        self._terminal.say(f"Before the storm: {count} phones tap in at the splash page, a few at a time ...")
        online = await tap_all(phones)
        self._terminal.say(f"{online} phones are online. The islands lose their power.")
        for island in homes:
            island.cut_power()
        self._terminal.say("18.00: every router boots, and every phone wants to be online.")
        for island in homes:
            await island.boot()
        self._terminal.storm(await reconnect(phones, clock=time.monotonic), datetime.now(UTC))

    async def _summarise(self, city: City) -> None:
        while True:
            await asyncio.sleep(_SUMMARY_SECONDS)
            self._terminal.summary(city, datetime.now(UTC))

    async def _watch_server(self) -> None:
        while self._server.poll() is None:  # noqa: ASYNC110 a process has no asyncio.Event
            await asyncio.sleep(_LOOK_SECONDS)
        raise Failure("the demo's server has ended", why=f"exit code {self._server.returncode}")
