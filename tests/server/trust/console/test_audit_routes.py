"""Test `/audit`: an administrator reads the actions of operators, newest first."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from server.data.privacy import audit_log
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.test_request_routes import by_command


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An SQLite database: other files ask both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_administrator_reads_the_trail(console: Console) -> None:
    await by_command(console.kit).listed("bob")
    admin = await console.person("ada", "admin")
    console.kit.now = time.time()
    admin = await console.again("ada")
    text = (await admin.get("/audit")).text
    assert "request list" in text
    assert "bob" in text
    assert len(await audit_log.recent_entries(console.kit.database, 0)) >= text.count("<tr>") - 1
