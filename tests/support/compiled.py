"""Share compiled SQL statements between the stores of a test run.

SQLAlchemy caches compiled statements per engine. A server has one engine; a test run makes one per test, and compiled the same few hundred
statements for each.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.util import LRUCache

from server.data.database.database import Database


class Compiled(LRUCache[Any, Any]):
    """Cache keyed by all parts of SQLAlchemy's key but the dialect, an object of each engine: engines of one kind have equal dialects."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_compiled = {True: Compiled(1000), False: Compiled(1000)}  # by whether the database is SQLite


def shared(database: Database) -> Database:
    """Make a database use the shared cache of its kind, and return it."""
    database.engine.update_execution_options(compiled_cache=_compiled[database.sqlite])
    return database
