"""From settings to a database URL. Rule: two databases are known (server.config.settings.DATABASES), and a URL is never printed."""

from __future__ import annotations

from pathlib import Path

from server.config.settings import Store

DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


def database_url(options: Store, data: Path) -> str:
    """The SQLAlchemy URL with its asynchronous driver; plain `postgresql://` and `sqlite://` are completed."""
    url = options.url.get_secret_value()
    if not url:
        return f"sqlite+aiosqlite:///{data / 'serendip.db'}"
    scheme, _, rest = url.partition("://")
    return f"{DRIVERS[scheme]}://{rest}"
