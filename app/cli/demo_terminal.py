"""What the demo says at the terminal: where things are, what to try, and a line for what happens. Plain when piped."""

import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from app.cli.demo_city import SITES, DemoCity
from app.cli.demo_ports import Ports
from app.cli.output import octets
from app.config import Settings
from app.simulator.city import City, Event, EventKind
from app.simulator.sessions import Cause, Session
from app.simulator.storm import StormReport

_STYLES: Final = {
    EventKind.LOGGED_IN: "green",
    EventKind.RESUMED: "green",
    EventKind.VISITOR: "bold cyan",
    EventKind.TURNED_AWAY: "yellow",
    EventKind.LEFT: "dim",
    EventKind.CHANGED: "cyan",
    EventKind.CUT: "yellow",
    EventKind.POWER_CUT: "bold red",
    EventKind.POWER_BACK: "bold green",
    EventKind.ALL_BACK: "bold green",
}
_HOW: Final = {"tap": "one tap", "voucher": "with a voucher", "account": "with an account"}
_ENDS: Final = {
    Cause.LOST_SERVICE.value: "has walked away",
    Cause.IDLE_TIMEOUT.value: "was idle and is offline",
    Cause.SESSION_TIMEOUT.value: "is cut off: a limit is reached",
    Cause.ADMIN_RESET.value: "was disconnected by the server",
}


