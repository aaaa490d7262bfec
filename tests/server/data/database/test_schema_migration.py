"""The schema's way: one transaction, done or not done; what the database holds is what is declared."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.data.database import schema_migration
from server.data.database.database import Database
from tests.server.data.conftest import Kit

pytestmark = pytest.mark.blocking  # alembic reads its files; the server migrates in a thread

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from alembic import op
from server.data.database import schema_migration as migrate
from server.data.database.database import Database
from server.data.schema.record_schema import audit
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
from server.data.database import schema_migration as migrate; from server.data.store import store_runner as service
print(*asyncio.run(migrate.migrate_apart(sys.argv[1], Path(sys.argv[2]))), "alembic" in sys.modules)
"""


async def test_a_fresh_database_holds_exactly_what_the_program_declares(kit: Kit) -> None:
    assert await schema_migration.differences(kit.database) == []
    assert await schema_migration.revision(kit.database) == schema_migration.HEAD


async def test_where_there_is_nothing_to_do_alembic_is_not_imported(kit: Kit, tmp_path: Path) -> None:
    run = subprocess.run(  # noqa: ASYNC221 - marked as blocking
        [sys.executable, "-c", IDLE, kit.database.url, str(tmp_path)], cwd=Path(__file__).parents[4], timeout=30,
        capture_output=True, text=True,
    )  # fmt: skip
    assert (run.stdout, run.stderr) == (f"{schema_migration.HEAD} {schema_migration.HEAD} False\n", "")


async def test_migrating_again_changes_nothing(kit: Kit) -> None:
    assert await schema_migration.migrate(kit.database) == (schema_migration.HEAD, schema_migration.HEAD)


async def test_a_database_of_a_newer_program_is_left_alone(kit: Kit) -> None:
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'z999'")
    with pytest.raises(schema_migration.SchemaDiffers, match="z999"):
        await schema_migration.migrate(kit.database)


async def test_a_migration_that_is_killed_is_not_done_and_the_next_one_does_it(url: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED, url, str(tmp_path)], cwd=Path(__file__).parents[4], timeout=30)  # noqa: ASYNC221 - marked as blocking
    assert run.returncode == -signal.SIGKILL
    database = Database(url, data=tmp_path)
    assert await schema_migration.revision(database) == ""
    assert await schema_migration.migrate(database) == ("", schema_migration.HEAD)
    assert await schema_migration.differences(database) == []
    await database.close()
