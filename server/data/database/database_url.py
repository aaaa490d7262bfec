"""Build the SQLAlchemy URL of the database from the settings.

**Invariant:** only SQLite and PostgreSQL are accepted (`setting_types.DATABASES`), and a URL, which may hold a password, is never logged.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from server.ops.config.settings import Store


class NoDriver(ValueError):
    """The driver of the database is not installed; the text names the package, never the URL."""


DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


def database_url(options: Store, data: Path) -> str:
    """Return the SQLAlchemy URL with its asynchronous driver; `postgresql://` and `sqlite://` are completed. Raises NoDriver."""
    url = options.url.get_secret_value()
    if not url:
        return f"sqlite+aiosqlite:///{data / 'serendip.db'}"
    scheme, _, rest = url.partition("://")
    driver = DRIVERS[scheme].partition("+")[2]
    if find_spec(driver) is None:  # PostgreSQL's is an extra, which `make install` installs
        raise NoDriver(f"store.url: {scheme} needs the package {driver}: pip install 'serendip[postgres]'")
    return f"{DRIVERS[scheme]}://{rest}"
