"""Work of SQLite's apart from the loop: one connection for all of it, until an error or the end."""

import sqlite3
import threading

import pytest

from server.data.database.sqlite_thread import SqliteThread


def kept(connection: sqlite3.Connection) -> list[tuple[int]]:
    """What this connection alone has; the first that asks makes it."""
    connection.execute("CREATE TABLE IF NOT EXISTS kept (number)")
    connection.execute("INSERT INTO kept VALUES (1)")
    return connection.execute("SELECT count(*) FROM kept").fetchall()


async def test_work_has_one_connection_and_one_thread_until_an_error_or_the_end() -> None:
    apart = SqliteThread("apart", lambda: sqlite3.connect(":memory:"))
    assert apart.connections == 0
    assert [await apart.run(kept) for _ in range(2)] == [[(1,)], [(2,)]]
    assert {await apart.run(lambda _: threading.current_thread().name) for _ in range(2)} == {"apart_0"}
    with pytest.raises(sqlite3.OperationalError):
        await apart.run(lambda connection: connection.execute("SELECT nothing"))
    assert await apart.run(kept) == [(1,)]
    assert apart.connections == 2
    await apart.close()
    await apart.close()
    assert await apart.run(kept) == [(1,)]
    assert apart.connections == 3
    await apart.close()


async def test_a_connection_that_cannot_be_made_is_tried_again() -> None:
    there = False

    def connect() -> sqlite3.Connection:
        if not there:
            raise sqlite3.OperationalError("unable to open")
        return sqlite3.connect(":memory:")

    apart = SqliteThread("apart", connect)
    with pytest.raises(sqlite3.OperationalError):
        await apart.run(kept)
    there = True
    assert await apart.run(kept) == [(1,)]
    assert apart.connections == 1
    await apart.close()
