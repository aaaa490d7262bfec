"""Compare the rows that an act of an operator leaves in two stores: one that the console wrote, and one that the command line's modules wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import select

from server.data.database import schema_migration
from server.data.schema.console_schema import approval
from server.data.schema.data_request_schema import request, request_answer, request_contact, request_text
from server.data.schema.disclosure_schema import disclosure
from server.data.schema.emergency_review_schema import emergency_review
from server.data.schema.law_order_schema import law_order
from server.data.schema.record_schema import audit, hold, log
from server.ops.config.settings import Objects
from tests.server.data.conftest import Kit, make_kit
from tests.support.stores import Migrated

RANDOM = (
    "id",
    "number",
    "request",
    "law_order",
    "outcome",
    "time",
    "object",
    "words",
)  # `outcome` of the log and `words` quote numbers
TABLES = (
    *(request, request_answer, request_text, request_contact, law_order, hold, log, disclosure, approval, emergency_review),
    audit,
)  # fmt: skip


@pytest_asyncio.fixture
async def kit_of_two(tmp_path: Path, migrated: Migrated) -> AsyncIterator[Kit]:
    """A second store, on which the command line's side acts."""
    folder = tmp_path / "two"
    folder.mkdir()
    other = f"sqlite+aiosqlite:///{folder / 'serendip.db'}"
    made = await asyncio.to_thread(make_kit, other, folder, Objects())
    if not await asyncio.to_thread(migrated.copied, other, None):
        await schema_migration.migrate_apart(other, folder)
    yield made
    await made.database.close()


async def rows(kit: Kit, *without: str) -> list[Any]:
    """All rows that an act on a request, an order, a hold or a log leaves, without what is random."""
    found: list[Any] = []
    async with kit.database.read() as connection:
        for table in TABLES:
            order = [table.c.asked] if table is approval else [*table.primary_key.columns]
            for row in (await connection.execute(select(table).order_by(*order))).all():
                known = {name: value for name, value in row._asdict().items() if not isinstance(value, bytes)}
                found.append([table.name, {name: value for name, value in known.items() if name not in without}])
    return found
