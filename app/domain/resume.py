"""Resume grants: a known MAC comes back without a page, for a time, at some sites, with one account."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.local_time import day_begins_at, local_day
from app.domain.tickets import nonce_beside, read_name

CONSENTED_DAYS: Final = 30
KEPT_AFTER_END: Final = timedelta(days=1)
"""How long a grant that has ended is remembered, though it opens nothing: a clock that was set forward is set back."""

LOG_OUT_CAUSE: Final = "User-Request"
"""The Acct-Terminate-Cause of a person who logs out; all others (carrier, idle, time, quota, reboot) may come back."""


class ResumeGrant(NamedTuple):
    """MAC, account, site (None: every site), end. The MAC alone never opens anything that no grant covers."""

    mac: str
    account_id: str
    site_id: str | None
    expires_at: datetime

    def covers(self, site_id: str, now: datetime) -> bool:
        """Tell whether the grant opens its account at a site now."""
        return now < self.expires_at and self.site_id in (None, site_id)


def grant_ends_at(now: datetime, zone: ZoneInfo, *, consented: bool) -> datetime:
    """Return the end of the local day, or of the thirtieth day after it where the person agreed to be remembered."""
    return day_begins_at(local_day(now, zone) + timedelta(days=1 + CONSENTED_DAYS * consented), zone)


def login_behind(user_name: str, acceptance_id: str | None) -> str | None:
    """Return the nonce of the login whose ticket an Accept was given for; a router without RADIUS names no ticket."""
    ticket = read_name(user_name)
    if ticket is not None:
        return ticket.nonce
    return None if acceptance_id is None else nonce_beside(acceptance_id)


def grant_for(grants: Iterable[ResumeGrant], site_id: str, now: datetime) -> ResumeGrant | None:
    """Return the grant that opens an account at a site now: the one that lasts longest."""
    fitting = [grant for grant in grants if grant.covers(site_id, now)]
    return max(fitting, key=lambda grant: grant.expires_at, default=None)
