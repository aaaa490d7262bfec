"""Provide one PostgreSQL, one S3 server, one NATS and one migrated schema for all tests of a run.

Invariant: a plugin, because a fixture imported by several conftests is a separate fixture in each, with its own server.

A schema is migrated once per kind of database; later users receive a copy of the result, or on PostgreSQL the last test's database,
emptied. Migrations themselves are tested in tests/server/data/database/test_schema_migration.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import services

# The schema beside rows and daily partitions: it differs if a table, column or rule was made anew.
STANDS = """
SELECT md5(string_agg(what, chr(10) ORDER BY what)) FROM (
  SELECT concat_ws(' ', oid, relname, relkind, relnatts, relchecks, relrowsecurity, reloptions, relacl) FROM ours
  UNION ALL SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, atthasdef, attisdropped)
    FROM pg_attribute JOIN ours ON ours.oid = attrelid
  UNION ALL SELECT concat_ws(' ', 'default', a.oid) FROM pg_attrdef a JOIN ours ON ours.oid = adrelid
  UNION ALL SELECT concat_ws(' ', 'constraint', c.oid, conname, convalidated) FROM pg_constraint c JOIN ours ON ours.oid = conrelid
  UNION ALL SELECT concat_ws(' ', 'trigger', t.oid, tgname, tgenabled) FROM pg_trigger t JOIN ours ON ours.oid = tgrelid
  UNION ALL SELECT concat_ws(' ', 'function', oid, proname) FROM pg_proc WHERE pronamespace = to_regnamespace('public')
  UNION ALL SELECT concat_ws(' ', 'revision', version_num) FROM alembic_version
) AS parts (what)"""
OURS = "WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = to_regnamespace('public') AND NOT relispartition)"
# The ledger's triggers, which refuse TRUNCATE, are off. A table without a page was never written since it was made: most are left unchanged.
EMPTY = """
SET session_replication_role = replica;
DO $$
DECLARE days text; written text;
BEGIN
  SELECT string_agg(oid::regclass::text, ', ') INTO days FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relispartition AND relkind = 'r';
  IF days IS NOT NULL THEN EXECUTE 'DROP TABLE ' || days; END IF;
  SELECT string_agg(oid::regclass::text, ', ') INTO written FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relkind = 'r' AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0;
  IF written IS NOT NULL THEN EXECUTE 'TRUNCATE ' || written || ' CASCADE'; END IF;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$;"""
EMPTIED = f"""
SELECT to_regclass('public.alembic_version') IS NOT NULL AS there \\gset
\\if :there
{OURS} SELECT coalesce(({STANDS}) = :'stood', false) AS same \\gset
\\if :same
{EMPTY}
\\echo emptied
\\endif
\\endif
"""
ANEW = "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public"


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
    """One NATS server for all tests of the session, which none of them stops."""
    with services.nats() as server:
        yield server


class Migrated:
    """Results of migrating an empty database, by kind. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.db"
        self._script = folder / "migrated.sql"
        self._empty = folder / "empty.sql"
        self._empty.write_text(EMPTIED)
        self._stood = ""  # schema of the cluster's one database when it was made

    def copied(self, url: str, cluster: services.Postgres | None) -> bool:
        """Give a database the migrated schema; if none is kept yet, empty it and return False."""
        if cluster is None:
            if self._file.exists():
                shutil.copy(self._file, _path(url))
            return self._file.exists()
        name = url.rpartition("/")[2]
        # Recreating fifteen tables and their indices takes several times what most tests do with them.
        if self._stood and cluster.told(self._empty, name, stood=self._stood) == "emptied":
            return True
        cluster.sql(ANEW, name)
        if self._script.exists():
            cluster.run(self._script, name)
            self._stood = cluster.sql(OURS + STANDS, name)
        return self._script.exists()

    def keep(self, url: str, cluster: services.Postgres | None) -> None:
        """Keep a database that was just migrated and that is not open. Raises RuntimeError if its file is incomplete."""
        if cluster is not None:
            self._script.write_text(cluster.dump(url.rpartition("/")[2]))
            self._stood = cluster.sql(OURS + STANDS, url.rpartition("/")[2])
            return
        log = _path(url).with_name(_path(url).name + "-wal")
        if log.exists() and log.stat().st_size:
            raise RuntimeError(f"something of {url} is still in its log")
        shutil.copy(_path(url), self._file)


def _path(url: str) -> Path:
    """Return the path of an SQLite database."""
    return Path(url.partition(":///")[2])


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """The migrated schema."""
    return Migrated(tmp_path_factory.mktemp("migrated"))
