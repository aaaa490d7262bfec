"""Operators at the command line: what is published of use, and forgetting it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from server.data.retention import monthly_counts
from server.ops.config.settings import Objects
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run


def filled(folder: Path) -> None:
    """Two months that are over, and a figure of moderation."""

    async def fill() -> None:
        kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())
        async with kit.database.write() as connection:
            for month in ("2026-08", "2026-09"):
                await monthly_counts.add(connection, month, "chats/length/60", 31 * 20)
            await monthly_counts.add(connection, "2026-09", "report/acted/spam", 40)
        await kit.database.close()

    asyncio.run(fill())


def test_published_months_are_printed_and_forgotten_one_by_one(serendip: Run, tmp_path: Path) -> None:
    filled(tmp_path)
    shown = serendip("statistics", "show").stdout
    assert ("How long chats last" in shown, "2 months" in shown) == (True, True)
    [month] = json.loads(serendip("statistics", "show", "2026-09", "--json").stdout)
    assert [row["chats"] for row in month["lengths"]] == [20]
    assert json.loads(serendip("statistics", "forget", "2026-09", "--json").stdout) == {"counts": 1, "deleted": False}
    gone = serendip("statistics", "forget", "2026-09", "--yes", "--json").stdout
    assert json.loads(gone) == {"counts": 1, "deleted": True}
    assert [one["month"] for one in json.loads(serendip("statistics", "show", "--json").stdout)] == ["2026-08"]
    assert json.loads(serendip("safety", "report", "--json").stdout) == []  # no month of moderation is complete
    wrong = serendip("statistics", "show", "last")
    assert (wrong.exit_code, "a month is written as 2026-11" in wrong.stderr) == (2, True)
