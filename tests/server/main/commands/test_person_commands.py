"""Test that a rights key or a log's delete address in a letter is answered by command as on the page, and nothing without one."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from server.data.records.store_ports import Saved
from server.ops.security import secret_keys
from server.trust.data_requests.rights_key import RightsKeys
from tests.server.data.conftest import Kit, ended, people, transcript
from tests.server.main.commands.conftest import Run
from tests.server.main.commands.test_disclosure_commands import within

ME = 11


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip privacy …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("privacy", *words)


def rows(folder: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "serendip.db")) as database:
        return database.execute(question).fetchall()


def lived(folder: Path) -> tuple[str, Saved]:
    """My key, and a log of mine."""
    saved: list[Saved] = []

    async def act(kit: Kit) -> None:
        await kit.write(ended(1, now=time.time()))
        saved.append(await kit.logs.save(transcript("hello there"), people()))

    within(folder, act)
    return RightsKeys(secret_keys.load(folder)).key(ME, 1_000), saved[0]


def test_a_key_opens_everything_of_its_person_and_deletes_it(run: Run, tmp_path: Path) -> None:
    key, _ = lived(tmp_path)
    known = run("know", "--key", key, "--why", "letter of May 2")
    assert known.exit_code == 0, known.output
    assert json.loads(known.stdout)["counts"]["chats"] == 1
    deleted = run("delete", "--key", key, "--why", "letter of May 2")
    assert "hidden, removed after" in deleted.stdout
    assert rows(tmp_path, "SELECT kind, by, state FROM request ORDER BY kind") == [
        ("delete", "letter", "open"), ("know", "letter", "fulfilled"),
    ]  # fmt: skip
    again = json.loads(run("know", "--key", key, "--why", "a look").stdout)
    assert again["counts"]["chats"] == 0
    actions = [row[0] for row in rows(tmp_path, "SELECT action FROM audit ORDER BY id")]
    assert actions[:6] == ["privacy know"] * 3 + ["privacy delete"] * 3, "asked, about whom, what came of it"


def test_a_delete_address_opens_its_log_alone_and_removes_it(run: Run, tmp_path: Path) -> None:
    _, saved = lived(tmp_path)
    url = f"https://chat.example/log/delete/{saved.delete}"
    shown = run("know", "--log", url, "--why", "letter")
    assert "hello there" in shown.stdout
    assert "counts" not in json.loads(shown.stdout)
    assert "is removed" in run("delete", "--log", url, "--why", "letter").stdout
    assert rows(tmp_path, "SELECT count(*) FROM log") == [(0,)]


def test_nothing_is_shown_without_a_proof(run: Run, tmp_path: Path) -> None:
    lived(tmp_path)
    for words in (("know", "--key", "sr1.AAAA"), ("delete", "--log", "https://chat.example/log/delete/no")):
        refused = run(*words, "--why", "letter")
        assert refused.exit_code == 1
        assert "opens nothing" in refused.output
    assert run("know", "--why", "letter").exit_code == 2
    assert rows(tmp_path, "SELECT outcome FROM audit ORDER BY id DESC LIMIT 1") == [("failed: RuntimeError",)]
