"""`pesisir demo`: a city on this machine. Real server processes, simulated routers and residents, throw-away data."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.noun import example


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
    from app.cli.demo_run import Run
    from app.cli.demo_server import running_server, wait_until_ready
    from app.cli.demo_terminal import Terminal
    from app.domain.local_time import WITA

    terminal = Terminal(WITA)
    with quiet_interrupt() as stop_if_asked, _folder() as folder:
        terminal.say("setting up a throw-away city ...")
        ports = choose_ports(free=free_ports)
        terminal.moved(ports)
        config = write_settings(folder, ports)
        city = make_city(config, ports, now=datetime.now(UTC))
        stop_if_asked()
        with running_server(folder, config) as server:
            wait_until_ready(server, folder)
            stop_if_asked()
            run = Run(terminal, ports, city, config, server, seed=seed)
            asyncio.run(run.until_stopped(phones if storm else 0))
        terminal.say("stopped; nothing is left")


@contextmanager
def quiet_interrupt() -> Iterator[Callable[[], None]]:
    """Take Ctrl-C and SIGTERM, at any time, as the ordinary end.

    Yields what to call between steps: an interrupt that came while Python ran a finaliser or a callback was lost there.
    """
    asked = False

    def interrupt(*_: object) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    def stop_if_asked() -> None:
        if asked:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until there is an island to switch
    try:
        with suppress(KeyboardInterrupt):
            yield stop_if_asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pesisir-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