class Terminal:
    """Everything that is said, line by line."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._zone = zone

    def say(self, text: str) -> None:
        """Say one thing, now."""
        self._console.print(escape(text))

    def moved(self, ports: Ports) -> None:
        """Say what is not where it usually is."""
        for name, (wanted, taken) in ports.moved.items():
            self._console.print(f"[yellow]Port {wanted} is taken: {escape(name)} is at {taken}.[/]")

    def welcome(self, settings: Settings, ports: Ports, city: DemoCity, config: Path, pid: int) -> None:
        """Say where things are and what to try."""
        command = shlex.quote(_command())
        account = city.spare_account
        user = next(held.username for _, held in city.people if held.username)
        places = ", ".join(list(SITES.values())[:-1])
        self._console.print()
        self._console.print("[bold]Pesisir is running: four islands, an office, thirty residents.[/]")
        self._console.print(f"[dim]{places}; and {SITES['diskominfo']} in the town.[/]")
        self._console.print()
        self._row("A phone on Gusung", f"http://{_at(ports.phone)}/", "any web page; tap once to be online")
        self._row("The portal", f"{settings.portal_url}/", "")
        self._row("Status", f"{settings.admin_url}/readyz", "")
        self._row("Metrics", f"{settings.admin_url}/metrics", "")
        self._row("RADIUS (UDP)", f"{_at(ports.auth)} and {ports.acct[1]}", "")
        self._row("A voucher for you", city.spare_voucher, "at the splash page")
        self._row("An account for you", f"{account.username} / {account.password}", "the same")
        self._console.print()
        self._console.print("[bold]Worth trying in another terminal:[/]")
        for line in (
            f"export PESISIR_CONFIG={shlex.quote(str(config))}",
            f"{command} session list",
            f"{command} usage {user}",
            f"{command} governor show",
            f"echo {account.password} | {command} radius test gusung {account.username} --password-file -",
        ):
            self._console.print(f"  [cyan]{escape(line)}[/]")
        self._console.print()
        key = "p + Enter here" if sys.stdin.isatty() else f"kill -USR1 {pid}"
        also = f" (or kill -USR1 {pid})" if sys.stdin.isatty() else ""
        self._console.print(
            f"{key}{also} cuts the islands' power, and again lets it come back. Ctrl-C ends everything."
        )
        self._console.print()

    def tell(self, event: Event, now: datetime) -> None:
        """Say what has just happened."""
        text = _sentence(event)
        place = SITES.get(event.place, "")
        style = _STYLES[event.kind]
        self._console.print(f"[dim]{self._time(now)}[/]  {place:<12}  [{style}]{escape(text)}[/]")

    def summary(self, city: City, now: datetime) -> None:
        """Say how things stand."""
        routers = [island.router for island in city.islands.values()]
        sessions = [session for router in routers for session in router.sessions.values()]
        used = sum(session.up_octets + session.down_octets for session in sessions)
        accepts = sum(router.counts.accepts for router in routers)
        unknown = sum(router.counts.unknown for router in routers)
        rejects = sum(router.counts.rejects for router in routers)
        reports = sum(router.counts.reports for router in routers)
        lost = sum(router.counts.lost_reports + router.counts.unanswered for router in routers)
        self._console.print(
            f"[dim]{self._time(now)}  {len(sessions)} online, {octets(used)} in their sessions; {accepts} accepted, "
            f"{unknown} sent to the splash page, {rejects} refused, {reports} reports, {lost} unanswered[/]"
        )

    def storm(self, report: StormReport, now: datetime) -> None:
        """Say how the evening went."""
        self._console.print(f"[dim]{self._time(now)}[/]  {'':<12}  [bold green]{escape(_storm(report))}[/]")

    def _row(self, name: str, value: str, remark: str) -> None:
        dim = f"  [dim]{escape(remark)}[/]" if remark else ""
        self._console.print(f"  {name:<20}[bold cyan]{escape(value)}[/]{dim}")

    def _time(self, now: datetime) -> str:
        return now.astimezone(self._zone).strftime("%H.%M.%S")


def _sentence(event: Event) -> str:
    match event.kind:
        case EventKind.LOGGED_IN:
            return f"{event.who} is online, {_HOW.get(event.how, event.how)}{_limits(event.session)}"
        case EventKind.RESUMED:
            return f"{event.who} is back online, without a page{_limits(event.session)}"
        case EventKind.VISITOR:
            return f"Your phone {event.who} is online{_limits(event.session)}"
        case EventKind.TURNED_AWAY:
            return f"{event.who} is not online; the page says: {event.said or '-'}"
        case EventKind.LEFT:
            return f"{event.who} has logged out{_used(event.session)}"
        case EventKind.CHANGED:
            return f"{event.who} has new limits, without a new login{_limits(event.session)}"
        case EventKind.CUT:
            return f"{event.who} {_ENDS.get(event.how, event.how)}{_used(event.session)}"
        case EventKind.POWER_CUT:
            return "The islands have no power. Their sessions are gone, and nobody was told."
        case EventKind.POWER_BACK:
            return "18.00: the power is back. Every router boots, every phone wants to be online."
        case EventKind.ALL_BACK:
            return "" if event.report is None else _storm(event.report)


def _storm(report: StormReport) -> str:
    if report.phones == 0:
        return "Nobody was online when the power went."
    missing = report.phones - report.online
    rest = f"; {missing} have to see the splash page again" if missing else ""
    return (
        f"{report.online} of {report.phones} phones are online again after {report.seconds:.2f} s, without one page; "
        f"a phone waited {report.median_wait_seconds:.2f} s, {report.longest_wait_seconds:.2f} s at most{rest}."
    )


def _limits(session: Session | None) -> str:
    if session is None:
        return ""
    limits = session.limits
    parts = []
    if limits.down_bps is not None:
        parts.append(f"{limits.down_bps / 1e6:g} Mbit/s")
    if limits.total_octets is not None:
        parts.append(f"{octets(limits.total_octets)} left")
    return f" ({', '.join(parts)})" if parts else ""


def _used(session: Session | None) -> str:
    return "" if session is None else f" ({octets(session.up_octets + session.down_octets)} used)"


def _at(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _command() -> str:
    """Return how `pesisir` is called in another terminal of the same folder: the one of this very Python."""
    own = Path(sys.executable).with_name("pesisir")
    if not own.exists():
        own = Path(sys.argv[0]).absolute()
    found = shutil.which("pesisir")
    if found is not None and Path(found).resolve() == own.resolve():
        return "pesisir"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)
