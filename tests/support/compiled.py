"""Statements that were compiled for one store of a run, for all others of its kind.

SQLAlchemy keeps what it compiled with the engine: a server has one, and compiles each statement once; a run of tests makes an engine a test,
and compiled the same few hundred for each of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.util import LRUCache

from server.data.database.database import Database


class Compiled(LRUCache[Any, Any]):
    """By all that SQLAlchemy asks with but the dialect, which is an object of each engine's: those of a kind are made alike."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_compiled = {True: Compiled(1000), False: Compiled(1000)}  # by whether it is SQLite


def shared(database: Database) -> Database:
    """The same one, which compiles no statement that another of its kind has compiled."""
    database.engine.update_execution_options(compiled_cache=_compiled[database.sqlite])
    return database
