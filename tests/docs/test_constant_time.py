"""A1.18: what proves anything is compared in constant time."""

import inspect
from collections.abc import Callable

import pytest

from app.domain.acceptances import read_class
from app.node.passwords import PasswordChecker
from app.services import passwords
from radius import signatures
from radius.credentials import ChapResponse, MsChapV2Response, PapPassword

COMPARING: list[Callable[..., object]] = [
    signatures.verify_accounting,
    signatures.verify_message,
    signatures.verify_reply,
    PapPassword.matches,
    ChapResponse.matches,
    MsChapV2Response.matches,
    passwords.verify,
    PasswordChecker._check_now,
    PasswordChecker._known,
    read_class,
]


@pytest.mark.parametrize("function", COMPARING, ids=lambda function: function.__qualname__)
def test_a1_18_comparison_takes_the_same_time_wherever_it_fails(function: Callable[..., object]) -> None:
    source = inspect.getsource(function)
    assert "compare_digest(" in source
    assert "proof ==" not in source
    assert "== proof" not in source
