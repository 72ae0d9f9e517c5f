"""`pesisir demo`: a city on this machine. Real server processes, simulated routers and residents, throw-away data."""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import Failure
from app.cli.noun import example

if TYPE_CHECKING:  # these are slow to import, and every command imports this module
    from app.cli.demo_city import DemoCity
    from app.cli.demo_ports import Ports
    from app.cli.demo_terminal import Terminal
    from app.simulator.city import City
    from app.simulator.island import Island

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 12.0
_SUMMARY_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_PROCESSES: Final = frozenset(("http", "radius-0", "worker"))
_WINDOW: Final = "gusung"  # the island whose web the phone URL shows
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir demo", "pesisir demo --storm --phones 500"))(demo)


def demo(
    storm: Annotated[
        bool, typer.Option("--storm", help="Play the evening first: every router boots at 18.00.")
    ] = False,
    phones: Annotated[int, typer.Option(min=1, max=20_000, help="How many phones the storm has.")] = 300,
    seed: Annotated[int, typer.Option(help="Another number is another evening; the same is the same.")] = 1,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Take any free ports, not the usual ones.")] = False,
) -> None:
    """Run a whole city on this machine until Ctrl-C: portal, RADIUS, islands, residents. Nothing of it is kept."""
    from app.cli.demo_city import make_city
    from app.cli.demo_ports import choose_ports, write_settings
    from app.cli.demo_terminal import Terminal
    from app.domain.plans import WITA

    terminal = Terminal(WITA)
    with _quiet_interrupt(), _folder() as folder:
        terminal.say("setting up a throw-away city ...")
        ports = choose_ports(free=free_ports)
        terminal.moved(ports)
        config = write_settings(folder, ports)
        city = make_city(config, ports, now=datetime.now(UTC))
        with _server(folder, config) as server:
            _wait_until_ready(server, folder)
            run = _Run(terminal, ports, city, config, server, seed=seed)
            asyncio.run(run.until_stopped(phones if storm else 0))
        terminal.say("stopped; nothing is left")


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    """Take Ctrl-C and SIGTERM, at any time, as the ordinary end."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until there is an island to switch
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pesisir-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# ---- the server


@contextmanager
def _server(folder: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `pesisir serve`; it ends with the block, and with this process, whatever happens to it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PESISIR_")}
    environment["PESISIR_CONFIG"] = str(config)
    libc = ctypes.CDLL(None)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for the demo, which ends the server in its turn
            preexec_fn=lambda: libc.prctl(_DIE_WITH_PARENT, signal.SIGTERM),  # noqa: PLW1509 no threads run yet
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and everything it started; a second Ctrl-C does not hurry this."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        signal.signal(signal.SIGINT, previous)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    from app.node.running import read_running

    give_up_at = time.monotonic() + _START_SECONDS
    while not set(read_running(folder)) >= _PROCESSES:
        if server.poll() is not None or time.monotonic() > give_up_at:
            lines = (folder / "serve.log").read_text(errors="replace").strip().splitlines()
            raise Failure("the demo's server does not start", why=" / ".join(lines[-3:]), hint="pesisir doctor")
        time.sleep(_LOOK_SECONDS)


# ---- the city


class _Run:
    """One run of the city beside a server that is ready."""

    def __init__(
        self,
        terminal: "Terminal",
        ports: "Ports",
        city: "DemoCity",
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
        self._tasks: set[asyncio.Task[object]] = set()

    async def until_stopped(self, storm_phones: int) -> None:
        """Let the city live until Ctrl-C, SIGTERM, or the end of the server."""
        from app.simulator.city import City

        async with self._islands() as islands:
            city = City(
                islands,
                self._made.people,
                clock=time.monotonic,
                seed=self._seed,
                tell=lambda event: self._terminal.tell(event, datetime.now(UTC)),
            )
            self._welcome()
            with self._controls(city):
                await self._live(city, storm_phones)

    @asynccontextmanager
    async def _islands(self) -> AsyncIterator[dict[str, "Island"]]:
        from app.simulator.island import Island

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
        from app.config import load

        settings = load({"PESISIR_CONFIG": str(self._config)})
        self._terminal.welcome(settings, self._ports, self._made, self._config, os.getpid())

    @contextmanager
    def _controls(self, city: "City") -> Iterator[None]:
        """Listen to signals and to the keyboard."""
        loop = asyncio.get_running_loop()

        def switch() -> None:
            self._begin(city.switch_power())

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

    async def _live(self, city: "City", storm_phones: int) -> None:
        parts = [
            self._begin(self._stop.wait()),
            self._begin(self._watch_server()),
            self._begin(self._play(city, storm_phones)),
            self._begin(self._summarise(city)),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _play(self, city: "City", storm_phones: int) -> None:
        if storm_phones:
            await self._storm(city, storm_phones)
        await city.live()

    async def _storm(self, city: "City", count: int) -> None:
        """Play the evening: everybody taps in, the power goes, every router boots."""
        from app.simulator.storm import reconnect, tap_all

        homes = [island for place, island in city.islands.items() if place != "diskominfo"]
        phones = [homes[number % len(homes)].phone(1_000 + number) for number in range(count)]
        self._terminal.say(f"Before the storm: {count} phones tap in at the splash page, one after the other ...")
        online = await tap_all(phones)
        self._terminal.say(f"{online} phones are online. The islands lose their power.")
        for island in homes:
            island.cut_power()
        self._terminal.say("18.00: every router boots, and every phone wants to be online.")
        for island in homes:
            await island.boot()
        self._terminal.storm(await reconnect(phones, clock=time.monotonic), datetime.now(UTC))

    async def _summarise(self, city: "City") -> None:
        while True:
            await asyncio.sleep(_SUMMARY_SECONDS)
            self._terminal.summary(city, datetime.now(UTC))

    async def _watch_server(self) -> None:
        while self._server.poll() is None:
            await asyncio.sleep(_LOOK_SECONDS)
        raise Failure("the demo's server has ended", why=f"exit code {self._server.returncode}")

    def _begin(self, work: Coroutine[object, object, object]) -> asyncio.Task[object]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
