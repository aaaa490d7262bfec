"""The command line lists emergencies, says whether a review is late, and takes a review."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from server.ops.config.settings import Objects
from server.trust.moderators import emergency_reviews
from server.trust.moderators.roles import Action
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run


def begun(folder: Path, hours: int) -> None:
    """Write that ada disclosed something some hours ago."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def write() -> None:
        try:
            async with kit.database.write() as connection:
                at = int(time.time()) - hours * 3600
                await emergency_reviews.begin(connection, Action.REVEAL, bytes(16), "ada", at)
        finally:
            await kit.database.close()

    asyncio.run(write())


def test_an_emergency_is_listed_and_reviewed_by_another_operator(serendip: Run, tmp_path: Path) -> None:
    assert serendip("privacy", "emergency", "list").exit_code == 0
    begun(tmp_path, 1)
    listed = serendip("privacy", "emergency", "list", "--json")
    (row,) = json.loads(listed.stdout)
    assert (listed.exit_code, row["what"], row["by"], row["parties"]) == (0, "reveal", "ada", ["ada"])
    own = serendip(
        "privacy", "emergency", "review", row["number"], "--verdict", "lawful", "--finding", "x", "--operator", "ada"
    )
    assert (own.exit_code, "had a part" in own.output) == (1, True)
    done = serendip(
        "privacy",
        "emergency",
        "review",
        row["number"],
        "--verdict",
        "lawful",
        "--finding",
        "in time",
        "--operator",
        "bob",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(serendip("privacy", "emergency", "list", "--json").stdout) == []
    (made,) = json.loads(serendip("privacy", "emergency", "list", "--all", "--json").stdout)
    assert (made["verdict"], made["reviewed_by"], made["finding"]) == ("lawful", "bob", "in time")


def test_a_late_review_is_said_by_the_exit_status(serendip: Run, tmp_path: Path) -> None:
    serendip("privacy", "emergency", "list")
    begun(tmp_path, 49)
    late = serendip("privacy", "emergency", "list")
    assert (late.exit_code, "a review is late" in late.output) == (1, True)
