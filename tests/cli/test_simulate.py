"""`pesisir simulate`: what it prints, draws and refuses."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app.simulator.evening.scene import Way
from app.simulator.evening.words import LANGUAGES, Words, catalogue
from tests.cli.conftest import Pesisir

SMALL = (
    "--readers",
    "30",
    "--watchers",
    "2",
    "--downloaders",
    "2",
    "--staff",
    "2",
    "--capacity",
    "5M",
    "--hours",
    "0.3",
)


def test_json_has_every_way_and_is_the_same_for_the_same_seed(pesisir: Pesisir) -> None:
    told = pesisir.ok("simulate", *SMALL, "--json").json
    assert list(told["ways"]) == [way.value for way in Way]
    assert told["scene"]["capacity_bps"] == 5_000_000
    assert 0 < told["ways"]["queue"]["median"]["use"] <= 1
    assert pesisir.ok("simulate", *SMALL, "--json").json == told
    assert pesisir.ok("simulate", *SMALL, "--seed", "2", "--json").json["ways"] != told["ways"]


def test_what_nobody_does_has_no_figure(pesisir: Pesisir) -> None:
    shown = pesisir.ok("simulate", *SMALL, "--staff", "0", "--watchers", "0", "--way", "queue").out
    rows = {line.split("  ")[0]: line.split()[-1] for line in shown.splitlines()}
    assert (rows["kantor, p95, dtk"], rows["mutu video, Mbps"]) == ("–", "–")
    assert rows["halaman, p95, dtk"] != "–"


def test_several_evenings_give_their_median(pesisir: Pesisir) -> None:
    told = pesisir.ok("simulate", *SMALL, "--way", "queue", "--evenings", "3", "--json").json["ways"]
    assert list(told) == ["queue"]
    each = sorted(one["page_p95"] for one in told["queue"]["evenings"])
    assert told["queue"]["median"]["page_p95"] == each[1]


def test_pictures_and_page_are_written_in_indonesian_first(pesisir: Pesisir, tmp_path: Path) -> None:
    out = tmp_path / "malam"
    done = pesisir.ok("simulate", *SMALL, "--out", str(out))
    assert "ANTREAN ADIL" in done.out
    assert sorted(path.name for path in out.iterdir()) == [
        *("carried-both.svg", "carried-nothing.svg", "evening.svg", "index.html", "lowered.svg", "waiting.svg")
    ]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert '<html lang="id">' in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    for path in out.glob("*.svg"):
        svg = path.read_text(encoding="utf-8")
        assert ET.fromstring(svg).get("role") == "img"
        assert "prefers-color-scheme:dark" in svg


def test_page_of_several_evenings_says_so(pesisir: Pesisir, tmp_path: Path) -> None:
    for number, says in (("1", False), ("2", True)):
        pesisir.ok("simulate", *SMALL, "--way", "queue", "--evenings", number, "--out", str(tmp_path))
        assert (f"nilai tengah dari {number} malam" in (tmp_path / "index.html").read_text(encoding="utf-8")) is says


def test_english_is_asked_for(pesisir: Pesisir, tmp_path: Path) -> None:
    pesisir.ok("simulate", *SMALL, "--way", "queue", "--out", str(tmp_path), "--language", "en")
    assert "How long a page takes to load" in (tmp_path / "waiting.svg").read_text(encoding="utf-8")
    assert '<html lang="en">' in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--language", "fr"), "'fr' is not a language; there are id and en", id="language"),
        pytest.param(("--office-floor", "6M"), "more than the line carries", id="floor"),
        pytest.param(("--way", "luck"), "luck", id="way"),
        pytest.param(
            ("--readers", "0", "--watchers", "0", "--downloaders", "0", "--staff", "0"), "nobody", id="nobody"
        ),
    ],
)
def test_what_cannot_be_played_is_refused(pesisir: Pesisir, arguments: tuple[str, ...], words: str) -> None:
    done = pesisir.run("simulate", *SMALL, *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_folder_that_cannot_be_written_is_said(pesisir: Pesisir, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = pesisir.run("simulate", *SMALL, "--way", "queue", "--out", str(tmp_path / "file"))
    assert done.code == 1
    assert "cannot write to" in done.err


def test_each_text_is_in_both_languages() -> None:
    texts = catalogue()
    assert set(texts) == set(LANGUAGES)
    assert texts["id"].keys() == texts["en"].keys()
    for key, text in texts["id"].items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", texts["en"][key]))


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert Words("id").seconds(4.26) == "4,3 dtk"
    assert Words("en").seconds(17.6) == "18 s"
    assert Words("id").number(53_535, 0) == "53.535"
