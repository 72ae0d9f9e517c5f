from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.keyring import Keyring
from app.web import tokens
from app.web.tokens import TokenProblem, TokenPurpose
from tests.factories import NOON

KEYRING = Keyring(bytes(range(32)))
LIFE = timedelta(minutes=30)
CONTENT = {"mac": "02:aa:00:00:00:01", "kata": "ombak — 海"}


def issue() -> str:
    return tokens.issue(KEYRING, TokenPurpose.FORM, CONTENT, now=NOON, life=LIFE)


def test_token_gives_back_what_was_sealed() -> None:
    assert tokens.read(KEYRING, TokenPurpose.FORM, issue(), now=NOON) == CONTENT


def test_token_travels_in_a_url_as_it_is() -> None:
    assert set(issue()) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_token_hides_what_it_holds() -> None:
    assert "02:aa" not in issue()


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(LIFE, CONTENT, id="at its end"),
        pytest.param(LIFE + timedelta(seconds=1), TokenProblem.EXPIRED, id="a second after its end"),
    ],
)
def test_token_ends(later: timedelta, expected: object) -> None:
    assert tokens.read(KEYRING, TokenPurpose.FORM, issue(), now=NOON + later) == expected


def test_token_of_another_purpose_is_not_believed() -> None:
    assert tokens.read(KEYRING, TokenPurpose.STATUS, issue(), now=NOON) is TokenProblem.INVALID


def test_token_of_another_key_is_not_believed() -> None:
    other = Keyring(bytes(32))
    assert tokens.read(other, TokenPurpose.FORM, issue(), now=NOON) is TokenProblem.INVALID


def test_token_with_any_character_changed_is_not_believed() -> None:
    token = issue()
    for place in range(0, len(token) - 1, 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert tokens.read(KEYRING, TokenPurpose.FORM, changed, now=NOON) is TokenProblem.INVALID


@given(st.text(max_size=400) | st.text("ABCdef-_=019", max_size=8_000))
def test_no_text_makes_reading_raise(text: str) -> None:
    assert tokens.read(KEYRING, TokenPurpose.FORM, text, now=NOON) is TokenProblem.INVALID
