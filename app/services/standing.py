"""How a person stands: what is used of each quota, how many devices are online, and why they were turned away."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import access_log, accounts, devices, online, top_ups
from app.db.access_log import Refused
from app.db.engine import Database
from app.db.top_ups import Entry
from app.domain.access import Held, held_by
from app.domain.local_time import local_day, period_ends_at
from app.domain.policies import EffectiveQuota
from app.domain.users import Device, Suspension, User
from app.services.usage import usages_of
from app.services.users import stored_user

__all__ = ["QuotaStanding", "Refused", "Standing", "standing_of"]

_REFUSALS: Final = 5
_REFUSALS_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class QuotaStanding:
    """One quota and what is used of it, in octets or seconds; it is renewed at `renewed_at` (None: never)."""

    effective: EffectiveQuota
    used: int
    renewed_at: datetime | None

    @property
    def used_up(self) -> bool:
        """Tell whether nothing is left."""
        return self.effective.quota.left(self.used) == 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One person: quotas, every device that was seen, those online now, and the last refusals, the newest first.

    `held` is what quotas that are used up do to somebody who stays online; `suspension` says who suspended them, or let
    them in again.
    """

    user: User
    suspension: Suspension | None
    quotas: tuple[QuotaStanding, ...]
    held: Held | None
    top_ups: tuple[Entry, ...]
    devices: tuple[Device, ...]
    online_macs: frozenset[str]
    refusals: tuple[Refused, ...]


def standing_of(database: Database, username: str, *, now: datetime, zone: ZoneInfo) -> Standing:
    """Return how a user stands; raise NotFound."""
    today = local_day(now, zone)
    with database.read() as connection:
        user = stored_user(connection, username, now)
        account = user.account
        account_id = account.id
        used = usages_of(connection, [account], today)[account_id]
        return Standing(
            user,
            accounts.suspension_of(connection, account_id),
            tuple(
                QuotaStanding(
                    each,
                    used.used(each.quota.tally),
                    period_ends_at(each.quota.period, now, zone, account.billing_day),
                )
                for each in account.policy.quotas
            ),
            held_by(account, used, now=now, zone=zone),
            tuple(top_ups.of_account(connection, account_id)),
            tuple(devices.of_account(connection, account_id)),
            frozenset(online.devices_of(connection, account_id)),
            tuple(access_log.refusals(connection, account_id, since=now - _REFUSALS_FOR, limit=_REFUSALS)),
        )
