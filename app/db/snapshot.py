"""What a RADIUS node must know, in bulk: all of it at the start, what changed afterwards. Secrets stay sealed."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Row, Select, select

from app.db import top_ups
from app.db.chunks import chunks
from app.db.tables.accounts import accounts, credentials, resume_grants, users
from app.db.tables.journals import ingest_positions
from app.db.tables.sessions import sessions
from app.domain.resume import ResumeGrant
from app.domain.sessions import SessionState
from app.domain.top_ups import TopUp
from app.domain.users import AccountKind, Credential, CredentialKind


class AccountFacts(NamedTuple):
    """One account without its plan. `username` and `credential` are None for guests and vouchers."""

    id: str
    kind: AccountKind
    plan_id: str
    version: int
    suspended: bool
    valid_until: datetime | None
    first_used_at: datetime | None
    site_id: str | None
    username: str | None
    credential: Credential | None
    billing_day: int = 1
    extra_seconds: int = 0
    top_ups: tuple[TopUp, ...] = ()


class SessionFacts(NamedTuple):
    """One stored session, as far as a node needs it."""

    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str
    account_id: str
    acceptance_id: str | None
    started_at: datetime
    up_octets: int
    down_octets: int
    last_report_at: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """How far one journal has been merged."""

    node: str
    worker: int
    segment: int
    segment_id: str
    offset: int


def read_accounts(connection: Connection, ids: Collection[str] | None = None) -> Iterator[AccountFacts]:
    """Yield accounts that are not removed, all or those of some ids; an id that is not there yields nothing."""
    query = (
        select(
            accounts.c.id,
            accounts.c.kind,
            accounts.c.plan_id,
            accounts.c.version,
            accounts.c.suspended,
            accounts.c.valid_until,
            accounts.c.first_used_at,
            accounts.c.site_id,
            accounts.c.billing_day,
            accounts.c.extra_seconds,
            users.c.username,
            credentials.c.kind.label("credential_kind"),
            credentials.c.secret,
        )
        .outerjoin_from(accounts, users, users.c.account_id == accounts.c.id)
        .outerjoin(credentials, credentials.c.account_id == accounts.c.id)
        .where(accounts.c.removed_at.is_(None))
    )
    extra = top_ups.read(connection, ids)
    for id_, kind, plan, version, suspended, valid, used, site, billing, longer, username, how, secret in _rows(
        connection, query, accounts.c.id, ids
    ):
        credential = None if secret is None else Credential(_CREDENTIALS[how], secret)
        yield AccountFacts(
            id_,
            _KINDS[kind],
            plan,
            version,
            suspended,
            valid,
            used,
            site,
            username,
            credential,
            billing,
            longer,
            extra.get(id_, ()),
        )


def read_resume_grants(
    connection: Connection, macs: Collection[str] | None = None, *, now: datetime
) -> dict[str, tuple[ResumeGrant, ...]]:
    """Return the resume grants that are in force and still last at `now`, by MAC."""
    query = select(
        resume_grants.c.mac, resume_grants.c.account_id, resume_grants.c.site_id, resume_grants.c.expires_at
    ).where(resume_grants.c.expires_at > now, resume_grants.c.awaits.is_(None))
    found: dict[str, tuple[ResumeGrant, ...]] = {}
    for row in _rows(connection, query, resume_grants.c.mac, macs):
        grant = ResumeGrant(row.mac, row.account_id, row.site_id, row.expires_at)
        found[row.mac] = (*found.get(row.mac, ()), grant)
    return found


def read_sessions(connection: Connection, ids: Collection[str] | None = None) -> Iterator[SessionFacts]:
    """Yield the sessions of accounts: those that are open, or those of some ids whatever their state."""
    query = select(
        sessions.c.nas_id,
        sessions.c.nas_scope,
        sessions.c.acct_session_id,
        sessions.c.mac,
        sessions.c.user_name,
        sessions.c.account_id,
        sessions.c.acceptance_id,
        sessions.c.started_at,
        sessions.c.up_octets,
        sessions.c.down_octets,
        sessions.c.last_report_at,
        sessions.c.state,
    ).where(sessions.c.account_id.is_not(None))
    if ids is None:
        query = query.where(sessions.c.state == SessionState.OPEN.value)
    for row in _rows(connection, query, sessions.c.id, ids):
        yield SessionFacts(
            row.nas_id,
            row.nas_scope,
            row.acct_session_id,
            row.mac,
            row.user_name,
            row.account_id,
            row.acceptance_id,
            row.started_at,
            row.up_octets,
            row.down_octets,
            row.last_report_at,
            row.state == SessionState.OPEN.value,
        )


def read_positions(connection: Connection) -> list[PositionFacts]:
    """Return how far every journal has been merged."""
    return [
        PositionFacts(row.node, row.worker, row.segment, row.segment_id, row.offset)
        for row in connection.execute(select(ingest_positions))
    ]


_KINDS: Final = {kind.value: kind for kind in AccountKind}
_CREDENTIALS: Final = {kind.value: kind for kind in CredentialKind}


def _rows(
    connection: Connection, query: Select[Any], column: Column[Any], keys: Collection[str] | None
) -> Iterable[Row[*tuple[Any, ...]]]:
    """Yield the rows of a query, all or those whose `column` is one of `keys`, a part at a time."""
    if keys is None:
        yield from connection.execute(query.execution_options(yield_per=2000))
        return
    for some in chunks(keys):
        yield from connection.execute(query.where(column.in_(some)))
