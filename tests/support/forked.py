"""The process that the servers of tests are forked from (forkserver.py). Rule: it imports and forks, and starts nothing else of its own: what it had
open, running or locked as it forks, the server would have.

What is made anew for each server though it is always the same is made once here too: the tables of a new SQLite file, as in stores.py.
"""

import asyncio
import atexit
import contextlib
import ctypes
import fcntl
import gc
import json
import os
import socket
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Sequence
from importlib import import_module, reload
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from server.process import faults

# What `serve` and the commands import, at once or when they run.
IMPORTED = (
    "server.cli",
    "server.main",
    "server.workers.host",
    "server.console.service",
    "server.rights.service",
    "server.safety.service",
    "server.store.service",
    "server.commands.console",
    "server.commands.safety",
)
LONGEST = 200_000  # bytes of a request
MOST = 250  # descriptors of a request: the kernel takes 253 (unix(7), SCM_RIGHTS)
CLONE3 = 435  # its number on every machine (clone(2), asm-generic/unistd.h)
CLONE_PARENT = 0x8000  # of linux/sched.h
_libc = ctypes.PyDLL(None)  # which keeps the interpreter's lock


def served(link: int) -> str:
    """Import, and fork for each request until nobody can ask any more. Returns in each child: what it is to run."""
    asked = socket.socket(fileno=link)
    for name in IMPORTED:
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        lend_tables(Path(folder))
    gc.collect()
    gc.freeze()  # what a child's collector does not look at stays shared
    while True:
        message, given, _, _ = socket.recv_fds(asked, LONGEST, MOST)
        if not message:
            os._exit(0)
        if not (pid := sibling()):
            asked.detach()
            return become(json.loads(message), given)
        for descriptor in given:
            os.close(descriptor)
        asked.send(b"%d" % pid)


def lend_tables(folder: Path) -> None:
    """From here on an empty SQLite file gets the tables that are made here, before whatever its migration finds to do after that."""
    from server.store import migrate, service

    path = folder / "serendip.db"
    if (pid := os.fork()) == 0:  # it has threads, of which the C library would keep a mark
        asyncio.run(migrate.migrate_apart(f"sqlite+aiosqlite:///{path}", folder))
        with contextlib.closing(sqlite3.connect(path)) as made:
            made.execute("PRAGMA journal_mode=DELETE")  # in memory there is no other
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    tables = path.read_bytes()

    async def lent(url: str, data: Path) -> tuple[str, str]:
        if url.startswith("sqlite"):
            await asyncio.to_thread(give, tables, make_url(url).database or "")
        return await migrate.migrate_apart(url, data)

    setattr(service, "migrate_apart", lent)  # noqa: B010 - which is not the service's own


def give(tables: bytes, path: str) -> None:
    """Copy these into the database, where it has none."""
    with contextlib.closing(sqlite3.connect(path)) as new, contextlib.closing(sqlite3.connect(":memory:")) as made:
        if not new.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            made.deserialize(tables)
            made.backup(new)


def sibling() -> int:
    """`os.fork`, but for whose child it is: that of whoever started this process. Raises OSError.

    The C library is not told. Of what it does for a child beside the call, one thread that holds no lock misses nothing.
    """
    # (flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls): clone(2), "clone3()"; the signal is that of this process
    words = (ctypes.c_uint64 * 8)(CLONE_PARENT)
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid: int = _libc.syscall(CLONE3, words, ctypes.sizeof(words))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError("clone3")
    return pid


def become(request: dict[str, Any], given: Sequence[int]) -> str:
    """Take the place of a process that was executed; what it is to run. `given`: descriptors for the numbers of `request["numbers"]`."""
    place(given, request["numbers"])
    if request["session"]:
        os.setsid()
    if request["group"] >= 0:
        os.setpgid(0, request["group"])
    os.environ.clear()
    os.environ.update(request["environment"])
    reload(faults)  # which reads its variable as it is imported
    sys.orig_argv[:] = request["words"]
    sys.argv[:] = request["words"][1:2] + request["words"][3:]
    return str(request["words"][2])


def run(line: str) -> None:
    """Run it as a program of its own, and end with its status. The interpreter is not taken down: all that it shares would be copied for that."""
    try:
        exec(line, {"__name__": "__main__"})  # noqa: S102 - START, or what a test has it run
        status = 0
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does: wait for threads, call who asked for it
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


def place(given: Sequence[int], numbers: Sequence[int]) -> None:
    """Have these descriptors under these numbers, and no other."""
    above = max(numbers) + 1
    for descriptor, number in zip([fcntl.fcntl(one, fcntl.F_DUPFD, above) for one in given], numbers, strict=True):
        os.dup2(descriptor, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in numbers:
            with contextlib.suppress(OSError):  # the one that read the folder
                os.close(int(name))
