"""Many rows into a table at once. Rule: all that is put in one call is one transaction, and a row that is there already stays as it is.

A batch is a list of values, set of rows after set: SQLite takes many rows in one statement sooner than one by one.

SQLite: a connection and a thread of their own, so that a batch is one hop. `OR ROLLBACK` is for what cannot happen
(a missing value): with the usual abort SQLite would copy each page that a statement touches, to undo the statement alone.
A value of bytes is a bytearray: for bytes Python looks for an adapter first, which costs more than to store them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import Any, Final, Protocol

from server.data.database.sqlite_thread import Apart

MISSING: Final = float("nan")  # SQLite keeps it as NULL. A None works too, but takes as long as bytes do
ROWS = 250  # sets of them in one statement of SQLite. More are not faster, and it holds the GIL while it binds them (0.1 ms)


@dataclass(frozen=True, slots=True)
class Into:
    """Where rows go. `sets`: the rows that go together, each with the constants that stand in some of its columns; no stranger's words.

    A constant is no value to bind: that would cost as much as a third of an entry in an index.
    """

    table: str
    columns: tuple[str, ...]
    sets: tuple[tuple[tuple[str, str | int], ...], ...] = ((),)

    @property
    def width(self) -> int:
        """Values of a set of rows."""
        return len(self.sets) * len(self.columns) - sum(map(len, self.sets))

    @lru_cache(maxsize=64)  # noqa: B019 - those of this module's users: a few a table
    def sqlite(self, sets: int) -> str:
        """SQLite's statement for so many sets of rows."""
        return "INSERT OR ROLLBACK" + self._values(",".join([self._rows(lambda _: "?")] * sets))

    def postgresql(self) -> str:
        """PostgreSQL's statement for a set of rows."""
        return "INSERT" + self._values(self._rows(lambda place: f"${place}"))

    def _rows(self, named: Callable[[int], str]) -> str:
        """The rows of a set. `named`: how the database writes a value, from 1."""
        places = count(1)
        rows = []
        for constants in self.sets:
            known = {column: f"'{value}'" if isinstance(value, str) else str(value) for column, value in constants}
            rows.append("(" + ",".join([known.get(column) or named(next(places)) for column in self.columns]) + ")")
        return ",".join(rows)

    def _values(self, rows: str) -> str:
        return f" INTO {self.table} ({', '.join(self.columns)}) VALUES {rows} ON CONFLICT DO NOTHING"


Values = Sequence[tuple[Into, list[Any]]]  # the values of rows, set after set


class Executes(Protocol):
    """A connection of SQLAlchemy's, which a server that keeps nothing does not load."""

    async def exec_driver_sql(self, statement: str, parameters: list[tuple[Any, ...]]) -> Any:
        """Run a statement for each of the rows."""


async def put(connection: Executes, values: Values) -> None:
    """PostgreSQL, within a transaction. A statement of many rows would be a third less for its server, and a third more for us."""
    for into, flat in values:
        width = into.width
        rows = [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]
        if rows:
            await connection.exec_driver_sql(into.postgresql(), rows)


class Inserts:
    """SQLite. `connect` makes its connection, when it is needed; after an error it is made anew. One `put` at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._apart = Apart("store-inserts", connect)

    async def put(self, values: Values) -> float:
        """One transaction; the seconds that it held the database. Raises sqlite3.Error."""
        return await self._apart.do(partial(_put, values))

    async def close(self) -> None:
        """Wait for a `put` that is under way, and give the connection and the thread back. The next `put` makes others."""
        await self._apart.close()


def _put(values: Values, connection: sqlite3.Connection) -> float:
    connection.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    for into, flat in values:
        _insert(connection, into, flat)
    connection.execute("COMMIT")
    return time.monotonic() - begun


def _insert(connection: sqlite3.Connection, into: Into, flat: list[Any]) -> None:
    """Only two statements, so that SQLite parses each once: of ROWS sets, and of one for the rest."""
    width = into.width
    step = ROWS * width
    whole = len(flat) - len(flat) % step
    if whole:
        statement = into.sqlite(ROWS)
        for at in range(0, whole, step):
            connection.execute(statement, flat[at : at + step])
    connection.executemany(into.sqlite(1), [flat[at : at + width] for at in range(whole, len(flat), width)])
