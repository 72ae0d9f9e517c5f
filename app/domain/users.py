"""Accounts: what quota belongs to. A user is a person's account; a guest is a device without one; a voucher opens one.

`Account.id` is random lower-case base32 and the only name a router ever sees (it travels in clear): never a login,
a phone number, a MAC or a code.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.plans import Policy


class AccountKind(StrEnum):
    """Who is behind an account."""

    USER = "user"
    GUEST = "guest"
    VOUCHER = "voucher"


@dataclass(frozen=True, slots=True)
class Account:
    """One account with its effective policy.

    `version` grows with every change that a node must know before it may decide. `valid_until` is absolute;
    `first_used_at` starts the plan's own validity.
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

    def ends_at(self, now: datetime) -> datetime | None:
        """Return when the account ends: its own date or the plan's validity since (or, unused, from) its first use."""
        seconds = self.policy.plan.validity_seconds
        ends = [] if self.valid_until is None else [self.valid_until]
        if seconds is not None:
            ends.append((self.first_used_at or now) + timedelta(seconds=seconds))
        return min(ends, default=None)
