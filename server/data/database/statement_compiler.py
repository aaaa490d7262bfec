"""Compile the SQL statements of an engine in a thread of their own, so that the event loop goes on meanwhile.

SQLAlchemy compiles a statement when it is first executed, up to 3 ms of CPU each, and keeps the result. The first purge after a start compiles 80,
and in the loop no line would be read meanwhile. A thread that computes yields Python's lock after 0.1 ms (`process_setup.yield_soon`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Compiled, event
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import await_, in_greenlet

Made = TypeVar("Made")


def compile_beside_loop(engine: AsyncEngine) -> None:
    """Make an engine compile its statements in a thread, which ends when the engine is disposed of."""
    dialect = engine.sync_engine.dialect
    made = StatementCompiler(dialect.statement_compiler)
    dialect.statement_compiler = made  # type: ignore[assignment]  # it is only called
    event.listen(engine.sync_engine, "engine_disposed", lambda _: made.end())


class StatementCompiler:
    """Takes the place of a dialect's class of compilers, `compiler`: it is called for each statement that is not in the cache.

    The thread is created on first use. A caller outside the loop, and what needs a compiler without a statement, is served at once.
    """

    def __init__(self, compiler: Callable[..., Compiled]) -> None:
        self._compiler = compiler
        self._thread: ThreadPoolExecutor | None = None

    def __call__(self, dialect: Dialect, statement: Any, *place: Any, **how: Any) -> Compiled:
        """Return the compiled statement. Raises CompileError."""
        compile_it = partial(self._compiler, dialect, statement, *place, **how)
        return await_(self._run(compile_it)) if statement is not None and in_greenlet() else compile_it()

    async def _run(self, work: Callable[[], Made]) -> Made:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "store-compiler")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def end(self) -> None:
        """End the thread; the next statement begins another."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None
