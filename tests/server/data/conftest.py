"""Provide a store of each kind for tests: SQLite in a folder, PostgreSQL from Debian's packages; objects in a folder or S3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database import schema_migration
from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.data.objects.object_store import Objects
from server.data.records.address_country import Countries
from server.data.records.chat_rows import EndedChat, Party, Records
from server.data.records.transcript import Line, Transcript
from server.data.retention.purge import Purge
from server.data.store.writer import Writer
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.config.settings import Retention
from server.ops.health.background_tasks import Tasks
from server.ops.security import secret_keys
from server.trust.decisions.second_reviews import SecondReviews
from tests.support import services
from tests.support.compiled import shared
from tests.support.stores import ANEW, Migrated

NOW = 1_795_000_000  # 2026-11-18, Unix seconds


@dataclass
class Kit:
    """A store with a clock that the test sets."""

    data: Path
    database: Database
    objects: Objects
    pseudonyms: Pseudonyms
    now: float = NOW
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        self.tasks = Tasks(first=0.01)
        self.logs = SavedLogs(self.database, self.objects, self.pseudonyms, clock=lambda: self.now)

    def writer(self, queue: int = 10_000, batch: int = 100, linger: float = 0.01) -> Writer:
        """A writer, not started."""
        return Writer(
            self.database,
            Records(self.pseudonyms, Countries(), self.database.missing),
            self.tasks,
            queue=queue,
            batch=batch,
            linger=linger,
        )

    async def write(self, *chats: EndedChat) -> None:
        """Write chats to the database now."""
        writer = self.writer()
        writer.start()
        for chat in chats:
            writer.record(chat)
        await writer.flush()
        await writer.close(5)

    def purge(self, **options: object) -> Purge:
        """A purge at the test's time."""
        return Purge(self.database, self.logs, self.objects, self.retention, clock=lambda: self.now, **options)  # type: ignore[arg-type]

    async def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        async with self.database.read() as connection:
            return int((await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a constant


def ended(ago: float = 0.0, a: int = 11, b: int = 22, mode: str = "text", now: float = NOW) -> EndedChat:
    """Return a chat of persons a and b that ended `ago` days ago; their addresses follow from their numbers."""
    at = now - ago * 86_400
    return EndedChat(mode, "left", at - 60, at, (Party(0, a, address(a)), Party(1, b, address(b))))


def address(person: int) -> str:
    """Return a person's address."""
    return f"81.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}"


def transcript(*texts: str, **more: object) -> Transcript:
    """Return a short saved chat."""
    lines = tuple(Line(index & 1, NOW + index, text) for index, text in enumerate(texts or ("hello", "hi there")))
    values: dict[str, object] = {
        "mode": "text",
        "started": NOW,
        "lines": lines,
        "common": ("sailing",),
    }
    return Transcript(**(values | more))  # type: ignore[arg-type]


def people(a: int = 11, b: int = 22) -> tuple[Party, Party]:
    """Return the two participants of a saved log."""
    return Party(0, a, address(a)), Party(1, b, address(b))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind, empty."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"
    cluster: services.Postgres = request.getfixturevalue("cluster")
    # One database, emptied for each test: a database is 300 files, and a hundred of them take a minute to remove.
    if "kit" not in request.fixturenames:  # which wants the tables, and empties them
        cluster.sql(ANEW)
    return cluster.url("postgres")


@pytest.fixture
def object_settings() -> ObjectSettings:
    """A folder; a test module may say S3."""
    return ObjectSettings()


def make_kit(url: str, data: Path, settings: ObjectSettings) -> Kit:
    """Return the parts over a database that is not yet migrated."""
    pseudonyms = open_pseudonyms(secret_keys.load(data), data)
    for epoch in range(NOW // (30 * 86_400) - 6, NOW // (30 * 86_400) + 6):
        pseudonyms.epochs.make(epoch)
    return Kit(data, shared(Database(url, data=data)), Objects(settings, data), pseudonyms)


@pytest_asyncio.fixture
async def kit(
    request: pytest.FixtureRequest, url: str, tmp_path: Path, object_settings: ObjectSettings, migrated: Migrated,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Kit]:  # fmt: skip
    """A migrated store. No decided case is drawn for a second review, unless a test says so."""
    monkeypatch.setattr(SecondReviews, "drawn", staticmethod(lambda: False))
    made = await asyncio.to_thread(make_kit, url, tmp_path, object_settings)
    cluster = None if made.database.sqlite else request.getfixturevalue("cluster")
    if not await asyncio.to_thread(migrated.copied, url, cluster):
        await schema_migration.migrate_apart(url, tmp_path)
        await asyncio.to_thread(migrated.keep, url, cluster)
    yield made
    await made.database.close()
