"""`pesisir db`: the database's schema."""

import os

from app.cli.failures import Failure
from app.cli.installation import read_settings
from app.cli.noun import example, noun
from app.cli.output import Json, say, show_fields, show_json
from app.config import load_secret_key

commands = noun("db", "Bring the database to this version's schema, or look whether it is.")


@commands.command(epilog=example("pesisir db upgrade"))
def upgrade() -> None:
    """Bring the schema to what this version needs, all or nothing. Harmless to repeat."""
    from app.db.engine import open_database
    from app.services import schema
    from app.services.keyring import Keyring

    settings = read_settings()
    database = open_database(settings.database_url)
    try:
        done = schema.upgrade(database, Keyring(load_secret_key(settings)), chance=os.urandom)
    finally:
        database.close()
    say(f"schema {done.after}: nothing to do" if done.before == done.after else f"schema {done.after}: ready")


@commands.command(epilog=example("pesisir db check"))
def check(as_json: Json = False) -> None:
    """Say how the schema stands to this version. Exit 1 unless it is current."""
    from app.db import migrate
    from app.db.engine import open_database
    from app.db.migrate import SchemaState

    database = open_database(read_settings().database_url)
    try:
        found = {
            "state": migrate.check(database).value,
            "revision": migrate.revision_of(database),
            "needed": migrate.newest_revision(),
        }
    finally:
        database.close()
    show_json(found) if as_json else show_fields(found)
    if found["state"] != SchemaState.CURRENT:
        hint = "pesisir db upgrade" if found["state"] in (SchemaState.EMPTY, SchemaState.BEHIND) else ""
        raise Failure(f"the database's schema is {found['state']}", hint=hint)
