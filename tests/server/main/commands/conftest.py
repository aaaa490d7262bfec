"""Commands on a data folder of the test's own, whose database is migrated: once for all, like any other test's (tests/support/stores.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.main.cli import app
from tests.support.stores import Migrated

Run = Callable[..., Result]


@pytest.fixture
def serendip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: Migrated) -> Run:
    """Run `serendip …`."""
    monkeypatch.setenv("SERENDIP_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()

    def command(*words: str) -> Result:
        return runner.invoke(app, list(words))

    assert command("init").exit_code == 0
    url = f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"
    if not migrated.copied(url, None):
        assert command("db", "migrate").exit_code == 0
        migrated.keep(url, None)
    return command
