"""Sessions in the database: found by what reports may belong to, written in bulk."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, or_, select, text, update

from app.db.bulk import moment_text, write_rows
from app.db.keyed import MOMENT, among, equal, key_rows, key_value
from app.db.readings import compact_json, from_us, reading_values, to_reading, to_us
from app.db.tables.accounts import accounts, users
from app.db.tables.changes import changes
from app.db.tables.nases import nases
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions
from app.db.tables.sites import sites
from app.domain.addresses import Address, AddressKind
from app.domain.counters import Counting, Excess, Oddity
from app.domain.ends import Stop
from app.domain.joining import UNDATED_TOLERANCE
from app.domain.marks import DayMarks, Mark
from app.domain.moves import Moves
from app.domain.nases import SiteOfNas
from app.domain.reports import NasRestart, SessionReport
from app.domain.sessions import Proof, Session, SessionState

_COLUMNS: Final = tuple(column.name for column in sessions.columns)
_KEPT: Final = {"id", "nas_id", "nas_scope", "acct_session_id", "mac", "user_name"}
_THEN: Final = "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c not in _KEPT)
_NO_ADDRESSES: Final = (None,) * len(AddressKind)
_SELECTED: Final = ", ".join(f"s.{column}" for column in _COLUMNS)


# ---- finding


def of_reports(connection: Connection, reports: Iterable[SessionReport]) -> list[Session]:
    """Return every stored session that one of the reports may belong to, and some others of their ids."""
    keys: set[tuple[str, str, str]] = set()
    moments: list[datetime] = []
    for report in reports:
        keys.add((report.nas_scope, report.acct_session_id, report.mac))
        moments += (report.event_at, report.starts_at or report.event_at)
    if not keys:
        return []
    near = "s.last_report_at >= :earliest AND s.started_at <= :latest"
    return _matching(
        connection,
        sorted(keys),
        equal(connection, ("s.nas_scope", "s.acct_session_id", "s.mac")) + f" AND {near}",
        earliest=min(moments) - UNDATED_TOLERANCE,
        latest=max(moments) + UNDATED_TOLERANCE,
    )


def unmatched(connection: Connection, started: Iterable[tuple[str, datetime, datetime]]) -> list[Session]:
    """Return sessions without an account of a MAC that started between two moments."""
    keys = [(mac, moment_text(low), moment_text(high)) for mac, low, high in started]
    if not keys:
        return []
    low, high = key_value(connection, 1, MOMENT), key_value(connection, 2, MOMENT)
    return _matching(
        connection,
        keys,
        equal(connection, ("s.mac",)) + f" AND s.started_at BETWEEN {low} AND {high} AND s.account_id IS NULL",
    )


def _matching(
    connection: Connection, keys: Sequence[Sequence[str]], condition: str, **moments: datetime
) -> list[Session]:
    values = {"keys": json.dumps(keys)} | {name: _bound(connection, at) for name, at in moments.items()}
    # CROSS JOIN keeps SQLite from turning the order round: the keys first, then the index.
    query = f"SELECT {_SELECTED} FROM {key_rows(connection)} CROSS JOIN sessions AS s WHERE {condition}"  # noqa: S608 names of ours
    rows = connection.execute(text(query).columns(*sessions.columns), values)
    return [_session(row) for row in rows]


def _bound(connection: Connection, at: datetime) -> datetime | str:
    return moment_text(at) if connection.dialect.name == "sqlite" else at


def that_may_end(connection: Connection, restart: NasRestart, *, newest: bool, since: datetime | None) -> list[Session]:
    """Return the sessions that a restart may have ended.

    Where it is the `newest` of its NAS and scope those are open; otherwise a later one may have ended them already.
    `since` is the restart before it, which has ended what was not heard of after it.
    """
    query = select(sessions).where(
        sessions.c.nas_scope == restart.nas_scope,
        sessions.c.nas_id == restart.nas_id,
        sessions.c.last_report_at <= restart.at,
    )
    if newest:
        query = query.where(sessions.c.state == SessionState.OPEN.value)
    else:
        query = query.where(sessions.c.stop_reported.is_not(True))
    if since is not None:
        query = query.where(sessions.c.last_report_at >= since)
    return [_session(row) for row in connection.execute(query)]


def open_of_accounts(connection: Connection, account_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return (session id, account id) of the open sessions of accounts."""
    query = select(sessions.c.id, sessions.c.account_id).where(
        among(connection, sessions.c.account_id, account_ids), sessions.c.state == SessionState.OPEN.value
    )
    return [(session_id, account_id) for session_id, account_id in connection.execute(query) if account_id]


