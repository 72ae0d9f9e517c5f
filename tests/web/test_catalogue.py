"""Every text is there in both languages: what templates ask for, what can go wrong, and nothing else."""

from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.ext import babel_extract

from app.domain.access import DenialReason
from app.domain.quotas import Period
from app.portal.problems import PageProblem
from app.portal.views import Problem, Said
from app.web.catalogue import LANGUAGES, catalogue_path, read_catalogue
from app.web.formats import When
from app.web.theme import Theme, theme_folders

FOLDER = theme_folders(Path("/nonexistent"))[-1]
THEME = Theme((FOLDER,))
PROTOCOL_WORDS = ("radius", "error", "nas", "mac", "http", "token", "ticket", "tiket", "server", "router", "timeout")
PERIODS = [Problem("quota_exhausted", "warn", When("00.00 WITA", None), period) for period in Period]
KINDS = [*(reason.value for reason in DenialReason), *(problem.value for problem in PageProblem)]


def msgids() -> set[str]:
    found: set[str] = set()
    options = {"trim_blocks": "true", "lstrip_blocks": "true"}
    for path in FOLDER.glob("*.html"):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(file, ("_", "gettext"), (), options):
                assert isinstance(message, str)
                found.add(message)
    return found


def said(problem: Problem, language: str) -> str:
    return THEME.render(language, "said.html", Said(problem))


@pytest.mark.parametrize("language", LANGUAGES)
def test_s6_catalogue_has_what_the_templates_say_and_no_more(language: str) -> None:
    catalogue = read_catalogue(catalogue_path(FOLDER, language), language)
    assert {message.id for message in catalogue if message.id} == msgids()


def test_s6_english_is_complete() -> None:
    catalogue = read_catalogue(catalogue_path(FOLDER, "en"), "en")
    assert [message.id for message in catalogue if message.id and not message.string] == []


def test_english_keeps_every_place_for_a_value() -> None:
    for message in read_catalogue(catalogue_path(FOLDER, "en"), "en"):
        assert list(message.check()) == []
        assert message.fuzzy is False


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_s12_everything_that_can_go_wrong_says_what_and_what_now(kind: str, language: str) -> None:
    title, advice = said(Problem(kind, "bad"), language).split("</h2>")
    assert len(title.removeprefix("<h2>").strip()) > 8
    assert len(advice.replace("<p>", "").replace("</p>", "").strip()) > 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_s12_no_message_has_a_protocol_word(language: str) -> None:
    for kind in KINDS:
        words = said(Problem(kind, "bad"), language).lower().replace("<h2>", " ").replace(".", " ").split()
        assert not set(words) & set(PROTOCOL_WORDS), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_quota_message_names_its_period(language: str) -> None:
    assert len({said(problem, language) for problem in PERIODS}) == len(PERIODS)


def test_quota_message_reads_as_the_voice_wants_it() -> None:
    problem = Problem("quota_exhausted", "warn", When("00.00 WITA", None), "day")
    assert "Kuota hari ini sudah habis." in said(problem, "id")
    assert "Internet kembali pukul 00.00 WITA. Layanan pemerintah tetap bisa dibuka." in " ".join(
        said(problem, "id").split()
    )


def test_quota_message_of_a_month_has_the_date() -> None:
    problem = Problem("quota_exhausted", "warn", When("00.00 WITA", "1 December 2026"), "month")
    assert "You are back online on 1 December 2026 at 00.00 WITA." in said(problem, "en")


def test_c2_12_templates_cannot_reach_beyond_their_view(tmp_path: Path) -> None:
    own = tmp_path / "theme"
    own.mkdir()
    (own / "said.html").write_text("{{ view.problem.__class__.__mro__ }}", encoding="utf-8")
    theme = Theme(theme_folders(tmp_path))
    with pytest.raises(SecurityError):
        theme.render("id", "said.html", Said(Problem("busy", "bad")))


def test_theme_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    own = tmp_path / "theme"
    own.mkdir()
    (own / "status.html").write_text("{% if %}", encoding="utf-8")
    with pytest.raises(TemplateSyntaxError):
        Theme(theme_folders(tmp_path))


def test_city_replaces_only_what_it_changes(tmp_path: Path) -> None:
    own = tmp_path / "theme"
    own.mkdir()
    (own / "city.toml").write_text(
        'program = "Wi-Fi Kita"\noperator = "Kota"\noffice = "Dinas"\nphone = "110"\n[help]\nid = "Tanya."\nen = "Ask."\n',
        encoding="utf-8",
    )
    theme = Theme(theme_folders(tmp_path))
    assert theme.city.program == "Wi-Fi Kita"
    assert len(theme.services) == len(THEME.services)
