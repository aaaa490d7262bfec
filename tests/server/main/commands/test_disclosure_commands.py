"""Test that an address and a case's file are handed over by command as in the console: to a named authority, approved, with audit log and ledger."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from server.data.schema.console_schema import approval
from server.ops.config.settings import Objects
from tests.server.data.conftest import Kit, make_kit
from tests.server.main.commands.conftest import Run
from tests.server.main.commands.test_case_commands import one
from tests.server.trust.legal_orders.orders import officers


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip safety …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("safety", *words)


def within(folder: Path, act: Callable[[Kit], Awaitable[object]]) -> None:
    """Do something in the store of a data folder."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def done() -> None:
        try:
            await act(kit)
        finally:
            await kit.database.close()

    asyncio.run(done())


async def approved(kit: Kit) -> None:
    """Let the wait that stands for a second officer be over."""
    async with kit.database.write() as connection:
        await connection.execute(update(approval).values(ready=approval.c.asked))


def test_an_address_is_printed_once_it_is_approved_and_the_ledger_has_it(run: Run, tmp_path: Path) -> None:
    case = one(tmp_path)
    asked = ("reveal", case[:10], "--recipient", "Oslo police", "--why", "demand 7", "--operator", "ada")
    unnamed = run("reveal", case, "--recipient", " ", "--why", "x")
    assert (unnamed.exit_code, type(unnamed.exception)) == (1, SystemExit), "a line, and no traceback"
    waits = run(*asked)
    assert waits.exit_code == 3
    assert "no other of the same role" in waits.output
    within(tmp_path, approved)
    shown = run(*asked)
    assert shown.exit_code == 0, shown.output
    assert "81." in shown.stdout
    assert json.loads(run(*asked, "--json").stdout)["address"].startswith("81.")
    out = tmp_path / "case.json"
    file = ("export", case, "--recipient", "Oslo police", "--why", "demand 7", "--out", str(out), "--operator", "ada")
    assert run(*file).exit_code == 3
    within(tmp_path, approved)
    assert run(*file).exit_code == 0
    assert json.loads(out.read_bytes())["case"] == case
    assert out.stat().st_mode & 0o077 == 0
    assert run(*file).exit_code != 0, "no file is written over"
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        lines = database.execute("SELECT what, phase, recipient FROM disclosure ORDER BY number").fetchall()
        actions = {row[0] for row in database.execute("SELECT action FROM audit")}
    assert lines == [
        (what, phase, "Oslo police") for what in ("reveal", "reveal", "export") for phase in ("intent", "done")
    ]
    assert {"approval ask", "safety reveal", "safety export"} <= actions


def test_no_other_day_ends_the_wait_for_a_second_officer_or_what_the_person_reads(run: Run, tmp_path: Path) -> None:
    case, out = one(tmp_path), tmp_path / "case.json"
    to = (case, "--recipient", "Oslo police", "--why", "demand 7", "--operator", "ada")
    tomorrow = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 86_400 + 3_600))
    for verb in (("reveal", *to), ("export", *to, "--out", str(out))):
        assert run(*verb).exit_code == 3
        dated = run(*verb, "--now", tomorrow)
        assert (dated.exit_code, "--dry-run alone" in dated.output) == (2, True), dated.output
        assert run(*verb, "--now", tomorrow, "--dry-run").exit_code == 0
    assert run("reveal", *to, "--emergency", "--now", "2020-01-01").exit_code == 2
    assert not out.exists()
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        assert database.execute("SELECT count(*) FROM disclosure").fetchone() == (0,)


def test_a_name_without_an_account_discloses_nothing_where_officers_have_accounts(run: Run, tmp_path: Path) -> None:
    case = one(tmp_path)
    within(tmp_path, lambda kit: officers(kit, "ada"))
    to = (case, "--recipient", "Oslo police", "--why", "demand 7", "--operator")
    assert "no officer" in run("reveal", *to, "ann", "--emergency").output
    assert "no other of the same role" in run("reveal", *to, "ada").output


def test_an_emergency_does_not_wait(run: Run, tmp_path: Path) -> None:
    case = one(tmp_path)
    shown = run("reveal", case, "--recipient", "Oslo police", "--why", "a life", "--emergency", "--operator", "ada")
    assert "81." in shown.stdout


def test_an_export_that_fails_leaves_no_file(run: Run, tmp_path: Path) -> None:
    case, out = one(tmp_path), tmp_path / "case.json"
    file = ("export", case, "--recipient", "Oslo police", "--why", "demand 7", "--out", str(out), "--operator", "ada")
    assert run(*file).exit_code == 3
    within(tmp_path, approved)
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database, database:
        database.execute("ALTER TABLE report RENAME TO gone")
    failed = run(*file)
    assert (failed.exit_code, out.exists()) == (1, False), failed.output
