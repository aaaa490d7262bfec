"""One PostgreSQL, one S3 server, one NATS and one migrated schema for all tests of a run. Rule: a plugin, since a fixture that conftests
import from each other is another fixture in each of them, with a server of its own.

A schema is migrated once for each kind of database; who asks for one after that gets a copy of the outcome. What a migration
does is the matter of tests/server/store/test_migrate.py, which migrates each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import services


@pytest.fixture(scope="session")
def cluster() -> Iterator[services.Postgres]:
    """One PostgreSQL for all tests of the session."""
    with services.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def bucket() -> Iterator[services.S3]:
    """One S3 server for all tests of the session."""
    with services.s3() as server:
        yield server


@pytest.fixture(scope="session")
def nats() -> Iterator[services.Nats]:
    """One NATS server for all tests of the session, which nobody stops."""
    with services.nats() as server:
        yield server


class Migrated:
    """What a migration leaves in an empty database, by kind. Every call blocks."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.db"
        self._script = folder / "migrated.sql"

    def copied(self, url: str, cluster: services.Postgres | None) -> bool:
        """Make an empty database what a migration would make it; False where nothing is kept yet."""
        if cluster is None:
            if self._file.exists():
                shutil.copy(self._file, _path(url))
            return self._file.exists()
        if self._script.exists():
            cluster.run(self._script, url.rpartition("/")[2])
        return self._script.exists()

    def keep(self, url: str, cluster: services.Postgres | None) -> None:
        """Keep a database that was just migrated and that nobody has open. Raises RuntimeError where it is not whole in its file."""
        if cluster is not None:
            self._script.write_text(cluster.dump(url.rpartition("/")[2]))
            return
        log = _path(url).with_name(_path(url).name + "-wal")
        if log.exists() and log.stat().st_size:
            raise RuntimeError(f"something of {url} is still in its log")
        shutil.copy(_path(url), self._file)


def _path(url: str) -> Path:
    """Where a database of SQLite is."""
    return Path(url.partition(":///")[2])


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """The schema, once it was migrated."""
    return Migrated(tmp_path_factory.mktemp("migrated"))