def open_places(connection: Connection, account_ids: Iterable[str]) -> dict[tuple[str, str | None], list[str]]:
    """Return the ids of the open sessions of accounts by (account id, site id)."""
    query = select(sessions.c.id, sessions.c.account_id, sessions.c.site_id).where(
        among(connection, sessions.c.account_id, account_ids), sessions.c.state == SessionState.OPEN.value
    )
    found: dict[tuple[str, str | None], list[str]] = {}
    for row in connection.execute(query):
        found.setdefault((row.account_id, row.site_id), []).append(row.id)
    return found


def accounts_at(connection: Connection, site_id: str, plan_id: str = "") -> list[str]:
    """Return the accounts that have an open session at a site; with a plan, those of that plan."""
    query = (
        select(sessions.c.account_id)
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.state == SessionState.OPEN.value, sessions.c.site_id == site_id)
    )
    if plan_id:
        query = query.where(accounts.c.plan_id == plan_id)
    return [account_id for account_id in connection.scalars(query.distinct()) if account_id is not None]


def people_at(connection: Connection, site_id: str) -> list[tuple[str, str, str | None]]:
    """Return (account id, plan id, username or None for a guest) of those with an open session at a site."""
    query = (
        select(accounts.c.id, accounts.c.plan_id, users.c.username)
        .join(sessions, sessions.c.account_id == accounts.c.id)
        .outerjoin(users, users.c.account_id == accounts.c.id)
        .where(sessions.c.state == SessionState.OPEN.value, sessions.c.site_id == site_id)
        .order_by(users.c.username, accounts.c.id)
    )
    return [(account_id, plan_id, username) for account_id, plan_id, username in connection.execute(query.distinct())]


def open_of_plan(connection: Connection, plan_id: str) -> list[str]:
    """Return the ids of the open sessions of accounts with a plan."""
    query = (
        select(sessions.c.id)
        .join_from(sessions, accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.state == SessionState.OPEN.value, accounts.c.plan_id == plan_id)
    )
    return list(connection.scalars(query))


def that_may_expire(connection: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Return (session id, account id) of open sessions whose account has passed its date, or has a running validity."""
    query = (
        select(sessions.c.id, sessions.c.account_id)
        .join_from(sessions, accounts, accounts.c.id == sessions.c.account_id)
        .join(plans, plans.c.id == accounts.c.plan_id)
        .where(sessions.c.state == SessionState.OPEN.value)
        .where(
            (accounts.c.valid_until <= now)
            | (plans.c.validity_seconds.is_not(None) & accounts.c.first_used_at.is_not(None))
        )
    )
    return [(session_id, account_id) for session_id, account_id in connection.execute(query)]


def devices_of_accounts(connection: Connection, account_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return (account id, MAC) of the open sessions of accounts."""
    query = select(sessions.c.account_id, sessions.c.mac).where(
        among(connection, sessions.c.account_id, account_ids), sessions.c.state == SessionState.OPEN.value
    )
    return [(account_id, mac) for account_id, mac in connection.execute(query) if account_id]


def accounts_of_plan(
    connection: Connection, plan_id: str, *, site_id: str | None = None, not_at: Collection[str] = ()
) -> list[str]:
    """Return the accounts of a plan that have an open session: anywhere, at one site, or anywhere but at some."""
    query = (
        select(sessions.c.account_id)
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.state == SessionState.OPEN.value, accounts.c.plan_id == plan_id)
    )
    if site_id is not None:
        query = query.where(sessions.c.site_id == site_id)
    if not_at:
        query = query.where(or_(sessions.c.site_id.is_(None), sessions.c.site_id.not_in(list(not_at))))
    return [account_id for account_id in connection.scalars(query.distinct()) if account_id is not None]


