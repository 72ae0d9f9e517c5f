"""Every command that a document names exists, and takes the options that the document gives it."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Pesisir
from tests.cli.test_help import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *ROOT.glob("*.md"),
    *(path for path in ROOT.glob("docs/**/*.md") if path.parent.name != "decisions"),
    ROOT / "Dockerfile",
    ROOT / "compose.yaml",
    ROOT / "deploy" / "pesisir.service",
]
NOUNS = {command.split()[0] for command in COMMANDS}


def named_commands() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCES):
        text = path.read_text(encoding="utf-8")
        for line in re.findall(r"(?:^    |`|/)pesisir ([a-z][^`\n]*)", text, re.MULTILINE):
            command = re.split(r"\s+#|\s[|>]|\s&&", line)[0].strip()
            if command.split()[0] in NOUNS:
                yield path.name, command


@pytest.mark.parametrize(("source", "line"), sorted(set(named_commands())))
def test_documented_command_exists_with_its_options(pesisir: Pesisir, source: str, line: str) -> None:
    words = shlex.split(line)
    command = next((c for c in sorted(COMMANDS, key=len, reverse=True) if words[: len(c.split())] == c.split()), None)
    if command is None and len(words) == 1:  # a noun, spoken of
        return
    assert command is not None, f"{source}: pesisir {line}"
    shown = pesisir.ok(*command.split(), "--help").out
    assert [word for word in words if word.startswith("--") and word not in shown] == []


def test_block_of_the_readme_for_a_router_of_ones_own_runs_as_it_stands(tmp_path: Path) -> None:
    """All but `serve`, which ends only when it is told to."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A router of your own")[2]
    blocks = re.findall(r"\n\n((?:    [^\n]*\n)+)", text)
    script = "\n".join(line.strip() for block in blocks[:2] for line in block.splitlines())
    assert script.count("pesisir serve") == script.count("pesisir radius test") == 1
    script = re.sub(r"^pesisir (serve|radius test).*$", "", script, flags=re.MULTILINE)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "===== pesisir.rsc =====" in done.stdout
    assert "warning" not in done.stderr
    assert (tmp_path / "siti.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("page", "fewest"), [("policy.md", 30), ("quotas.md", 6)])
def test_examples_of_a_page_run_as_they_stand_one_after_the_other(
    city: Pesisir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, fewest: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "libur.ics").write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270817\nEND:VEVENT\nEND:VCALENDAR\n")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"^ {4,}pesisir (.+)$", text, re.MULTILINE)
    assert len(commands) >= fewest
    for command in commands:
        city.ok(*shlex.split(command))
