"""Accounts: what quota belongs to. A user is a person's account; a guest is a device without one; a voucher opens one.

`Account.id` is random lower-case base32 and the only name a router ever sees (it travels in clear): never a login,
a phone number, a MAC or a code.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from app.domain.clock import believable
from app.domain.policies import Policy
from app.domain.top_ups import TopUp


class AccountKind(StrEnum):
    """Who is behind an account."""

    USER = "user"
    GUEST = "guest"
    VOUCHER = "voucher"


class Account(NamedTuple):
    """One account with its effective policy.

    `version` grows with every change that a node must know before it may decide. `valid_until` is absolute;
    `first_used_at` starts the plan's own validity. `billing_day`, 1 to 31, begins the billing period.
    `extra_seconds` were added to the plan's validity; `top_ups` are octets beyond the quotas.
    """

    id: str
    kind: AccountKind
    policy: Policy
    version: int = 1
    suspended: bool = False
    removed: bool = False
    valid_until: datetime | None = None
    first_used_at: datetime | None = None
    site_id: str | None = None
    billing_day: int = 1
    extra_seconds: int = 0
    top_ups: tuple[TopUp, ...] = ()

    def ends_at(self, now: datetime) -> datetime | None:
        """Return when the account ends: its own date or the plan's validity since (or, unused, from) its first use."""
        seconds = self.policy.plan.validity_seconds
        if seconds is None:
            return self.valid_until
        ends = [] if self.valid_until is None else [self.valid_until]
        began = self.first_used_at
        if began is None or not believable(began):  # no time has passed since 1970
            began = now
        ends.append(began + timedelta(seconds=seconds + self.extra_seconds))
        return min(ends)


class CredentialKind(StrEnum):
    """How a person's password is kept."""

    HASHED = "hashed"  # argon2id: cannot be turned back
    ENCRYPTED = "encrypted"  # opt-in, for CHAP and for large imports: opens with the secret key


class Credential(NamedTuple):
    """A person's password as it is kept: an argon2id hash, or the password sealed."""

    kind: CredentialKind
    secret: bytes


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account; `username` is canonical, `phone` E.164."""

    account: Account
    username: str
    name: str = ""
    phone: str | None = None


class Suspension(NamedTuple):
    """Who suspended an account, or let it in again, and when."""

    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A MAC address that was seen with an account."""

    mac: str
    first_seen_at: datetime
    last_seen_at: datetime