def sites_of_accounts(connection: Connection, plan_id: str) -> dict[str, set[str | None]]:
    """Return where the accounts of a plan have open sessions: site ids by account id."""
    query = (
        select(sessions.c.account_id, sessions.c.site_id)
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.state == SessionState.OPEN.value, accounts.c.plan_id == plan_id)
    )
    found: dict[str, set[str | None]] = {}
    for account_id, site_id in connection.execute(query.distinct()):
        found.setdefault(account_id, set()).add(site_id)
    return found


def accounts_online(connection: Connection) -> list[str]:
    """Return the accounts that have an open session."""
    query = select(sessions.c.account_id).where(sessions.c.state == SessionState.OPEN.value)
    return [account_id for account_id in connection.scalars(query.distinct()) if account_id is not None]


def open_of_devices(connection: Connection, devices: Iterable[tuple[str, str]]) -> list[str]:
    """Return the ids of the open sessions of (account id, MAC) pairs; a MAC "" stands for every device."""
    asked = set(devices)
    query = select(sessions.c.id, sessions.c.account_id, sessions.c.mac).where(
        among(connection, sessions.c.account_id, {account_id for account_id, _ in asked}),
        sessions.c.state == SessionState.OPEN.value,
    )
    return [row.id for row in connection.execute(query) if asked & {(row.account_id, row.mac), (row.account_id, "")}]


def of_accounts_between(
    connection: Connection, account_ids: Iterable[str], since: datetime, until: datetime
) -> list[Session]:
    """Return the sessions of accounts that lay, or may have lain, between two moments."""
    query = select(sessions).where(
        among(connection, sessions.c.account_id, account_ids),
        sessions.c.started_at < until,
        sessions.c.last_report_at >= since,
    )
    return [_session(row) for row in connection.execute(query)]


def by_ids(connection: Connection, session_ids: Iterable[str]) -> list[Session]:
    """Return sessions by id."""
    query = select(sessions).where(among(connection, sessions.c.id, session_ids))
    return [_session(row) for row in connection.execute(query)]


def sites_of(connection: Connection, nas_ids: Iterable[str]) -> dict[str, SiteOfNas]:
    """Return the site of each NAS; one that is not there any more is left out."""
    query = (
        select(nases.c.id, sites.c.id, sites.c.capacity_bps)
        .join_from(nases, sites, sites.c.id == nases.c.site_id)
        .where(nases.c.id.in_(sorted(nas_ids)))
    )
    return {nas_id: SiteOfNas(site_id, capacity_bps) for nas_id, site_id, capacity_bps in connection.execute(query)}


# ---- writing


def write(connection: Connection, changed: Sequence[Session]) -> None:
    """Store new and changed sessions."""
    write_rows(connection, sessions, _COLUMNS, [_row(session) for session in changed], _THEN)


def remove(connection: Connection, absorbed: Sequence[tuple[str, str]]) -> None:
    """Remove sessions that turned out to be parts of others; what they were to be told goes to those."""
    for session_id, survivor in absorbed:
        connection.execute(update(changes).where(changes.c.session_id == session_id).values(session_id=survivor))
        connection.execute(delete(sessions).where(sessions.c.id == session_id))


def _row(session: Session) -> tuple[str | int | bool | datetime | None, ...]:
    stop, proof = session.stop, session.proof
    return (
        session.id,
        session.nas_id,
        session.nas_scope,
        session.acct_session_id,
        session.mac,
        session.started_at,
        session.user_name,
        None if proof is None else proof.account_id,
        None if proof is None else proof.acceptance_id or None,
        session.site_id,
        session.ip,
        *_address_values(session),
        session.last_report_at,
        session.up_octets,
        session.down_octets,
        session.session_seconds,
        _state_text(session),
        "open" if stop is None else "closed",
        None if stop is None else stop.reported,
        None if stop is None else stop.at,
        None if stop is None else stop.cause,
        ",".join(sorted(session.flags)),
    )


