"""From the setting to the database: two are known."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from server.config.settings import DATABASES, Store
from server.store.options import DRIVERS, database_url


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
