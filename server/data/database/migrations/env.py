"""Configure Alembic. **Invariant:** it is only called with a live connection (`server/data/database/alembic_runner.py`), never by URL."""

from __future__ import annotations

from alembic import context

from server.data.schema.record_schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transaction_per_migration=False, transactional_ddl=True
)
context.run_migrations()
