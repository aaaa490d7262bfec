"""The schema's way: one transaction, done or not done; what the database holds is what is declared."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.store import migrate
from server.store.database import Database

from .conftest import Kit

pytestmark = pytest.mark.blocking  # alembic reads its files; the server migrates in a thread

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from alembic import op
from server.store import migrate
from server.store.database import Database
from server.store.schema import audit
real, made = op.create_table, []
def create(name, *a, **k):
    made.append(name)
    if len(made) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(name, *a, **k)
op.create_table = create
asyncio.run(migrate.migrate(Database(sys.argv[1], data=Path(sys.argv[2]))))
"""

IDLE = """
import asyncio, sys
from pathlib import Path
from server.store import migrate, service
print(*asyncio.run(migrate.migrate_apart(sys.argv[1], Path(sys.argv[2]))), "alembic" in sys.modules)
"""


async def test_a_fresh_database_holds_exactly_what_the_program_declares(kit: Kit) -> None:
    assert await migrate.differences(kit.database) == []
    assert await migrate.revision(kit.database) == migrate.HEAD


async def test_where_there_is_nothing_to_do_alembic_is_not_imported(kit: Kit, tmp_path: Path) -> None:
    run = subprocess.run(  # noqa: ASYNC221 - marked as blocking
        [sys.executable, "-c", IDLE, kit.database.url, str(tmp_path)], cwd=Path(__file__).parents[3], timeout=30,
        capture_output=True, text=True,
    )  # fmt: skip
    assert (run.stdout, run.stderr) == (f"{migrate.HEAD} {migrate.HEAD} False\n", "")


async def test_migrating_again_changes_nothing(kit: Kit) -> None:
    assert await migrate.migrate(kit.database) == (migrate.HEAD, migrate.HEAD)


async def test_a_database_of_a_newer_program_is_left_alone(kit: Kit) -> None:
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'z999'")
    with pytest.raises(migrate.SchemaDiffers, match="z999"):
        await migrate.migrate(kit.database)


async def test_a_migration_that_is_killed_is_not_done_and_the_next_one_does_it(url: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED, url, str(tmp_path)], cwd=Path(__file__).parents[3], timeout=30)  # noqa: ASYNC221 - marked as blocking
    assert run.returncode == -signal.SIGKILL
    database = Database(url, data=tmp_path)
    assert await migrate.revision(database) == ""
    assert await migrate.migrate(database) == ("", migrate.HEAD)
    assert await migrate.differences(database) == []
    await database.close()
