"""Time the parts of the store: a batch of rows, its commit to SQLite, a saved log. **Invariant:** the database is fresh, the result asserted."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.storage.store_kit import Kit, ended
from server.data.database import schema_migration
from server.data.records.address_country import Countries
from server.data.records.chat_rows import PAIR, Batch, Party, Records
from server.data.records.transcript import Line, Transcript

BATCH = 500  # chats of one commit
SAID = Transcript(
    "text", 0, tuple(Line(i & 1, i, "a line of about fifty bytes, as people write them") for i in range(50))
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def kit(tmp_path: Path, runner: asyncio.Runner) -> Iterator[Kit]:
    kit = Kit("", tmp_path)
    runner.run(schema_migration.migrate(kit.database))
    yield kit
    runner.run(kit.database.close())


def test_a_batch_of_500_chats_becomes_rows(benchmark: Any, kit: Kit, runner: asyncio.Runner) -> None:
    records = Records(kit.pseudonyms, Countries())
    chats = [ended(index, time.time()) for index in range(BATCH)]
    runner.run(records.prepare(chats))

    def rows() -> int:
        records.forget()
        batch = Batch()
        records.add(batch, chats)
        return len(batch.pairs)

    assert benchmark(rows) == BATCH * PAIR.width


def test_a_batch_of_500_chats_is_committed_to_sqlite(benchmark: Any, kit: Kit, runner: asyncio.Runner) -> None:
    writer = kit.writer(BATCH)

    async def written() -> int:
        writer.start()
        before = writer.counts.written
        for index in range(BATCH):
            writer.record(ended(index, time.time()))
        await writer.flush()
        return writer.counts.written - before

    assert benchmark(lambda: runner.run(written())) == BATCH
    assert runner.run(writer.close(1)) == 0


def test_a_log_of_50_lines_is_saved_and_shown(benchmark: Any, kit: Kit, runner: asyncio.Runner) -> None:
    async def kept() -> Transcript | None:
        saved = await kit.logs.save(SAID, (Party(0, 5, "8.8.8.8"), Party(1, 6, "8.8.4.4")))
        return await kit.logs.show(saved.log)

    assert benchmark(lambda: runner.run(kept())) == SAID
