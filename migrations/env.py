"""Alembic's entry: it runs inside the transaction that `app.db.migrate` opened, and never opens one of its own."""

from alembic import context

from app.db.tables.columns import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
    transactional_ddl=True,  # pysqlite's own habit of committing before a definition is switched off in app.db.engine
)
with context.begin_transaction():
    context.run_migrations()
