"""A city whose reports and verdicts are merged, and what its database says of them then."""

import os
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Table, func, insert, select

from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.plans import plan_quotas, plans
from app.db.tables.sessions import usage
from app.db.tables.sites import sites
from app.domain.local_time import WITA
from app.domain.reports import Decided, Item, Method, Move, NasRestart, Reported, ReportKind, SessionReport, Unusable
from app.services.ingest import MergeResult, merge
from tests.factories import MAC, NOON
from tests.rows import NAS, add_nas

START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
ACCOUNT = "userauserauserau"
TODAY = date(2026, 11, 24)


@pytest.fixture
def city(database: Database) -> Database:
    """A plan with 1,000 octets a day, a site, and one account."""
    with database.write() as connection:
        connection.execute(insert(plans).values(id="plan", name="Warga", created_at=NOON))
        connection.execute(
            insert(plan_quotas),
            [
                {"plan_id": "plan", "period": period, "measure": "both", "amount": amount}
                for period, amount in (("day", 1_000), ("total", 5_000))
            ],
        )
        connection.execute(insert(sites).values(id="site", name="Gusung", created_at=NOON))
        connection.execute(
            insert(accounts_table).values(id=ACCOUNT, kind="user", plan_id="plan", created_at=NOON, version=1)
        )
        add_nas(connection)
    return database


def reported(report: SessionReport | NasRestart | Unusable, packet: bytes = b"packet") -> Reported:
    return Reported(report, packet, NOON, "127.0.0.1:40000", NAS)


def accepted(
    *,
    at: datetime = NOON,
    nas_id: str = NAS,
    mac: str = MAC,
    user_name: str = ACCOUNT,
    account_id: str = ACCOUNT,
    method: Method = Method.RESUME,
) -> Decided:
    return Decided(at, nas_id, mac, account_id, user_name, method, accepted=True, acceptance_id="0123456789abcdef")


def restart(minute: float, cause: str = "NAS-Reboot", nas_id: str = NAS) -> NasRestart:
    return NasRestart(nas_id, "gusung-1", NOON + timedelta(minutes=minute), cause)


def run(
    database: Database, items: Iterable[Item], *, position: Move | None = None, now: datetime = NOON
) -> MergeResult:
    return merge(database, list(items), position=position, origin="node/0", zone=WITA, now=now, chance=os.urandom)


def say(database: Database, *reports: SessionReport | NasRestart | Unusable) -> MergeResult:
    return run(database, [reported(report) for report in reports])


def column(database: Database, table: Table, *names: str) -> Sequence[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in names)))]


def used(database: Database) -> dict[date, int]:
    with database.read() as connection:
        rows = connection.execute(select(usage)).all()
    return {row.day: row.up_octets + row.down_octets for row in rows}


def online_seconds(database: Database) -> dict[date, int]:
    with database.read() as connection:
        rows = connection.execute(select(usage)).all()
    return {row.day: row.seconds for row in rows}


def count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0