def _address_values(session: Session) -> tuple[str | None, ...]:
    if not session.addresses:
        return _NO_ADDRESSES
    values = {address.kind: address.value for address in session.addresses}
    return tuple(values.get(kind) for kind in AddressKind)


def _state_text(session: Session) -> str:
    """Write what the columns do not say; moments are microseconds since 1970."""
    state: dict[str, object] = {
        "days": [
            [
                marks.day.toordinal(),
                to_us(marks.first.at),
                *marks.first[1:],
                to_us(marks.last.at),
                *marks.last[1:],
                *([marks.begins] if marks.begins else []),
            ]
            for marks in session.marks
        ]
    }
    if session.proof is not None:
        state["proof"] = to_us(session.proof.at)
    if session.ip_at is not None:
        state["ip"] = to_us(session.ip_at)
    if session.addresses:
        state["v6"] = {address.kind: to_us(address.at) for address in session.addresses}
    if session.undated is not None:
        state["undated"] = [to_us(at) for at in session.undated]
    if session.stop is not None:
        state["stop"] = [to_us(session.stop.known_at), session.stop.estimated]
    if session.orphaned:
        state["orphaned"] = True
    if session.counting is not None:
        head, oddities, excess = session.counting
        state["head"] = None if head is None else reading_values(head)
        if oddities:
            state["odd"] = oddities
        if any(excess):
            state["excess"] = excess
    if session.link_bps is not None:
        state["bps"] = session.link_bps
    if session.moves is not None:
        state["moves"] = [to_us(session.moves.up_at), to_us(session.moves.down_at), session.moves.counted]
    return compact_json(state)


def _moves(state: Mapping[str, Any]) -> Moves | None:
    if "moves" not in state:
        return None
    up_at, down_at, counted = state["moves"]
    return Moves(from_us(up_at), from_us(down_at), counted)


def _counting(state: Mapping[str, Any]) -> Counting | None:
    """Read where counting stands; None for sessions from before readings were kept."""
    if "head" not in state:
        return None
    head = state["head"]
    oddities = tuple(Oddity(word) for word in state.get("odd", ()))
    return Counting(None if head is None else to_reading(head), oddities, Excess(*state.get("excess", (0, 0))))


def _session(row: Row[Any]) -> Session:
    state = json.loads(row.marks)
    return Session(
        nas_id=row.nas_id,
        nas_scope=row.nas_scope,
        acct_session_id=row.acct_session_id,
        mac=row.mac,
        user_name=row.user_name,
        started_at=row.started_at,
        last_report_at=row.last_report_at,
        up_octets=row.up_octets,
        down_octets=row.down_octets,
        session_seconds=row.session_seconds,
        marks=tuple(
            DayMarks(
                date.fromordinal(day), Mark(from_us(first), up, down), Mark(from_us(last), last_up, last_down), *begins
            )
            for day, first, up, down, last, last_up, last_down, *begins in state["days"]
        ),
        id=row.id,
        proof=None
        if row.account_id is None
        else Proof(from_us(state["proof"]), row.acceptance_id or "", row.account_id),
        site_id=row.site_id,
        ip=row.ip,
        ip_at=from_us(state["ip"]) if "ip" in state else None,
        undated=(from_us(state["undated"][0]), from_us(state["undated"][1])) if "undated" in state else None,
        stop=None if row.stopped_at is None else _stop(row, *state["stop"]),
        orphaned=state.get("orphaned", False),
        counting=_counting(state),
        link_bps=state.get("bps"),
        addresses=tuple(
            Address(AddressKind(kind), from_us(at), getattr(row, kind)) for kind, at in state.get("v6", {}).items()
        ),
        moves=_moves(state),
    )


def _stop(row: Row[Any], known_at: int, estimated: bool) -> Stop:
    return Stop(row.stop_reported, row.stopped_at, row.stop_cause, from_us(known_at), estimated)
