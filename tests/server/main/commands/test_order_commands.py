"""An officer enters an order, counts, has it confirmed, produces it and reads the list, at the command line."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from server.ops.config.settings import Objects
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run
from tests.server.trust.legal_orders.orders import BOB, approvals, officers, stored
from tests.server.trust.rights.people import A


@pytest.fixture
def run(serendip: Run, tmp_path: Path) -> Run:
    """Run `serendip privacy order …` on a store that has records."""

    async def fill() -> None:
        kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())
        await officers(kit, "ada", "bob")
        await stored(kit)
        await kit.database.close()

    asyncio.run(fill())
    (tmp_path / "paper").write_text("Order 7 of the court")
    return lambda *words: serendip("privacy", "order", *words)


def entered(run: Run, tmp_path: Path, *more: str) -> str:
    words = ("--authority", "A court", "--country", "no", "--paper", str(tmp_path / "paper"), "--identity", str(A))
    made = run("new", *words, "--operator", "ada", *more)
    assert made.exit_code == 0, made.output
    return made.stdout


async def confirm(folder: Path) -> None:
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())
    kit.now = time.time()
    for one in await approvals(kit)[1].waiting(BOB):
        await approvals(kit)[1].confirm(one.id, BOB)
    await kit.database.close()


def test_an_order_is_answered_from_its_entry_to_its_package(run: Run, tmp_path: Path) -> None:
    words = ("--kind", "court_order", "--categories", "A,F,LOG", "--due", "2099-01-01")
    assert "would be entered: it may open A, F; not LOG" in entered(run, tmp_path, *words, "--dry-run")
    number = entered(run, tmp_path, *words).split()[1].rstrip(":")
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["number"], listed["names"], listed["may_open"]) == (number, ["A", "F", "LOG"], ["A", "F"])
    out = str(tmp_path / "answer")
    beyond = run("produce", number, "--out", out, "--categories", "LOG")
    assert (beyond.exit_code, "at most" in beyond.output) == (1, True)
    counted = json.loads(run("produce", number, "--out", out, "--dry-run", "--json").stdout)
    assert (counted["state"], counted["counts"]["chats"]) == ("counted", 2)
    asked = run("produce", number, "--out", out, "--operator", "ada")
    assert (asked.exit_code, "/approvals" in asked.output) == (3, True)
    asyncio.run(confirm(tmp_path))
    done = run("produce", number, "--out", out, "--operator", "ada")
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in (tmp_path / "answer").iterdir()) == ["README.txt", "SHA256SUMS", "records.json"]
    shown = run("show", number, "--why", "a question of the court", "--json")
    assert (json.loads(shown.stdout)["paper"], json.loads(shown.stdout)["state"]) == (
        "Order 7 of the court",
        "produced",
    )
    assert json.loads(run("list", "--json").stdout) == []


def test_no_other_day_ends_the_wait_for_a_second_officer(run: Run, tmp_path: Path) -> None:
    number = entered(run, tmp_path, "--kind", "emergency", "--categories", "A").split()[1].rstrip(":")
    produce = ("produce", number, "--out", str(tmp_path / "answer"), "--operator", "ada")
    assert run(*produce).exit_code == 3
    for words in (produce, ("confirm", number, "--operator", "bob")):
        dated = run(*words, "--now", "2099-01-01")
        assert (dated.exit_code, "--dry-run alone" in dated.output) == (2, True), dated.output
    assert run(*produce, "--now", "2099-01-01", "--dry-run").exit_code == 0
    assert not (tmp_path / "answer").exists()


def test_what_an_officer_gets_wrong_is_an_error_of_one_line(run: Run, tmp_path: Path) -> None:
    number = entered(run, tmp_path, "--kind", "emergency", "--categories", "A").split()[1].rstrip(":")
    for words in (
        ("refuse", "0000-0000-0000-0", "--why", "x"),
        ("produce", number, "--out", str(tmp_path)),
        ("produce", number, "--out", str(tmp_path / "x"), "--categories", "Q"),
        ("new", "--kind", "letter", "--authority", "x", "--country", "no", "--categories", "A", "--address", "192.0.2.1",
         "--paper", str(tmp_path / "paper")),
    ):  # fmt: skip
        found = run(*words)
        assert found.exit_code in (1, 2)
        assert "Traceback" not in found.output
    assert run("refuse", number, "--why", "of no court").exit_code == 0
    assert "refused" in run("refuse", number, "--why", "again").output
