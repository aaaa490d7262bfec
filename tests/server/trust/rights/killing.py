"""Kill a deletion at each of its steps in turn: `python -m tests.server.trust.rights.killing FOLDER HOOK`, a program that forks.

A step is anything that may be on the disk or not: a commit, a file, and a notice to the recipient at the address HOOK, before and after it. At each
one the process is killed by SIGKILL, and another one goes on as a restarted server and the user would. One JSON line for each: how the first
process ended, and what there is at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import shutil
import signal
import sys
import threading
import traceback
import unittest.mock
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from server.data.database import schema_migration
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.retention import requested_deletion
from server.data.retention.deletion_notices import DeletionNotices
from server.data.schema.record_schema import metadata
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.config.settings import Settings
from server.trust.data_requests.identity_proof import WHOLE, Proof
from server.trust.rights import recipient_webhook
from server.trust.rights.recipient_notices import LEASE, RecipientNotices, notice_id
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, ended, make_kit, people, transcript
from tests.server.trust.moderation import people as moderated
from tests.server.trust.rights.test_service import made

A, B = 11, 22
MOST = 400  # steps; a deletion has fewer
requested_deletion.STEP = requested_deletion.SMALLEST = 7  # rows, so that there are several


def kit_of(folder: Path) -> Kit:
    """Return the store in a folder."""
    return make_kit(f"sqlite+aiosqlite:///{folder / 'kill.db'}", folder, ObjectSettings())


async def prepare(folder: Path) -> None:
    """Store chats, a saved log, a report and a decided case of A; the same of B, and chats of others."""
    await schema_migration.migrate_apart(f"sqlite+aiosqlite:///{folder / 'kill.db'}", folder)
    kit = kit_of(folder)
    await kit.write(*(ended(index % 3 + 0.1, a=A, b=B + index) for index in range(20)), ended(2, a=33, b=44))
    await kit.logs.save(transcript("mine"), people())
    await kit.logs.save(transcript("theirs"), people(33, 44))
    for by, about in ((A, B), (B, A)):
        ident = await moderated.cases(kit).take(moderated.reported(by, about, said=moderated.text("a line")))
        await moderated.desk(kit).decide(ident.hex(), "mod", "looked", Decision("none"))
    await kit.database.close()


def recipients(hook: str) -> Settings:
    """Return the settings with a recipient that has a webhook."""
    told = {"name": "cdn", "kind": "cdn", "deletes": "webhook", "contact": hook, "secret": "0" * 16, "private": True}
    return Settings.model_validate({"recipients": [told]})


async def erase(folder: Path, hook: str) -> None:
    """Let the user request, wait, and have it done, and the recipient told; a user without an answer requests again."""
    kit, chosen = kit_of(folder), recipients(hook)
    rights, asked = made(kit, folder), folder / "asked"
    if not asked.exists():
        await rights.erase(Proof(A, 3, WHOLE), "page", records=True, logs=True)
        asked.touch()
    kit.now = NOW + 73 * 3_600
    await kit.purge(notices=DeletionNotices(kit.pseudonyms, chosen)).run()
    await rights.look()
    notices = RecipientNotices(kit.database, kit.pseudonyms, chosen, lambda: kit.now)
    await notices.look()
    kit.now += LEASE
    await notices.look()
    await kit.database.close()


async def found(folder: Path) -> dict[str, Any]:
    """Return what there is: rows of each table, objects by folder, the states of request and deletion."""
    kit = kit_of(folder)
    async with kit.database.read() as connection:
        rows = {
            table.name: int((await connection.execute(text(f'SELECT count(*) FROM "{table.name}"'))).scalar_one())  # noqa: S608
            for table in metadata.sorted_tables
        }
        states = [str(state) for state in (await connection.execute(text("SELECT state FROM request"))).scalars()]
        whose = (await connection.execute(text("SELECT count(*) FROM party WHERE side = 0"))).scalar_one()
        waits = (await connection.execute(text("SELECT count(*) FROM deletion WHERE done IS NULL"))).scalar_one()
        (told,) = (await connection.execute(text("SELECT number, state FROM deletion_notice"))).all()
    names = Counter([name.partition("/")[0] async for name in kit.objects.names("")])
    await kit.database.close()
    return {
        "rows": rows, "states": states, "first sides": whose, "waits": waits, "objects": dict(names), "told": told.state,
        "notice": notice_id(told.number, "cdn"),
    }  # fmt: skip


def killed_at(step: int) -> None:
    """Let the process end at its step of this number."""
    left = [step]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*given: Any) -> Any:
            count()
            return await real(*given)

        return call

    write = Database.write

    @contextlib.asynccontextmanager
    async def counted(self: Database, **how: bool) -> AsyncIterator[Any]:
        async with write(self, **how) as connection:
            yield connection
            count()  # before the commit

    transact = Database.transact

    async def transacted(self: Database, work: Callable[[Any], Any]) -> Any:
        def counting(connection: Any) -> Any:
            made = work(connection)
            count()  # before the commit
            return made

        return await transact(self, counting)

    Database.write = counted  # type: ignore[method-assign]
    Database.transact = transacted  # type: ignore[method-assign]
    for name in ("put", "delete"):
        setattr(Objects, name, around(getattr(Objects, name)))
    send = recipient_webhook.send

    async def sent(*given: Any) -> Any:
        count()  # before a byte left
        outcome = await send(*given)
        count()  # before the answer is written
        return outcome

    recipient_webhook.send = sent


def apart(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own. Return its status, or the negative number of the signal."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Memory(dict[str, bytes]):
    """An object store over a folder without the library: its threads would be missing in a forked process."""

    put = dict.__setitem__

    def delete(self, name: str) -> None:
        """Delete an object; it may be missing."""
        self.pop(name, None)

    def list(self, prefix: str) -> Iterator[list[dict[str, str]]]:
        """List objects in one batch."""
        return iter([[{"path": name} for name in self if name.startswith(prefix)]])


def warm(whole: Path, one: Path, hook: str) -> None:
    """Do it once here, with objects in memory: a process forked afterwards finds every statement compiled."""
    shutil.copytree(whole, one)
    with unittest.mock.patch("server.data.objects.object_store.LocalStore", side_effect=lambda *_, **__: Memory()):
        asyncio.run(erase(one, hook))
        asyncio.run(found(one))
    shutil.rmtree(one)
    gc.collect()  # an `Objects` that is gone ends its threads
    for thread in set(threading.enumerate()) - {threading.main_thread()}:
        thread.join()
    gc.freeze()


def main(folder: Path, hook: str) -> None:
    """Kill at each step in turn, until there is no step of that number."""
    whole = folder / "whole"
    whole.mkdir()
    assert apart(lambda: asyncio.run(prepare(whole))) == 0
    warm(whole, folder / "warm", hook)
    for step in range(MOST):
        one = folder / str(step)
        shutil.copytree(whole, one)

        def first(step: int = step, one: Path = one) -> None:
            if step:
                killed_at(step)
            asyncio.run(erase(one, hook))

        def then(step: int = step, one: Path = one) -> None:
            asyncio.run(erase(one, hook))
            print(json.dumps({"step": step, **asyncio.run(found(one))}))

        ended_by = apart(first)
        if step and ended_by == 0:
            return
        assert ended_by in (0, -signal.SIGKILL), (step, ended_by)
        assert apart(then) == 0
        shutil.rmtree(one)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
