"""Operators at the command line: notices, and what is published. Text of people is only ever text."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from server.data.retention import monthly_counts
from server.ops.config.settings import Objects
from server.trust.moderation_protocol import NoticeForm
from server.trust.reports.illegal_content_notices import PublicNotices
from tests.server.data.conftest import Kit, make_kit
from tests.server.main.commands.conftest import Run


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip safety …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("safety", *words)


def filled(folder: Path) -> None:
    """A notice with nasty text, and a month that is over."""

    async def fill(kit: Kit) -> None:
        await PublicNotices(kit.database, kit.pseudonyms).write(
            NoticeForm("chat", "yesterday", "\x1b[31mred", "me@example.org")
        )
        async with kit.database.write() as connection:
            await monthly_counts.add(connection, "2026-10", "report/acted/spam", 40)
            await monthly_counts.add(connection, "2026-10", "report/none/spam", 3)
            await monthly_counts.add(connection, *monthly_counts.UPTO, 1_795_000_000)
        await kit.database.close()

    asyncio.run(fill(make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())))


def test_a_notice_is_listed_read_and_answered(run: Run, tmp_path: Path) -> None:
    filled(tmp_path)
    ident = json.loads(run("notices", "list", "--json").stdout)[0]["id"]
    assert ident[:12] in run("notices", "list").stdout
    shown = run("notices", "show", ident[:8], "--why", "my turn").stdout
    assert "words: <1b>[31mred" in shown
    assert "contact: me@example.org" in shown
    assert "\x1b" not in shown
    assert json.loads(run("notices", "show", ident, "--why", "x", "--json").stdout)["about"] == "yesterday"
    assert run("notices", "answer", ident, "none", "--why", "nothing there", "--words", "Thank you.").exit_code == 0
    assert "our answer: Thank you." in run("notices", "show", ident, "--why", "look").stdout
    assert "already" in run("notices", "answer", ident, "none", "--why", "again").output
    assert "hexadecimal" in run("notices", "show", "zz", "--why", "x").output


def test_a_flood_of_notices_is_cleared_when_it_is_said_twice(run: Run, tmp_path: Path) -> None:
    filled(tmp_path)
    assert "1 notices would be decided" in run("notices", "clear", "--why", "flood", "--from", "2026-01-01").stdout
    assert "1 waiting" in run("notices", "list").stdout
    early = run("notices", "clear", "--why", "flood", "--from", "2026-01-01", "--to", "2026-01-01 12:00", "--yes")
    assert early.stdout == "0 notices decided\n"
    child = run("notices", "clear", "--why", "flood", "--from", "2026-01-01", "--kind", "child", "--yes")
    assert child.stdout == "0 notices decided\n"
    done = run("notices", "clear", "--why", "flood", "--from", "2026-01-01", "--yes")
    assert done.stdout == "1 notices decided\n"
    assert "0 waiting" in run("notices", "list").stdout
    assert run("notices", "clear", "--why", "x", "--from", "soon").exit_code == 2
    assert run("notices", "clear", "--why", "x", "--from", "2026-01-01", "--kind", "spam").exit_code == 2


def test_a_month_is_printed_without_its_small_numbers(run: Run, tmp_path: Path) -> None:
    filled(tmp_path)
    printed = run("report").stdout
    assert "2026-10" in printed
    assert "43" in printed
    assert "< 10" in printed
    assert not any(line.split()[-1:] in (["3"], ["40"]) for line in printed.splitlines())
    assert (
        json.loads(run("report", "--from", "2026-10", "--to", "2026-10", "--json").stdout)[0]["reports"]["number"] == 43
    )
    assert run("report", "--from", "2026-11").stdout == "0 months\n"
    assert run("report", "--to", "november").exit_code == 2
