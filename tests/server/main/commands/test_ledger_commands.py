"""The command line lists the disclosures and finds a changed or missing line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import What
from server.ops.config.settings import Objects
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run


def disclosed(folder: Path, times: int) -> None:
    """Write intents."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def write() -> None:
        try:
            for _ in range(times):
                await DisclosureLedger(kit.database).intent(Disclosure(What.TOLD, "\x1b[31mHosting Ltd", "GDPR 19", ()))
        finally:
            await kit.database.close()

    asyncio.run(write())


def test_the_ledger_is_listed_and_checked_against_what_was_published(serendip: Run, tmp_path: Path) -> None:
    assert "0 lines" in serendip("privacy", "ledger", "verify").stdout
    disclosed(tmp_path, 3)
    rows = json.loads(serendip("privacy", "ledger", "list", "--json").stdout)
    assert [(row["number"], row["phase"], row["what"]) for row in rows] == [(n, "intent", "told") for n in (3, 2, 1)]
    assert "\x1b" not in serendip("privacy", "ledger", "list").stdout
    found = json.loads(serendip("privacy", "ledger", "verify", "--json").stdout)
    assert (found["head"]["lines"], found["unfinished"], found["problems"]) == (3, [1, 2, 3], [])
    head = f"3:{found['head']['hash']}"
    for known in (head, found["head"]["hash"]):
        assert serendip("privacy", "ledger", "verify", "--head", known).exit_code == 0
    assert serendip("privacy", "ledger", "verify", "--head", "three").exit_code == 2
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        database.execute("DROP TRIGGER disclosure_no_delete")
        database.execute("DELETE FROM disclosure WHERE number = 3")
        database.commit()
    assert serendip("privacy", "ledger", "verify").exit_code == 0  # the chain alone cannot know its end
    cut = serendip("privacy", "ledger", "verify", "--head", head)
    assert cut.exit_code == 1
    assert "line 3: missing" in cut.output
    assert "no line has" in serendip("privacy", "ledger", "verify", "--head", found["head"]["hash"]).output
