"""What a worker's process has in memory. What it does stands in `test_kept`."""

import subprocess
import sys

import pytest

from tests.server.web.servers import ROOT

pytestmark = pytest.mark.blocking  # a process is waited for
NEVER = ("sqlalchemy", "aiosqlite", "asyncpg", "alembic", "server.store.database", "server.store.service")


def test_neither_a_worker_nor_who_forks_it_knows_a_database() -> None:
    program = f"""
import sys
import server.cli, server.main, server.workers.worker
print([name for name in {NEVER} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
