"""Voucher codes: what is printed, what people type, and what a typed code may open."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31 letters and digits, without 0 O 1 I L
CODE_LENGTH: Final = 9  # 44 bits: enough where tries are throttled (ten in ten minutes)
_IGNORED: Final = str.maketrans("", "", " -_.\u00a0\t")


class VoucherState(StrEnum):
    """A voucher's life: new, used (by the devices its plan allows), revoked."""

    NEW = "new"
    USED = "used"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Voucher:
    """One printed code; its account exists from the first redemption on."""

    id: str
    batch_id: str
    plan_id: str
    state: VoucherState
    account_id: str | None = None
    valid_until: datetime | None = None
    top_up: bool = False


@dataclass(frozen=True, slots=True)
class VoucherBatch:
    """Vouchers that were made together, by `author` if that was kept; `valid_until` ends the redeeming alone.

    Those that `top_up` add their plan's total and validity to the account of a device that has one.
    """

    id: str
    plan_id: str
    size: int
    note: str
    valid_until: datetime | None
    created_at: datetime
    top_up: bool = False
    author: str | None = None


def new_code(chance: bytes) -> str:
    """Turn 16 random octets into a code; the bias is below 2**-80."""
    assert len(chance) == 16
    value = int.from_bytes(chance, "big")
    letters = []
    for _ in range(CODE_LENGTH):
        value, index = divmod(value, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)


def printed(code: str) -> str:
    """Write a code in groups of three, as printed."""
    return "-".join(code[i : i + 3] for i in range(0, len(code), 3))


def normalise_code(typed: str) -> str | None:
    """Return the code behind what somebody typed, in any case and spacing; None if it can be no code of ours."""
    if len(typed) > 64:
        return None
    code = typed.translate(_IGNORED).upper()
    return code if len(code) == CODE_LENGTH and not set(code) - set(ALPHABET) else None
