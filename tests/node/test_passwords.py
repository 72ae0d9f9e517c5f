import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.domain.users import Credential, CredentialKind
from app.node.passwords import Check, PasswordChecker
from app.services import passwords
from app.services.keyring import Keyring
from app.services.passwords import make_credential, verify
from tests.node.journals import until

ACCOUNT = "accountaccountac"


@pytest.fixture(scope="module")
def hashed() -> Credential:
    return make_credential(
        Keyring(bytes(32)), ACCOUNT, "rahasia", CredentialKind.HASHED, chance=lambda size: b"s" * size
    )


@pytest.fixture
def done() -> list[int]:
    return []


@pytest.fixture
def checker(done: list[int]) -> Iterator[PasswordChecker]:
    made = PasswordChecker(Keyring(bytes(32)), monotonic=time.monotonic, on_done=lambda: done.append(1))
    yield made
    made.stop()


class Gate:
    """Lets no password be checked before it is opened; `passed` are the accounts whose were, in order."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.opened = threading.Event()

    def verify(self, keyring: Keyring, account_id: str, credential: Credential, password: str) -> bool:
        self.opened.wait(60)
        self.passed.append(account_id)
        return verify(keyring, account_id, credential, password)


@pytest.fixture
def gate(checker: PasswordChecker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(passwords, "verify", made.verify)
    yield made
    made.opened.set()


def checked(checker: PasswordChecker, ask: Callable[[], Check]) -> Check:
    until(lambda: ask() is not Check.PENDING)
    return ask()


@pytest.mark.parametrize(("typed", "expected"), [("rahasia", Check.RIGHT), ("salah", Check.WRONG)])
def test_hashed_password_is_checked_once(
    checker: PasswordChecker, hashed: Credential, done: list[int], typed: str, expected: Check
) -> None:
    def ask() -> Check:
        return checker.check(ACCOUNT, hashed, typed, lane="a")

    assert ask() is Check.PENDING
    assert checked(checker, ask) is expected
    assert [ask() for _ in range(100)] == [expected] * 100
    assert checker.counters.checked == 1
    until(lambda: done == [1])


def test_many_who_ask_the_same_share_one_check(checker: PasswordChecker, hashed: Credential) -> None:
    assert {checker.check(ACCOUNT, hashed, "rahasia", lane="a") for _ in range(50)} <= {Check.PENDING, Check.RIGHT}
    until(lambda: checker.check(ACCOUNT, hashed, "rahasia", lane="a") is Check.RIGHT)
    assert checker.counters.checked == 1


# D15
def test_flood_of_wrong_passwords_at_one_nas_does_not_starve_another(
    checker: PasswordChecker, hashed: Credential, gate: Gate
) -> None:
    flood = [checker.check(f"victim{n:010d}", hashed, f"guess {n}", lane="flooded") for n in range(1000)]
    assert flood.count(Check.PENDING) in (16, 17)  # those that wait, and one that is being checked
    assert flood.count(Check.BUSY) == 1000 - flood.count(Check.PENDING)
    assert checker.check(ACCOUNT, hashed, "rahasia", lane="quiet") is Check.PENDING
    gate.opened.set()
    until(lambda: checker.check(ACCOUNT, hashed, "rahasia", lane="quiet") is Check.RIGHT)
    assert gate.passed.index(ACCOUNT) <= 2  # its turn came next, not after the flood


def test_guesses_at_one_account_are_bounded(checker: PasswordChecker, hashed: Credential, gate: Gate) -> None:
    answers = [checker.check(ACCOUNT, hashed, f"guess {n}", lane=f"{n}") for n in range(20)]
    assert answers.count(Check.PENDING) == 2


def test_memory_of_wrong_passwords_is_bounded_by_time(hashed: Credential) -> None:
    now = [0.0]
    finished = threading.Event()
    checker = PasswordChecker(Keyring(bytes(32)), monotonic=lambda: now[0], on_done=finished.set)
    try:
        assert checker.check(ACCOUNT, hashed, "salah", lane="a") is Check.PENDING
        assert finished.wait(60)
        assert checker.check(ACCOUNT, hashed, "salah", lane="a") is Check.WRONG
        now[0] = 60.0
        assert checker.check(ACCOUNT, hashed, "salah", lane="a") is Check.PENDING
    finally:
        checker.stop()


def test_stored_hash_that_is_no_hash_is_a_wrong_password(checker: PasswordChecker) -> None:
    broken = Credential(CredentialKind.HASHED, b"no hash at all")
    assert checked(checker, lambda: checker.check(ACCOUNT, broken, "rahasia", lane="a")) is Check.WRONG
