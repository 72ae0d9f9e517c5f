"""Every table, in SQLAlchemy Core; `docs/schema.md` says what the keys are and why. Migrations are checked against it.

Ids shown outside are random base32; octets, bit/s and money are integers; moments are UTC; `*_sealed` is encrypted
with a key that is not in the database; `*_hash` is a keyed hash. Who imports one module has them all: foreign keys name
tables of others.
"""

from app.db.tables import accounts, changes, journals, meta, nases, overrides, plans, sessions, sites, uplinks, vouchers

__all__ = [
    "accounts",
    "changes",
    "journals",
    "meta",
    "nases",
    "overrides",
    "plans",
    "sessions",
    "sites",
    "uplinks",
    "vouchers",
]
