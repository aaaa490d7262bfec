"""Statements are compiled in a thread, each once, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from sqlalchemy import Compiled, MetaData, Table, insert, literal, select
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.compiler import SQLCompiler

from server.data.database.database import Database
from server.data.database.statement_compiler import StatementCompiler
from tests.server.data.conftest import Kit

PATIENCE = 20.0  # seconds


def compiler_of(database: Database) -> StatementCompiler:
    """The compiler of a database."""
    return cast("StatementCompiler", database.engine.sync_engine.dialect.statement_compiler)


async def number(database: Database, wanted: int) -> int:
    """Ask for a number."""
    async with database.read() as connection:
        return int((await connection.execute(select(literal(wanted)))).scalar_one())


class Compiling:
    """Compiles in place of `compiler`'s own, once `go` is set."""

    def __init__(self, compiler: StatementCompiler) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self._compiler = compiler._compiler
        compiler._compiler = self

    def __call__(self, *what: Any, **how: Any) -> Compiled:
        self.begun.set()
        assert self.go.wait(PATIENCE), "the loop does not go on"
        return self._compiler(*what, **how)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database in a file, empty."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", data=tmp_path)
    yield made
    await made.close()


async def test_the_first_purge_compiles_nothing_in_the_loop(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, loop, threads = SQLCompiler.__init__, threading.current_thread(), list[threading.Thread]()

    def noted(self: SQLCompiler, dialect: Any, statement: Any, *more: Any, **how: Any) -> None:
        if statement is not None:
            threads.append(threading.current_thread())
        begin(self, dialect, statement, *more, **how)

    kit.database.engine.update_execution_options(compiled_cache={})  # not what other tests compiled
    monkeypatch.setattr(SQLCompiler, "__init__", noted)
    await kit.purge().run()
    assert len(threads) > 50
    assert loop not in threads


async def test_the_loop_goes_on_while_a_statement_is_compiled(database: Database) -> None:
    compiling = Compiling(compiler_of(database))
    asked = asyncio.create_task(number(database, 1))
    assert await asyncio.to_thread(compiling.begun.wait, PATIENCE)
    assert not asked.done()
    compiling.go.set()
    assert await asked == 1


async def test_a_statement_is_compiled_once(database: Database) -> None:
    compiling = Compiling(compiler_of(database))
    compiling.go.set()
    assert await number(database, 1) == 1
    compiling.begun.clear()
    assert await number(database, 2) == 2
    assert not compiling.begun.is_set()


async def test_who_gives_up_while_a_statement_is_compiled_leaves_a_connection_that_works(database: Database) -> None:
    compiling = Compiling(compiler_of(database))
    asked = asyncio.create_task(number(database, 1))
    assert await asyncio.to_thread(compiling.begun.wait, PATIENCE)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    compiling.go.set()
    assert await number(database, 2) == 2


async def test_a_statement_that_cannot_be_compiled_is_told_where_it_is_executed(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(CompileError):
            await connection.execute(insert(Table("chat", MetaData())).values(nothing=1))
        assert (await connection.execute(select(literal(3)))).scalar_one() == 3


async def test_the_thread_ends_with_the_database_and_another_begins(database: Database) -> None:
    made = compiler_of(database)
    for wanted in (1, 2):
        database.engine.update_execution_options(compiled_cache={})
        assert await number(database, wanted) == wanted
        assert made._thread is not None
        (thread,) = made._thread._threads
        await database.close()
        await asyncio.to_thread(thread.join, PATIENCE)
        assert not thread.is_alive()


def test_a_statement_is_shown_outside_the_loop(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", data=tmp_path)
    assert "SELECT" in str(select(literal(1)).compile(database.engine.sync_engine))
