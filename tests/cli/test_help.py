"""Every command of the interface is there, and its help says how it is called."""

import re

import pytest

from tests.cli.conftest import Pesisir

COMMANDS = [
    *("serve", "demo", "doctor", "usage", "simulate"),
    *("db upgrade", "db check", "config show", "journal status", "radius test", "radius trace", "bench radius"),
    "governor history",
    "governor show",
    *(f"uplink {verb}" for verb in ("add", "list", "show", "set", "class", "remove", "config", "apply")),
    *(
        f"site {verb}"
        for verb in ("add", "list", "show", "set", "override", "set-quota", "set-window", "remove-window")
    ),
    *(f"plan {verb}" for verb in ("add", "list", "show", "set", "set-window", "remove-window")),
    *(f"calendar {verb}" for verb in ("import", "list", "show", "remove")),
    *(f"garden {verb}" for verb in ("list", "add", "remove")),
    *(f"nas {verb}" for verb in ("add", "list", "show", "set", "remove", "config", "families")),
    *(
        f"user {verb}"
        for verb in (
            "add",
            "list",
            "show",
            "set",
            "remove",
            "set-quota",
            "suspend",
            "import",
            "override",
            "explain",
            "top-up",
        )
    ),
    *(f"voucher {verb}" for verb in ("create", "list", "print", "revoke")),
    *(f"session {verb}" for verb in ("list", "show", "disconnect", "change", "totals")),
    "change list",
]
READS = [command for command in COMMANDS if command.endswith((" list", " show", " totals", " status", " check"))]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_of_it(pesisir: Pesisir, command: str) -> None:
    shown = pesisir.ok(*command.split(), "--help").out
    assert re.search(rf"Example: pesisir {command}\b", " ".join(shown.split()))


@pytest.mark.parametrize("command", [*READS, "usage", "doctor", "simulate", "radius trace", "nas families"])
def test_every_read_speaks_json(pesisir: Pesisir, command: str) -> None:
    assert "--json" in pesisir.ok(*command.split(), "--help").out


def test_no_other_command_is_hidden(pesisir: Pesisir) -> None:
    shown = pesisir.ok("--help").out
    nouns = set(re.findall(r"^  ([a-z]+)  ", shown[shown.index("Commands:") :], re.MULTILINE))
    assert nouns == {command.split()[0] for command in COMMANDS}


def test_version_is_that_of_the_distribution(pesisir: Pesisir) -> None:
    assert re.fullmatch(r"pesisir \d+\.\d+\.\d+\n", pesisir.ok("--version").out)


def test_completion_can_be_shown(pesisir: Pesisir) -> None:
    assert "--show-completion" in pesisir.ok("--help").out
