"""From settings to a database URL. Rule: two databases are known, and a wrong URL is an error that says so without printing it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from server.config.settings import Store

DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


class BadUrl(ValueError):
    """`store.url` names no database that is known here."""


def database_url(options: Store, data: Path) -> str:
    """The SQLAlchemy URL with its asynchronous driver; plain `postgresql://` and `sqlite://` are completed. Raises BadUrl."""
    url = options.url.get_secret_value()
    if not url:
        return f"sqlite+aiosqlite:///{data / 'serendip.db'}"
    scheme, sep, rest = url.partition("://")
    if not sep or scheme not in DRIVERS:
        raise BadUrl(
            f"store.url: {scheme if sep else 'this'!r} is no database known here; use postgresql:// or sqlite://"
        )
    driver = DRIVERS[scheme].partition("+")[2]
    if find_spec(driver) is None:  # PostgreSQL's: an extra, which `make install` brings
        raise BadUrl(f"store.url: {scheme} needs the package {driver}: pip install 'serendip[postgres]'")
    return f"{DRIVERS[scheme]}://{rest}"
