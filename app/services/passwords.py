"""People's passwords: argon2id by default; sealed with the secret key where CHAP or a large import needs it.

A password is compared in composed form (NFC), so that it does not matter which keyboard typed it.
"""

import hmac
import unicodedata
from datetime import datetime
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.db import accounts, credentials, feed, resume, users
from app.db.engine import Database
from app.db.feed import FeedKind
from app.domain.keys import Chance
from app.domain.text import TextError, clean
from app.domain.users import Credential, CredentialKind
from app.services import fields
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring

LONGEST_OCTETS: Final = 128  # User-Password, RFC 2865 section 5.2

_SALT_OCTETS: Final = 16
# OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane): about 30 ms of one core.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, salt_len=_SALT_OCTETS)


def checked(password: str) -> str:
    """Return a password as it is kept: NFC, 1 to 128 octets, not spaces alone, no controls; raise Invalid."""
    try:
        clean(password, limit=LONGEST_OCTETS)
    except TextError as error:
        raise Invalid("password", error.problem) from error
    composed = unicodedata.normalize("NFC", password)
    if not composed.strip():
        raise Invalid("password", "is empty")
    if len(composed.encode()) > LONGEST_OCTETS:
        raise Invalid("password", f"is longer than {LONGEST_OCTETS} octets")
    return composed


def make_credential(
    keyring: Keyring, account_id: str, password: str, kind: CredentialKind, *, chance: Chance
) -> Credential:
    """Turn a password into what is kept; hashing takes about 30 ms. Raise Invalid."""
    composed = checked(password)
    match kind:
        case CredentialKind.HASHED:
            return Credential(kind, _HASHER.hash(composed, salt=chance(_SALT_OCTETS)).encode())
        case CredentialKind.ENCRYPTED:
            return Credential(kind, keyring.seal(composed.encode(), purpose=_purpose(account_id)))


def verify(keyring: Keyring, account_id: str, credential: Credential, password: str) -> bool:
    """Tell whether this is the password; about 30 ms for a hashed one."""
    composed = unicodedata.normalize("NFC", password)
    try:
        typed = composed.encode()
    except UnicodeEncodeError:
        return False
    if not 0 < len(typed) <= LONGEST_OCTETS:
        return False
    match credential.kind:
        case CredentialKind.HASHED:
            return _matches_hash(credential.secret, composed)
        case CredentialKind.ENCRYPTED:
            return hmac.compare_digest(keyring.open(credential.secret, purpose=_purpose(account_id)), typed)


def clear_password(keyring: Keyring, account_id: str, credential: Credential) -> str | None:
    """Return the password where it was kept encrypted; None where only its hash was."""
    if credential.kind is CredentialKind.HASHED:
        return None
    return keyring.open(credential.secret, purpose=_purpose(account_id)).decode()


def set_password(
    database: Database,
    keyring: Keyring,
    username: str,
    password: str,
    *,
    kind: CredentialKind,
    now: datetime,
    chance: Chance,
) -> None:
    """Give a person a new password, and end what the old one left: resume grants. Raise NotFound, Invalid."""
    canonical = fields.username(username)
    with database.read() as connection:
        user = users.by_username(connection, canonical, now=now)
    if user is None:
        raise NotFound("user", username)
    account_id = user.account.id
    credential = make_credential(keyring, account_id, password, kind, chance=chance)
    with database.write() as connection:
        if users.by_account_id(connection, account_id, now=now) is None:
            raise NotFound("user", username)
        credentials.replace_many(connection, {account_id: credential}, now=now)
        accounts.raise_versions(connection, [account_id])
        macs = resume.end_for_accounts(connection, [account_id])
        feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id], FeedKind.RESUME: macs})


def _matches_hash(stored: bytes, password: str) -> bool:
    try:
        return _HASHER.verify(stored.decode(), password)
    except (VerificationError, InvalidHashError):
        return False


def _purpose(account_id: str) -> str:
    """Bind a sealed password to its account, so that one cannot be moved to another in the database."""
    return f"password:{account_id}"
