"""Documents and code say the same."""

import re
from pathlib import Path

import pytest

from app.config import setting_names
from app.domain.hints import HintKind
from radius.errors import DropReason

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("name", setting_names())
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_variable_in_the_readme_is_a_setting() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"PESISIR_[A-Z_]+[A-Z]", text)) - {"PESISIR_CONFIG"}
    assert named == set(setting_names())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"", text)
    local = [link or image for link, image in targets if "://" not in (link or image)]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_every_drop_reason_is_explained_on_the_page_of_metrics() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    text = text.partition("## Why a datagram got no answer")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [reason.value for reason in DropReason]


def test_every_hint_is_explained_on_the_page_of_the_trace() -> None:
    text = (ROOT / "docs/trace.md").read_text(encoding="utf-8")
    text = text.partition("## What is probably wrong with a router")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [kind.value for kind in HintKind]


def named_places() -> list[str]:
    """Return what ARCHITECTURE names as folder/module or folder/module.name; a family stands for each of them."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+/[\w/.<>-]*)`", text))
    families = ("mikrotik", "coovachilli", "opennds")
    return sorted({name.replace("<family>", family) for name in named for family in families})


@pytest.mark.parametrize("place", named_places())
def test_every_place_that_the_architecture_names_exists(place: str) -> None:
    folder, _slash, last = place.rpartition("/")
    module, _dot, name = last.partition(".")
    for root in (ROOT, ROOT / "app"):
        if (root / place).exists() or (not name and (root / folder / f"{module}.py").exists()):
            return
        file = root / folder / f"{module}.py"
        file = file if file.exists() else root / folder / module / "__init__.py"
        if name and file.exists() and re.search(rf"^ *(def|class) {name}\b", file.read_text("utf-8"), re.MULTILINE):
            return
    raise AssertionError(f"{place} is not there")


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))
