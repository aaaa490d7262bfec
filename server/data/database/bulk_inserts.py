"""Insert many rows with few statements, into PostgreSQL on the caller's connection, or into SQLite on a connection and thread of its own.

**Invariant:** the rows of one call are one transaction, and a row that exists already stays unchanged.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import Any, Final, Protocol

from server.data.database.sqlite_thread import SqliteThread

MISSING: Final = float("nan")  # SQLite stores it as NULL. None works too, but takes as long to bind as bytes
ROWS = 250  # sets of rows in one statement of SQLite. More are not faster, and binding holds the GIL (0.1 ms)


@dataclass(frozen=True, slots=True)
class InsertTarget:
    """Table and columns for bulk inserts. `sets`: the rows inserted together, each with constants for some columns; never user input.

    A constant is not bound as a value, which would cost as much as a third of an index entry.
    """

    table: str
    columns: tuple[str, ...]
    sets: tuple[tuple[tuple[str, str | int], ...], ...] = ((),)

    @property
    def width(self) -> int:
        """Number of values in a set of rows."""
        return len(self.sets) * len(self.columns) - sum(map(len, self.sets))

    @lru_cache(maxsize=64)  # noqa: B019 - instances are module constants: a few per table
    def sqlite(self, sets: int) -> str:
        """Return SQLite's statement for this number of sets."""
        return "INSERT OR ROLLBACK" + self._values(",".join([self._rows(lambda _: "?")] * sets))

    def postgresql(self) -> str:
        """Return PostgreSQL's statement for one set."""
        return "INSERT" + self._values(self._rows(lambda place: f"${place}"))

    def _rows(self, named: Callable[[int], str]) -> str:
        """Return the rows of a set. `named`: writes a placeholder from its number, which starts at 1."""
        places = count(1)
        rows = []
        for constants in self.sets:
            known = {column: f"'{value}'" if isinstance(value, str) else str(value) for column, value in constants}
            rows.append("(" + ",".join([known.get(column) or named(next(places)) for column in self.columns]) + ")")
        return ",".join(rows)

    def _values(self, rows: str) -> str:
        return f" INTO {self.table} ({', '.join(self.columns)}) VALUES {rows} ON CONFLICT DO NOTHING"


Values = Sequence[tuple[InsertTarget, list[Any]]]  # the values of rows, set after set


class Executes(Protocol):
    """A connection of SQLAlchemy, which a server without a store does not load."""

    async def exec_driver_sql(self, statement: str, parameters: list[tuple[Any, ...]]) -> Any:
        """Run a statement for each of the rows."""


async def put(connection: Executes, values: Values) -> None:
    """Insert into PostgreSQL, within a transaction. Multi-row statements would cost its server a third less, and this process a third more."""
    for into, flat in values:
        width = into.width
        rows = [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]
        if rows:
            await connection.exec_driver_sql(into.postgresql(), rows)


class Inserts:
    """Inserts into SQLite. `connect` opens its connection on first use, and again after an error. One `put` at a time.

    A batch is a flat list of values, row after row: SQLite inserts many rows in one statement faster than one by one. `OR ROLLBACK` covers an
    impossible case (a missing value): with the usual abort, SQLite would copy each page that a statement touches, to undo the statement alone.
    Values of bytes are bytearrays: for bytes, Python looks for an adapter first, which takes longer than storing them.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._thread = SqliteThread("store-inserts", connect)

    async def put(self, values: Values) -> float:
        """Insert in one transaction, and return the seconds that it held the write lock. Raises sqlite3.Error."""
        return await self._thread.run(partial(_put, values))

    async def close(self) -> None:
        """Wait for a running `put`, and close the connection and the thread. The next `put` opens others."""
        await self._thread.close()


def _put(values: Values, connection: sqlite3.Connection) -> float:
    connection.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    for into, flat in values:
        _insert(connection, into, flat)
    connection.execute("COMMIT")
    return time.monotonic() - begun


def _insert(connection: sqlite3.Connection, into: InsertTarget, flat: list[Any]) -> None:
    """Insert with two statements only, for ROWS sets and for one, so that SQLite parses each once."""
    width = into.width
    step = ROWS * width
    whole = len(flat) - len(flat) % step
    if whole:
        statement = into.sqlite(ROWS)
        for at in range(0, whole, step):
            connection.execute(statement, flat[at : at + step])
    connection.executemany(into.sqlite(1), [flat[at : at + width] for at in range(whole, len(flat), width)])
