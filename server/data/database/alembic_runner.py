"""Run Alembic: the pending migrations, and the comparison of the database with the declared tables.

**Invariant:** only this module and the migrations import Alembic, and `schema_migration.py` imports this module only if there is work for it,
because the import is slow.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from server.ops.process.optional_dependency_filter import without

with without("pygments"):  # Mako would use it to colour migration templates, which are never shown here
    from alembic import command
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext

from server.data import schema
from server.data.schema.record_schema import metadata

FOLDER = Path(__file__).parent / "migrations"


def take(connection: Connection, target: str) -> None:
    """Run the steps up to revision `target`."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def compare(connection: Connection) -> list[str]:
    """Return the differences between the database and the declared schema, without partitions; empty if they are equal."""
    for module in pkgutil.iter_modules(schema.__path__):  # each declares its tables when it is imported
        importlib.import_module(f"{schema.__name__}.{module.name}")
    parts: set[str] = set()
    if connection.dialect.name == "postgresql":
        parts = {row[0] for row in connection.execute(text("SELECT relname FROM pg_class WHERE relispartition"))}

    def include(name: str | None, kind: str, parents: Any) -> bool:
        return not (kind == "table" and name in parts) and parents.get("table_name") not in parts

    context = MigrationContext.configure(connection, opts={"include_name": include, "compare_type": True})
    return [_say(difference) for difference in compare_metadata(context, metadata)]


def _say(difference: Any) -> str:
    """Return one difference as a line: its kind, and the name of the differing object."""
    if isinstance(difference, list):
        return "; ".join(_say(part) for part in difference)
    kind, *rest = difference
    names = [getattr(part, "name", part) for part in rest if part is not None]
    return f"{kind} {' '.join(str(name) for name in names if isinstance(name, str))}".strip()
