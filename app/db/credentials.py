"""People's passwords in the database, hashed or sealed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from app.db.chunks import chunks
from app.db.tables.accounts import credentials
from app.domain.users import Credential, CredentialKind


def read_all(connection: Connection) -> dict[str, Credential]:
    """Return every credential by account id."""
    query = select(credentials.c.account_id, credentials.c.kind, credentials.c.secret)
    return {row.account_id: Credential(CredentialKind(row.kind), row.secret) for row in connection.execute(query)}


def of_accounts(connection: Connection, account_ids: Collection[str]) -> dict[str, Credential]:
    """Return the credentials of some accounts by account id; who has none is left out."""
    found: dict[str, Credential] = {}
    for some in chunks(account_ids):
        query = select(credentials).where(credentials.c.account_id.in_(some))
        found |= {row.account_id: Credential(CredentialKind(row.kind), row.secret) for row in connection.execute(query)}
    return found


def of_account(connection: Connection, account_id: str) -> Credential | None:
    """Return the credential of one account; None if it has none."""
    return of_accounts(connection, [account_id]).get(account_id)


def replace_many(connection: Connection, values: Mapping[str, Credential], *, now: datetime) -> None:
    """Set the credentials of accounts, whatever they were."""
    for some in chunks(values):
        connection.execute(delete(credentials).where(credentials.c.account_id.in_(some)))
        connection.execute(insert(credentials), _rows({account_id: values[account_id] for account_id in some}, now))


def add_many(connection: Connection, values: Mapping[str, Credential], *, now: datetime) -> None:
    """Set the credentials of accounts that have none."""
    for some in chunks(values):
        connection.execute(insert(credentials), _rows({account_id: values[account_id] for account_id in some}, now))


def remove(connection: Connection, account_id: str) -> None:
    """Forget the password of an account."""
    connection.execute(delete(credentials).where(credentials.c.account_id == account_id))


def _rows(values: Mapping[str, Credential], now: datetime) -> Sequence[dict[str, object]]:
    return [
        {"account_id": account_id, "kind": credential.kind.value, "secret": credential.secret, "changed_at": now}
        for account_id, credential in values.items()
    ]
