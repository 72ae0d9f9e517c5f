"""What is printed: for people, for scripts, and harmless for both."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.output import duration, harmless, iso, octets, show_json, show_table
from app.domain.local_time import WITA


@given(st.text())
def test_no_text_of_others_speaks_to_a_terminal(text: str) -> None:
    assert all(letter.isprintable() or letter.isspace() or not letter.isascii() for letter in harmless(text))
    assert not set(harmless(text)) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x2028)}


def test_json_keeps_letters_and_escapes_controls(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"name": "Sité\x9b\x1b[31m"})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": "Sité\x9b\x1b[31m"}
    assert "Sité" in printed
    assert not {"\x9b", "\x1b"} & set(printed)


def test_table_takes_no_word_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name",), [("[red]x[/red] :smile:",)])
    assert "[red]x[/red] :smile:" in capsys.readouterr().out


def test_moments_are_local_with_offset() -> None:
    assert iso(datetime(2026, 11, 24, 4, 0, 1, 999_999, tzinfo=UTC), WITA) == "2026-11-24T12:00:01+08:00"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        pytest.param(None, None, id="unknown"),
        pytest.param(0, "0 B", id="none"),
        pytest.param(999, "999 B", id="just under a kilobyte"),
        pytest.param(1_000, "1 kB", id="a kilobyte"),
        pytest.param(999_999_999, "1000 MB", id="just under a gigabyte"),
        pytest.param(2**53, "9007.2 TB", id="more than any"),
    ],
)
def test_octets_are_for_people(count: int | None, words: str | None) -> None:
    assert octets(count) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        pytest.param(timedelta(seconds=59), "59s", id="seconds"),
        pytest.param(timedelta(seconds=60), "1m 00s", id="a minute"),
        pytest.param(timedelta(hours=2, minutes=5), "2h 05m", id="hours"),
        pytest.param(timedelta(days=30), "30d 00h", id="days"),
    ],
)
def test_times_are_for_people(span: timedelta, words: str) -> None:
    assert duration(int(span.total_seconds())) == words
