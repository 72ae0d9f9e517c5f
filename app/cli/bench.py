"""`pesisir bench`: how much a server bears. It writes nothing here, and asks only what it is pointed at."""

from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.bench.kinds import Kind, Method
from app.bench.people import FIRST_MAC, Pattern, People, PeopleError, Phones, read_people
from app.cli.failures import Failure, usage
from app.cli.noun import example, noun
from app.cli.options import read_octets, read_secret
from app.cli.output import Json, JsonValue, show_fields, show_json
from app.cli.progress import phase_bar
from app.cli.radius import chosen_address
from app.domain.devices import parse_mac

if TYPE_CHECKING:
    from app.bench.rounds import Bench, Plan
    from app.bench.summary import Counts, Latency, Round

commands = noun("bench", "Measure how much a server bears.")

_ABREAST: Final = 128  # requests that one socket has under way; it has 256 Identifiers
_FEWEST_SOURCES: Final = 4
_STORM_DEVICES: Final = 5_000
_WINDOW: Final = 64
_PASSWORD: Final = "pw{:06}"  # noqa: S105 for users that exist for this alone


@commands.callback()
def _bench() -> None:
    """Keep `radius` a verb, though it is the only one."""


@commands.command(
    epilog=example(
        "pesisir bench radius auth --secret-file secret.txt --users-file users.csv",
        "pesisir bench radius acct --secret-file secret.txt --users 100000 --window 256",
        "pesisir bench radius auth --secret-file secret.txt --users 100000 --rate 1000 --pid 4711",
        "pesisir bench radius storm --secret-file secret.txt --mac-secret-file mac.txt --devices 5000",
    )
)
def radius(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="auth: log-ins. acct: Start, Interim-Updates and Stop of sessions. mixed: log-in and then its session."
            " storm: known phones at once, each log-in followed by its Start.",
        ),
    ] = Kind.AUTH,
    secret_file: Annotated[
        str, typer.Option(metavar="FILE", help="The RADIUS secret, from a file or - for standard input.")
    ] = "",
    server: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the server is.")] = "127.0.0.1",
    auth_port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="For Access-Requests.")] = 1812,
    acct_port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="For Accounting-Requests.")] = 1813,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="The server may be another machine: its owner has agreed.")
    ] = False,
    users_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Who logs in: a CSV with the columns username and password.")
    ] = None,
    users: Annotated[int, typer.Option(metavar="N", min=1, help="Without a file: so many, by number.")] = 1000,
    first: Annotated[int, typer.Option(metavar="N", min=0, help="The first number.")] = 0,
    name: Annotated[
        str, typer.Option(metavar="PATTERN", help="Their names; {} is the number, {:06} has six digits.")
    ] = "user{:06}",
    password: Annotated[str, typer.Option(metavar="PATTERN", help="Their passwords, alike.")] = _PASSWORD,
    first_mac: Annotated[str, typer.Option(metavar="MAC", help="The phone of the first; others follow.")] = FIRST_MAC,
    mac_secret_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="storm: the password of MAC authentication.")
    ] = None,
    devices: Annotated[int, typer.Option(metavar="N", min=1, help="storm: how many phones.")] = _STORM_DEVICES,
    method: Annotated[Method, typer.Option(help="How passwords are sent.")] = Method.PAP,
    wrong: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="auth: so many have a wrong password.")
    ] = 0.0,
    interims: Annotated[int, typer.Option(metavar="N", min=0, max=200, help="Interim-Updates of a session.")] = 3,
    login: Annotated[
        bool, typer.Option("--login/--no-login", help="acct: let people in first, and report with their Class.")
    ] = True,
    settle: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="acct: wait so long between log-ins and reports.")
    ] = 0.0,
    window: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Requests without an answer at a time; unset: 64, in a storm all."),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            help="Requests a second, answered or not; latency from then. mixed: with what log-ins lead to.",
        ),
    ] = None,
    duration: Annotated[
        float, typer.Option("--seconds", metavar="SECONDS", min=0.1, help="How long a round lasts.")
    ] = 10.0,
    requests: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="A round lasts until so many are answered instead.")
    ] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="How often it is measured; medians are shown.")] = 1,
    sources: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1000, help="Sockets; unset: so many that Identifiers suffice.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Send from these addresses or networks of this machine in turn."),
    ] = None,
    nas_identifier: Annotated[str, typer.Option(metavar="TEXT", help="NAS-Identifier of every request.")] = "bench",
    resend: Annotated[float, typer.Option(min=0.05, metavar="SECONDS", help="Send again what has no answer.")] = 3.0,
    attempts: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="After so many it is lost.")] = 5,
    proxy_state: Annotated[bool, typer.Option("--proxy-state", help="Send Proxy-State, and demand it back.")] = False,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Believe Access answers without Message-Authenticator.")
    ] = False,
    pid: Annotated[
        list[int] | None, typer.Option(metavar="PID", min=1, help="Count the CPU of this server process too.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another order of people.")] = 1,
    as_json: Json = False,
) -> None:
    """Send what many routers send, verify every answer, and say how fast they came. Exit 1 if anything was wrong.

    Requests are written before the measured time and answers verified after it. Everything counts like a router's:
    log-ins are the people's, and accounting is charged to them. It is for a server made for this, not for a city's.
    """
    from app.bench.judging import Demands
    from app.bench.loop import Pace
    from app.bench.rounds import Plan
    from app.bench.writing import Steps
    from radius.signatures import prepared

    _demand_consent(server, anywhere=anywhere)
    if not secret_file:
        usage("no RADIUS secret", hint="--secret-file FILE; `pesisir nas config NAS` shows that of a NAS")
    storm = kind is Kind.STORM
    people = (
        _phones(mac_secret_file, devices, _mac(first_mac))
        if storm
        else _people(users_file, Pattern(name, password, first, users, _mac(first_mac)))
    )
    window = window or (devices if storm else _WINDOW)
    count = sources or max(_FEWEST_SOURCES, -(-window // _ABREAST))
    plan = Plan(
        kind=kind,
        host=server,
        auth_port=auth_port,
        acct_port=acct_port,
        demands=Demands(prepared(read_secret(secret_file).encode()), unsigned=unsigned, proxy_state=proxy_state),
        people=people,
        sources=_addresses(source or [], count, server, auth_port),
        pace=Pace(window, None if storm else rate, resend, attempts),
        seconds=None if storm or requests is not None else duration,
        requests=devices if storm else requests,
        method=method,
        wrong_percent=wrong,
        steps=Steps(0, ends=False) if storm else Steps(interims),
        log_in=login,
        settle_seconds=settle,
        identifier=nas_identifier,
        pids=pid or (),
        seed=seed,
    )
    _measure(plan, rounds, as_json=as_json)


def _measure(plan: "Plan", rounds: int, *, as_json: bool) -> None:
    from app.bench.processes import ProcessError
    from app.bench.rounds import Bench, BenchError

    done: list[Round] = []
    try:
        with phase_bar() as tell:
            bench = Bench(plan, lambda what, at, of: tell(f"{len(done) + 1}/{rounds} {what}", at, of))
            bench.warm_up()
            for _ in range(rounds):
                done.append(bench.round())
    except BenchError as error:
        raise Failure(error.what, hint=error.hint) from error
    except ProcessError as error:
        raise Failure(f"there is no process {error.pid}", hint="give --pid the server's own") from error
    except OSError as error:
        raise Failure(f"{plan.host} cannot be asked", why=error.strerror or str(error)) from error
    if as_json:
        show_json(_as_json(plan, done, bench))
    else:
        _show(plan, done)
    if bench.faults:
        raise Failure("not every answer was right", why=_faults(plan, done, bench.faults), hint="pesisir doctor")


def _demand_consent(server: str, *, anywhere: bool) -> None:
    """Stop unless the server is this machine's own, or somebody has said that it may be another's."""
    try:
        own = ip_address(server).is_loopback
    except ValueError:
        usage(f"{server!r} is not an address", why="a name could lead anywhere", hint="give 127.0.0.1 or ::1")
    if not own and not anywhere:
        usage(
            f"{server} is not this machine's own address (127.0.0.0/8, ::1)",
            why="so much load can bring down a server, and the network on the way to it",
            hint="run it on the server itself, or add --anywhere if both are yours to load",
        )


def _mac(text: str) -> str:
    mac = parse_mac(text)
    if mac is None:
        usage(f"{text!r} is not a MAC", hint=f"such as {FIRST_MAC}")
    return mac


def _people(file: str | None, pattern: Pattern) -> People:
    if file is None:
        try:
            pattern[0]
        except (ValueError, LookupError, AttributeError) as error:
            usage("--name and --password must be patterns", why=str(error), hint="such as user{:06}")
        return pattern
    try:
        return read_people(read_octets(file).decode("utf-8-sig"), pattern.first_mac)
    except PeopleError as error:
        raise Failure(f"{file} lists no users", why=str(error)) from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} lists no users", why="it is not text in UTF-8") from error


def _phones(file: str | None, count: int, first_mac: str) -> Phones:
    if file is None:
        usage("a storm needs the password of MAC authentication", hint="--mac-secret-file FILE")
    return Phones(read_secret(file).encode(), count, first_mac)


def _addresses(given: Sequence[str], count: int, server: str, port: int) -> list[str]:
    """Return an address for each socket: those that were given in turn, of a network evenly spread ones."""
    if not given:
        chosen = chosen_address((server, port))
        if chosen is None:
            raise Failure(f"there is no way to {server}")
        return [chosen] * count
    try:
        networks = [ip_network(text) for text in given]
    except ValueError as error:
        usage(f"{error}", hint="--source takes addresses and networks, such as 127.10.0.0/24")
    each = -(-count // len(networks))
    spread = [[network[n * network.num_addresses // each] for n in range(each)] for network in networks]
    return [str(address) for turn in zip(*spread, strict=True) for address in turn][:count]


# What it prints


def _as_json(plan: "Plan", rounds: "Sequence[Round]", bench: "Bench") -> JsonValue:
    from app.bench.summary import medians, total

    return {
        "kind": plan.kind.value,
        "method": plan.method.value,
        "server": plan.host,
        "window": plan.pace.window,
        "rate": plan.pace.rate,
        "sources": len(plan.sources),
        "median": medians(rounds),
        "total": asdict(total(rounds)),
        "asked": bench.asked,
        "faults": bench.faults,
        "rounds": [asdict(one) for one in rounds],
    }


def _show(plan: "Plan", rounds: "Sequence[Round]") -> None:
    from app.bench.summary import medians, total

    middle, counts = medians(rounds), total(rounds)
    lowest, highest = min(one.per_second for one in rounds), max(one.per_second for one in rounds)
    pace = f"{plan.pace.rate:g} a second" if plan.pace.rate else f"{plan.pace.window} at a time"
    fields: dict[str, object] = {
        "measured": f"{plan.kind.value}, {plan.method.value}, {pace}, {len(plan.sources)} sockets",
        "rounds": f"{len(rounds)} of {', '.join(f'{one.seconds:.2f}' for one in rounds)} s",
        "requests/s": f"{middle['per_second']:,.0f} ({lowest:,.0f} to {highest:,.0f})",
    }
    if plan.kind is Kind.STORM:
        fields["all answered"] = f"after {middle['all_answered_seconds']:.2f} s"
    fields["latency"] = _latency([one.latency for one in rounds])
    if len(rounds[0].by_kind) > 1:
        for kind in rounds[0].by_kind:
            fields[f"  {kind}"] = _latency([one.by_kind[kind] for one in rounds])
    fields |= _counted(counts)
    if middle["server_us"] is not None:
        memory = max(one.server_octets or 0 for one in rounds) / 1e6
        fields["server"] = f"{middle['server_us']:.1f} µs CPU a request, {memory:.0f} MB"
    if middle["generator_us"] is not None:
        fields["generator"] = f"{middle['generator_us']:.1f} µs CPU a request"
    show_fields(fields)


def _latency(latencies: "Sequence[Latency]") -> str:
    from app.bench.summary import middle

    names = (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("max", "max_ms"))
    shown = []
    for word, field in names:
        value = middle([getattr(one, field) for one in latencies])
        shown.append(f"{word} {'-' if value is None else f'{value:.2f} ms'}")
    return ", ".join(shown)


def _counted(counts: "Counts") -> dict[str, object]:
    return {
        "sent": f"{counts.sent:,}, answered {counts.answered:,}, sent again {counts.resent:,}, lost {counts.lost:,}",
        "verdicts": f"right {counts.right:,}, wrong {counts.wrong:,}",
        "answers": f"not believed {counts.bad:,}, once too often {counts.repeated:,}",
    }


def _faults(plan: "Plan", rounds: "Sequence[Round]", faults: int) -> str:
    from app.bench.summary import total

    counts = total(rounds)
    warm_up = faults - counts.faults
    said = [
        (counts.wrong, "wrong verdicts"),
        (counts.bad, "answers not believed: is the secret the same on both sides?"),
        (counts.lost, f"requests without an answer: is {plan.host} serving there, and does it know this NAS?"),
        (warm_up, "of these kinds while warming up"),
    ]
    return ", ".join(f"{count:,} {what}" for count, what in said if count)
