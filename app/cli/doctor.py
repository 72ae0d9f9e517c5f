"""`pesisir doctor`: look at everything, say of each thing how it is and what to do. It changes nothing."""

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from app.cli.doctor_machine import look_at_machine
from app.cli.failures import ExitCode, Failure
from app.cli.findings import Finding, Health, broken, good
from app.cli.installation import now, read_settings
from app.cli.noun import example, explain
from app.cli.output import Json, harmless, show_json
from app.cli.serving import healthy, serving
from app.config import SettingError


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir doctor"))(doctor)


def doctor(
    alive: Annotated[
        bool, typer.Option("--alive", help="Only ask whether the server on this machine is alive; for health checks.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at settings, key, clock, disk, processes, snapshot, database, journal, routers. Exit 1 if any is broken."""
    findings = list(_alive() if alive else _everything())
    if as_json:
        show_json([{"what": f.what, "health": f.health.value, "words": f.words, "next": f.remedy} for f in findings])
    else:
        _print(findings)
    if any(finding.health is Health.BROKEN for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.health.value:<8} {finding.what:<{width}}  {harmless(finding.words)}")
        if finding.remedy:
            print(f"{'':<{width + 11}}next: {finding.remedy}")


def _everything() -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingError as error:
        yield broken("settings", str(error), "set it right, or unset it to take the default")
        return
    source = os.environ.get("PESISIR_CONFIG", "the environment and the defaults")
    yield good("settings", f"from {source}; data in {settings.data_dir}")
    yield from look_at_machine(settings)
    from app.cli.doctor_node import look_at_snapshots

    yield from look_at_snapshots(settings)
    try:
        from app.cli.doctor_data import look_at_data

        yield from look_at_data(settings)
    except Exception as error:  # noqa: BLE001 whatever is wrong with the database is the finding
        failure = explain(error)
        yield broken("database", ": ".join(filter(None, (failure.what, failure.why))), _elsewhere(failure))


def _elsewhere(failure: Failure) -> str:
    """Return the hint, unless it leads back to this very command."""
    return failure.hint if failure.hint != "pesisir doctor" else "is it running? see PESISIR_DATABASE_URL"


def _alive() -> Iterator[Finding]:
    settings = read_settings()
    found = serving(settings.data_dir, now())
    if not found:
        yield broken("processes", "none runs here", "pesisir serve")
    for one in found:
        if not one.alive:
            yield broken(one.process, f"no sign of life for {one.silent_seconds:.0f} s", "pesisir serve")
            continue
        web = [at for service in ("portal", "status") for at in one.listening.get(service, ())]
        sick = [f"{host}:{port}" for host, port in web if not healthy(settings, (host, port))]
        if sick:
            yield broken(one.process, f"{', '.join(sick)} does not answer", "look into its log")
        else:
            yield good(one.process, "alive")
