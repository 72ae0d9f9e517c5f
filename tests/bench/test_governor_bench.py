"""The bench of the governor: it moves ceilings on a full line, and says what it measured."""

from xml.etree import ElementTree as ET

from bench.governor import Measured, measure, page, plot

FOUND = [Measured(400, 14, 1.5, 9.25, 80), Measured(21_630, 721, 120.0, 300.0, 4_330)]
TOLD = {"processor": "a processor", "system": "a system", "Python": "3.11", "Pesisir": "abc"}


def test_rounds_that_are_measured_move_ceilings() -> None:
    found = measure(60, 8)
    assert (found.sessions, found.sites) == (60, 2)
    assert found.changes > 0
    assert found.longest_ms > 0


def test_page_has_every_size_with_its_bound() -> None:
    text = page(FOUND, TOLD, "2026-11-24", 40)
    assert "| 400 | 14 | 1.5 | 9.2 | 3.8 | 20 | 80 |" in text
    assert "| 21,630 | 721 | 120.0 | 300.0 | 5.5 | 500 | 4,330 |" in text


def test_plot_is_a_picture() -> None:
    assert ET.fromstring(plot(FOUND)).get("aria-label") == "What a round of the governor costs"
