"""Passwords: kept so that the database alone opens nothing, compared as people type them."""

from collections.abc import Callable

import pytest

from app.db import accounts, credentials, users
from app.db.engine import Database
from app.domain.users import CredentialKind
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring, SealError
from app.services.passwords import clear_password, make_credential, set_password, verify
from app.services.plans import add_plan
from app.services.users import add_user
from tests.factories import NOON

Chance = Callable[[int], bytes]
ID = "userauserauserau"
KINDS = list(CredentialKind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("kept", "typed", "expected"),
    [
        ("rahasia", "rahasia", True),
        ("rahasia", "Rahasia", False),
        ("rahasia", "rahasia ", False),
        ("rahasia", "", False),
        ("rahasia", "x" * 129, False),
        ("rahasia", "\ud800", False),
        ("caf\u00e9", "cafe\u0301", True),
        ("x" * 128, "x" * 128, True),
    ],
    ids=["same", "case", "space", "nothing", "too long", "no text", "another keyboard", "128 octets"],
)
def test_verify(
    keyring: Keyring, chance: Chance, *, kind: CredentialKind, kept: str, typed: str, expected: bool
) -> None:
    credential = make_credential(keyring, ID, kept, kind, chance=chance)
    assert verify(keyring, ID, credential, typed) is expected


def test_hash_is_argon2id_with_19_mib(keyring: Keyring, chance: Chance) -> None:
    credential = make_credential(keyring, ID, "rahasia", CredentialKind.HASHED, chance=chance)
    assert credential.secret.startswith(b"$argon2id$v=19$m=19456,t=2,p=1$")
    assert clear_password(keyring, ID, credential) is None


def test_same_password_is_kept_differently_for_two_people(keyring: Keyring, chance: Chance) -> None:
    one = make_credential(keyring, ID, "rahasia", CredentialKind.HASHED, chance=chance)
    two = make_credential(keyring, ID, "rahasia", CredentialKind.HASHED, chance=chance)
    assert one.secret != two.secret


def test_sealed_password_opens_for_its_own_account_only(keyring: Keyring, chance: Chance) -> None:
    credential = make_credential(keyring, ID, "rahasia", CredentialKind.ENCRYPTED, chance=chance)
    assert clear_password(keyring, ID, credential) == "rahasia"
    assert b"rahasia" not in credential.secret
    with pytest.raises(SealError):
        clear_password(keyring, "anotheranotheran", credential)


@pytest.mark.parametrize(
    "password", ["", "a\x00b", "x" * 129, "é" * 65, "a\nb"], ids=["empty", "nul", "129 octets", "130 octets", "line"]
)
def test_impossible_password_is_refused(keyring: Keyring, chance: Chance, password: str) -> None:
    with pytest.raises(Invalid, match="password"):
        make_credential(keyring, ID, password, CredentialKind.ENCRYPTED, chance=chance)


def test_new_password_replaces_the_old_and_raises_the_version(
    database: Database, keyring: Keyring, chance: Chance
) -> None:
    add_plan(database, "Warga", now=NOON, chance=chance)
    add_user(database, keyring, "siti", password="lama", now=NOON, chance=chance)
    set_password(database, keyring, "SITI", "baru", kind=CredentialKind.ENCRYPTED, now=NOON, chance=chance)
    with database.read() as connection:
        user = users.by_username(connection, "siti", now=NOON)
        assert user is not None
        credential = credentials.of_account(connection, user.account.id)
        account = accounts.by_id(connection, user.account.id, now=NOON)
    assert credential is not None
    assert account is not None
    assert verify(keyring, user.account.id, credential, "baru")
    assert not verify(keyring, user.account.id, credential, "lama")
    assert account.version == 2


def test_password_of_nobody_is_not_set(database: Database, keyring: Keyring, chance: Chance) -> None:
    with pytest.raises(NotFound):
        set_password(database, keyring, "siti", "baru", kind=CredentialKind.HASHED, now=NOON, chance=chance)
