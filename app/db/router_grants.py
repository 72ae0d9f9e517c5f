"""Rows of `router_grants`: what a router that speaks no RADIUS is told about a phone when it asks (openNDS)."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.db.tables.nases import router_grants
from app.domain.access import Grant
from app.domain.service_classes import ServiceClass


class GrantState(StrEnum):
    """Waiting for the router to ask; delivered, when it has let the phone in; gone, when nobody came for it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RouterGrant:
    """One grant. `token` is the name under which the router asks; `gateway` tells routers of one NAS apart.

    `proven`: the router itself named the MAC, in a redirect that only it can have encrypted.
    """

    id: str
    nas_id: str
    token: str
    mac: str
    ip: str | None
    gateway: str
    account_id: str
    acceptance_id: str
    grant: Grant
    state: GrantState
    created_at: datetime
    delivered_at: datetime | None = None
    proven: bool = False


def put(connection: Connection, grant: RouterGrant) -> None:
    """Store a grant; one with the same token is replaced, since a second tap is the same phone at the same door."""
    connection.execute(delete(router_grants).where(router_grants.c.token == grant.token))
    limits = {"grant": grant.grant._asdict(), "ip": grant.ip, "gateway": grant.gateway, "proven": grant.proven}
    connection.execute(
        insert(router_grants).values(
            id=grant.id,
            nas_id=grant.nas_id,
            token=grant.token,
            mac=grant.mac,
            account_id=grant.account_id,
            acceptance_id=grant.acceptance_id,
            limits=json.dumps(limits),
            state=grant.state.value,
            created_at=grant.created_at,
            delivered_at=grant.delivered_at,
        )
    )


def waiting(connection: Connection, nas_id: str, *, since: datetime) -> Sequence[RouterGrant]:
    """Return the grants of a NAS that wait and are not older than `since`, the oldest first."""
    query = (
        select(router_grants)
        .where(router_grants.c.nas_id == nas_id, router_grants.c.state == GrantState.WAITING.value)
        .where(router_grants.c.created_at >= since)
        .order_by(router_grants.c.created_at, router_grants.c.id)
    )
    return [_read(row) for row in connection.execute(query)]


def find(connection: Connection, nas_id: str, token: str) -> RouterGrant | None:
    """Return the grant with a token."""
    query = select(router_grants).where(router_grants.c.nas_id == nas_id, router_grants.c.token == token)
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def last_delivered(connection: Connection, nas_id: str, mac: str, *, since: datetime) -> RouterGrant | None:
    """Return the newest delivered grant of a device at a NAS that was delivered after `since`."""
    query = (
        select(router_grants)
        .where(router_grants.c.nas_id == nas_id, router_grants.c.mac == mac)
        .where(router_grants.c.state == GrantState.DELIVERED.value, router_grants.c.delivered_at >= since)
        .order_by(router_grants.c.delivered_at.desc(), router_grants.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def deliver(connection: Connection, grant: RouterGrant, *, now: datetime) -> bool:
    """Move a grant from waiting to delivered; False if it was no longer waiting."""
    result = connection.execute(
        update(router_grants)
        .where(router_grants.c.id == grant.id, router_grants.c.state == GrantState.WAITING.value)
        .values(state=GrantState.DELIVERED.value, delivered_at=now)
    )
    return result.rowcount == 1


def abandon(connection: Connection, ids: Collection[str]) -> int:
    """Move waiting grants to gone; return how many there were."""
    result = connection.execute(
        update(router_grants)
        .where(router_grants.c.id.in_(list(ids)), router_grants.c.state == GrantState.WAITING.value)
        .values(state=GrantState.GONE.value)
    )
    return result.rowcount


def _read(row: Row[tuple[object, ...]]) -> RouterGrant:
    columns = row._mapping  # noqa: SLF001 SQLAlchemy's public name for it
    limits = json.loads(columns["limits"])
    return RouterGrant(
        id=columns["id"],
        nas_id=columns["nas_id"],
        token=columns["token"],
        mac=columns["mac"],
        ip=limits["ip"],
        gateway=limits["gateway"],
        account_id=columns["account_id"],
        acceptance_id=columns["acceptance_id"],
        grant=_grant(limits["grant"]),
        state=GrantState(columns["state"]),
        created_at=columns["created_at"],
        delivered_at=columns["delivered_at"],
        proven=limits.get("proven", False),
    )


def _grant(limits: dict[str, Any]) -> Grant:
    service_class = ServiceClass(limits.get("service_class", ServiceClass.RESIDENT))
    return Grant(**limits | {"service_class": service_class})
