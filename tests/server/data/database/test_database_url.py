"""From the setting to the database: two are known."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.data.database.database_url import DRIVERS, database_url
from server.ops.config.setting_types import DATABASES
from server.ops.config.settings import Store


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", "sqlite+aiosqlite:////data/serendip.db"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgres://user:secret@host/name", "postgresql+asyncpg://user:secret@host/name"),
        ("postgresql+asyncpg://host/name", "postgresql+asyncpg://host/name"),
    ],
)
def test_a_plain_address_is_completed_with_its_driver(url: str, found: str) -> None:
    assert database_url(Store(url=SecretStr(url)), Path("/data")) == found


def test_every_database_that_the_settings_know_has_a_driver() -> None:
    assert set(DRIVERS) == set(DATABASES)


def test_without_the_driver_of_postgresql_the_server_says_in_one_line_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['asyncpg'] = None; from server.main.cli import main; main()"
    settings = {
        "SERENDIP_STORE__URL": "postgresql://user:secret@127.0.0.1/name",
        "SERENDIP_DATA": str(tmp_path),
        "SERENDIP_METRICS__ENABLED": "false",
    }
    command = [sys.executable, "-c", code, "serve", "--port", "0"]
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "serendip: store: store.url: postgresql needs the package asyncpg: pip install 'serendip[postgres]'"
    )
