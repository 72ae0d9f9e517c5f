"""docs/routers/README.md and the profiles say the same; `python -m tests.docs.test_family_table` writes its table."""

import re
from pathlib import Path

import pytest

from app.cli.family_words import COLUMNS, row
from app.domain.nases import TAKES_FILTER, Family
from radius import PROFILES, profile_for

PAGES = Path(__file__).resolve().parents[2] / "docs" / "routers"
README = PAGES / "README.md"
_TABLE = re.compile(r"(<!-- families: [^\n]* -->\n).*(<!-- /families -->)", re.DOTALL)


def table() -> str:
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for family in Family:
        name, *cells = row(profile_for(family.value))
        lines.append((f"[`{name}`]({name}.md)", *cells))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def test_table_of_families_is_that_of_the_profiles() -> None:
    found = _TABLE.search(README.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == f"{found[1]}{table()}{found[2]}"


def test_every_family_can_be_chosen_and_has_a_profile() -> None:
    assert {family.value for family in Family} == PROFILES.keys()


def test_families_that_take_a_filter_are_those_that_apply_what_they_are_sent() -> None:
    limits = {family: profile_for(family.value).limits for family in Family}
    assert {family for family, each in limits.items() if each.role and not each.role_by_script} == TAKES_FILTER


@pytest.mark.parametrize("family", list(Family))
def test_page_says_whether_a_family_is_experimental(family: Family) -> None:
    text = (PAGES / f"{family}.md").read_text(encoding="utf-8")
    assert ("**Experimental" in text) is profile_for(family.value).experimental


@pytest.mark.parametrize("family", list(Family))
def test_page_names_its_family(family: Family) -> None:
    assert f"(`{family}`)" in (PAGES / f"{family}.md").read_text(encoding="utf-8").partition("\n")[0]


def write() -> None:
    text = README.read_text(encoding="utf-8")
    README.write_text(_TABLE.sub(lambda found: f"{found[1]}{table()}{found[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    write()
