"""What verdicts leave behind: the access log, devices, first uses, and resume grants in force."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.db import access_log, accounts, devices, resume
from app.db.engine import Connection
from app.domain.clock import believable
from app.domain.reports import Decided, Method
from app.domain.resume import login_behind

if TYPE_CHECKING:
    from datetime import datetime


def log_verdicts(connection: Connection, decided: Sequence[Decided]) -> frozenset[str]:
    """Write the access log, the devices seen, and first uses; return the accounts whose validity began.

    A node needs to know of no other first use; of a city's people everybody has one.
    """
    if not decided:
        return frozenset()
    access_log.add(connection, decided)
    accepted = [(v, v.account_id) for v in decided if v.accepted and v.account_id is not None]
    existing = accounts.existing(connection, {account_id for _, account_id in accepted})
    seen: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for verdict, account_id in accepted:
        if verdict.mac and account_id in existing:
            first, last = seen.get((account_id, verdict.mac), (verdict.at, verdict.at))
            seen[account_id, verdict.mac] = min(first, verdict.at), max(last, verdict.at)
    devices.note_many(connection, seen)
    uses: dict[str, datetime] = {}
    for at, account_id in sorted((v.at, account_id) for v, account_id in accepted if v.method is Method.PASSWORD):
        if believable(at):
            uses.setdefault(account_id, at)
    unused = accounts.unused(connection, uses) if uses else {}
    accounts.note_first_uses(connection, {account_id: uses[account_id] for account_id in unused})
    return frozenset(account_id for account_id, validity_begins in unused.items() if validity_begins)


def begin_grants(connection: Connection, decided: Sequence[Decided]) -> frozenset[str]:
    """Bring the resume grants into force whose login a router has carried out; return the MACs that logged in.

    A node remembers them from the Accept on. So it is told of all, also where a log-out has ended the grant meanwhile.
    """
    used: list[tuple[datetime, resume.Used]] = []
    for verdict in decided:
        if verdict.accepted and verdict.method is Method.TICKET and verdict.account_id is not None and verdict.mac:
            nonce = login_behind(verdict.user_name, verdict.acceptance_id)
            if nonce is not None:
                used.append((verdict.at, resume.Used(verdict.mac, verdict.account_id, nonce)))
    resume.begin(connection, [one for _, one in sorted(used)])
    return frozenset(one.mac for _, one in used)
