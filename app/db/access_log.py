"""The access log: every verdict, and the Accept behind accounting that names none."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, distinct, exists, func, select, text

from app.db.bulk import moment_text, write_rows
from app.db.chunks import chunks
from app.db.keyed import MOMENT, equal, key_rows, key_value
from app.db.tables.journals import access_log
from app.db.tables.nases import nases
from app.db.tables.sessions import sessions
from app.domain.reports import Decided, Method, storable

_COLUMNS = (
    "at",
    "nas_id",
    "mac",
    "account_id",
    "user_name",
    "method",
    "outcome",
    "reason",
    "acceptance_id",
    "limits",
)


class Accepted(NamedTuple):
    """One Accept of ours."""

    at: datetime
    nas_id: str
    mac: str
    user_name: str
    account_id: str
    acceptance_id: str


class Refused(NamedTuple):
    """One refusal: at which NAS (None if it was removed), of which device, and why: a DenialReason's word."""

    at: datetime
    nas: str | None
    mac: str
    reason: str


class Unaccounted(NamedTuple):
    """How many Accepts a NAS has got, and of how many nothing was accounted."""

    nas_id: str
    accepts: int
    missing: int


def add(connection: Connection, verdicts: Sequence[Decided]) -> None:
    """Append verdicts, in order."""
    rows = [
        (
            verdict.at,
            verdict.nas_id,
            verdict.mac,
            verdict.account_id,
            storable(verdict.user_name)[:253],
            verdict.method.value,
            "accept" if verdict.accepted else "reject",
            verdict.reason[:30],
            verdict.acceptance_id,
            verdict.limits,
        )
        for verdict in verdicts
    ]
    write_rows(connection, access_log, _COLUMNS, rows, "")


def accepts(connection: Connection, asked: Iterable[tuple[str, datetime, datetime]]) -> list[Accepted]:
    """Return the Accepts of a MAC between two moments."""
    keys = [(mac, moment_text(low), moment_text(high)) for mac, low, high in asked]
    if not keys:
        return []
    low, high = key_value(connection, 1, MOMENT), key_value(connection, 2, MOMENT)
    query = (
        "SELECT s.at, s.nas_id, s.mac, s.user_name, s.account_id, s.acceptance_id "  # noqa: S608 names of ours
        f"FROM {key_rows(connection)} CROSS JOIN access_log AS s "
        f"WHERE {equal(connection, ('s.mac',))} AND s.at BETWEEN {low} AND {high} "
        "AND s.outcome = 'accept' AND s.account_id IS NOT NULL"
    )
    columns = [access_log.c[name] for name in ("at", "nas_id", "mac", "user_name", "account_id", "acceptance_id")]
    rows = connection.execute(text(query).columns(*columns), {"keys": json.dumps(keys)})
    return [
        Accepted(row.at, row.nas_id, row.mac, row.user_name, row.account_id, row.acceptance_id or "") for row in rows
    ]


def unaccounted(connection: Connection, *, since: datetime, until: datetime) -> list[Unaccounted]:
    """Return for each NAS with RADIUS Accepts between two moments how many there were, and of how many nothing came.

    Something came if there is a session of that Accept, or news of a session of its device at the same NAS.
    """
    of_accept = (sessions.c.account_id == access_log.c.account_id) & (
        sessions.c.acceptance_id == access_log.c.acceptance_id
    )
    of_device = (
        (access_log.c.mac != "")
        & (sessions.c.mac == access_log.c.mac)
        & (sessions.c.nas_id == access_log.c.nas_id)
        & (sessions.c.last_report_at >= access_log.c.at)
    )
    nothing = ~exists().where(of_accept) & ~exists().where(of_device)
    query = (
        select(
            access_log.c.nas_id,
            func.count(distinct(access_log.c.acceptance_id)),
            func.count(distinct(case((nothing, access_log.c.acceptance_id)))),
        )
        .where(
            access_log.c.at >= since,
            access_log.c.at < until,
            access_log.c.outcome == "accept",
            access_log.c.method != Method.PORTAL.value,
        )
        .group_by(access_log.c.nas_id)
    )
    return [Unaccounted(nas_id, accepts, missing) for nas_id, accepts, missing in connection.execute(query)]


def first_granted(connection: Connection, acceptance_ids: Iterable[str]) -> dict[str, str]:
    """Return as JSON what routers were told when they first got each Accept; what is not known any more is left out."""
    query = (
        select(access_log.c.acceptance_id, access_log.c.limits)
        .where(access_log.c.method != Method.PORTAL.value)
        .order_by(access_log.c.at.desc(), access_log.c.id.desc())
    )
    found: dict[str, str] = {}
    for some in chunks(acceptance_ids):
        rows = connection.execute(query.where(access_log.c.acceptance_id.in_(some)))
        found |= {row.acceptance_id: row.limits for row in rows}  # the first one stays
    return found


def refusals(connection: Connection, account_id: str, *, since: datetime, limit: int) -> list[Refused]:
    """Return the last refusals of an account, the newest first."""
    query = (
        select(access_log.c.at, nases.c.name, access_log.c.mac, access_log.c.reason)
        .join(nases, nases.c.id == access_log.c.nas_id, isouter=True)
        .where(access_log.c.account_id == account_id, access_log.c.at >= since, access_log.c.outcome == "reject")
        .order_by(access_log.c.at.desc(), access_log.c.id.desc())
        .limit(limit)
    )
    return [Refused(row.at, row.name, row.mac, row.reason) for row in connection.execute(query)]
