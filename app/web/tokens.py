"""Tokens that travel through a phone: sealed, so that nobody reads or changes them, each with a purpose and an end.

The splash page keeps no state and sets no cookie; what it must know again comes back in the form or in the link. A
token is `Keyring.seal` (AES-256-GCM) over its last second and a JSON object of strings, in base64url. The purpose is
authenticated with it: a status link never passes for a form.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.services.keyring import Keyring, SealError

MAX_LENGTH: Final = 6_000
"""Characters; a visit at its longest (an openNDS query) stays well below."""

_EXPIRY: Final = 5


class TokenPurpose(StrEnum):
    """What a token is for."""

    FORM = "web form"
    STATUS = "web status"


class TokenProblem(StrEnum):
    """Why a token is not believed."""

    INVALID = "invalid"  # not ours, cut, changed, or of another purpose
    EXPIRED = "expired"


def issue(
    keyring: Keyring, purpose: TokenPurpose, content: Mapping[str, str], *, now: datetime, life: timedelta
) -> str:
    """Seal strings for a time."""
    expiry = int((now + life).timestamp()).to_bytes(_EXPIRY, "big")
    plain = expiry + json.dumps(dict(content), separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(keyring.seal(plain, purpose=purpose)).decode("ascii").rstrip("=")


def read(keyring: Keyring, purpose: TokenPurpose, token: str, *, now: datetime) -> Mapping[str, str] | TokenProblem:
    """Open a token; any text whatever may come in."""
    if not token or len(token) > MAX_LENGTH or not token.isascii():
        return TokenProblem.INVALID
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        plain = keyring.open(sealed, purpose=purpose)
    except (binascii.Error, ValueError, SealError):
        return TokenProblem.INVALID
    if datetime.fromtimestamp(int.from_bytes(plain[:_EXPIRY], "big"), UTC) < now:
        return TokenProblem.EXPIRED
    content: dict[str, str] = json.loads(plain[_EXPIRY:])
    return content
