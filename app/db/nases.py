"""NASes in the database; their secrets leave it sealed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.db.chunks import chunks
from app.db.tables.journals import access_log
from app.db.tables.nases import nas_hints, nases, router_grants
from app.db.tables.sessions import sessions
from app.domain.nases import Demand, Direction, Family, Nas


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """A NAS's secrets as they are stored."""

    radius: bytes
    portal: bytes
    mac: bytes
    old_radius: bytes | None
    old_radius_until: datetime | None


def read_all(connection: Connection, *, site_id: str | None = None) -> list[Nas]:
    """Return the NASes by name, of all sites or of one."""
    query = select(nases).order_by(nases.c.name)
    if site_id is not None:
        query = query.where(nases.c.site_id == site_id)
    return [_nas(row) for row in connection.execute(query)]


def silent(connection: Connection) -> list[str]:
    """Return the names of NASes from which no verdict and no session has ever come. It reads both tables whole."""
    heard = select(access_log.c.nas_id).union(select(sessions.c.nas_id))
    return list(connection.scalars(select(nases.c.name).where(nases.c.id.not_in(heard)).order_by(nases.c.name)))


def by_name(connection: Connection, name: str) -> Nas | None:
    """Return one NAS; None if there is none of that name."""
    row = connection.execute(select(nases).where(nases.c.name == name)).one_or_none()
    return None if row is None else _nas(row)


def by_id(connection: Connection, nas_id: str) -> Nas | None:
    """Return one NAS; None if there is none of that id."""
    row = connection.execute(select(nases).where(nases.c.id == nas_id)).one_or_none()
    return None if row is None else _nas(row)


def of_families(connection: Connection, nas_ids: Collection[str], families: Collection[Family]) -> list[Nas]:
    """Return those of some NASes that are of some families."""
    wanted = sorted(family.value for family in families)
    found: list[Nas] = []
    for some in chunks(nas_ids):
        rows = connection.execute(select(nases).where(nases.c.id.in_(some), nases.c.family.in_(wanted)))
        found += [_nas(row) for row in rows]
    return found


def secrets(connection: Connection, nas_id: str | None = None) -> dict[str, SealedSecrets]:
    """Return the sealed secrets by NAS id, of all NASes or of one."""
    query = select(nases)
    if nas_id is not None:
        query = query.where(nases.c.id == nas_id)
    return {row.id: _secrets(row) for row in connection.execute(query)}


def radius_secrets(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Yield the id and the sealed RADIUS secret of every NAS, as far as somebody wants to read."""
    with connection.execute(select(nases.c.id, nases.c.secret_sealed)) as found:
        yield from found


def add(connection: Connection, nas_id: str, name: str, values: Mapping[str, object], *, now: datetime) -> None:
    """Store a new NAS; `values` are columns."""
    connection.execute(insert(nases).values(id=nas_id, name=name, created_at=now, **values))


def change(connection: Connection, nas_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a NAS."""
    if values:
        connection.execute(update(nases).where(nases.c.id == nas_id).values(**values))


def learn(connection: Connection, nas_id: str, *, signs: bool) -> bool:
    """Keep what was learnt about a NAS, and tell whether it is news; that it has signed outweighs that it has not."""
    known = nases.c.learned_message_authenticator
    query = update(nases).where(nases.c.id == nas_id, known.is_not(True) if signs else known.is_(None))
    return connection.execute(query.values(learned_message_authenticator=signs)).rowcount == 1


def remove(connection: Connection, nas_id: str) -> None:
    """Remove a NAS, what waits for its next poll and what was noticed of it; sessions keep its id and site."""
    connection.execute(delete(nas_hints).where(nas_hints.c.nas_id == nas_id))
    connection.execute(delete(router_grants).where(router_grants.c.nas_id == nas_id))
    connection.execute(delete(nases).where(nases.c.id == nas_id))


def _nas(row: Row[Any]) -> Nas:
    return Nas(
        id=row.id,
        name=row.name,
        site_id=row.site_id,
        family=Family(row.family),
        address=ip_network(row.address),
        identifier=row.identifier,
        login_address=row.login_address,
        require_message_authenticator=Demand(row.require_message_authenticator),
        limit_proxy_state=Demand(row.limit_proxy_state),
        learned_message_authenticator=row.learned_message_authenticator,
        direction=Direction(row.direction),
        coa_port=row.coa_port,
        coa_address=row.coa_address,
        status_server=row.status_server,
        strict_identity=row.strict_identity,
        debug_answers=row.debug_answers,
        mac_login=row.mac_login,
    )


def _secrets(row: Row[Any]) -> SealedSecrets:
    return SealedSecrets(
        radius=row.secret_sealed,
        portal=row.portal_secret_sealed,
        mac=row.mac_secret_sealed,
        old_radius=row.old_secret_sealed,
        old_radius_until=row.old_secret_until,
    )
