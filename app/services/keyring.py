"""The secret key at work: sealing what the database keeps, and the derived key of each purpose."""

import os
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.keys import derive, tag

_NONCE: Final = 12
_KEY_OCTETS: Final = 32


class SealError(Exception):
    """A sealed value cannot be opened: another secret key, another purpose, or damage."""


class Keyring:
    """Everything that is derived from the one secret key (32 octets, kept outside the database)."""

    def __init__(self, master: bytes) -> None:
        if len(master) != _KEY_OCTETS:
            raise ValueError(f"the secret key must be {_KEY_OCTETS} octets, not {len(master)}")
        self._seal = AESGCM(derive(master, "seal"))
        self._voucher = derive(master, "voucher")
        self._check = derive(master, "check")
        self._verifier = derive(master, "verifier")
        self._token = derive(master, "token")
        self._master = master
        self.ticket_key = lru_cache(maxsize=16_384)(self._ticket_key)
        self.class_key = derive(master, "class")
        self.identity_key = derive(master, "chargeable identity")

    def _ticket_key(self, nas_id: str) -> bytes:
        return derive(self._master, "ticket", nas_id)

    @property
    def check(self) -> str:
        """Return what identifies this key without revealing it; stored to refuse a wrong key early."""
        return self._check.hex()[:32]

    @property
    def token_key(self) -> bytes:
        """Return the key of signed web tokens (status page, forms)."""
        return self._token

    @property
    def verifier_key(self) -> bytes:
        """Return the key of the short-lived memory of passwords that argon2 has already verified."""
        return self._verifier

    def snapshot_key(self, salt: bytes) -> bytes:
        """Return the key of one file that holds a node's snapshot; each file has its own salt."""
        return derive(self._master, "snapshot", salt.hex())

    def voucher_hash(self, code: str) -> bytes:
        """Return the keyed hash under which a normalised voucher code is found."""
        return tag(self._voucher, code.encode())

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Encrypt for the database (AES-256-GCM, random nonce); `purpose` must be said again to open."""
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt; raise SealError."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except InvalidTag as error:
            raise SealError(purpose) from error
