"""Test the commands about queues and saved answers: the same rows as in the console."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from server.ops.config.settings import Objects
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.passkeys import Credential
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run
from tests.server.main.commands.test_case_commands import one


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip safety …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("safety", *words)


def enrolled(folder: Path, name: str, role: str) -> None:
    """Make an account with a passkey."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def enrol() -> None:
        try:
            accounts = Accounts(kit.database, kit.pseudonyms)
            link = await accounts.invite(name, [role], "test")
            assert await accounts.enrol(link.rpartition("/")[2], Credential(name.encode(), b"key", 0))
        finally:
            await kit.database.close()

    asyncio.run(enrol())


def test_queues_have_their_sizes_and_the_accounts_that_read_them(run: Run, tmp_path: Path) -> None:
    one(tmp_path)
    before = run("queues").stdout
    assert "no account with a passkey opens: urgent, people, machine, spam, low, appeals, notices" in before
    enrolled(tmp_path, "ada", "moderator")
    enrolled(tmp_path, "bob", "lead")
    found = {row["queue"]: row for row in json.loads(run("queues", "--json").stdout)}
    assert list(found) == ["urgent", "people", "machine", "spam", "low", "appeals", "notices"]
    assert (found["spam"]["open"], found["spam"]["readers"]) == (1, ["ada", "bob"])
    assert found["spam"]["oldest"] > 1_700_000_000
    assert (found["appeals"]["open"], found["appeals"]["oldest"], found["appeals"]["readers"]) == (0, None, ["bob"])
    assert (found["urgent"]["roles"], found["urgent"]["readers"]) == (["child"], [])
    assert "no account with a passkey opens: urgent\n" in run("queues").stdout


def test_a_saved_answer_is_saved_listed_carried_by_a_decision_and_deleted(run: Run, tmp_path: Path) -> None:
    case = one(tmp_path)
    save = ("templates", "save", "links", "Keine Links, bitte.", "--language", "de", "--operator", "ada")
    assert run(*save).exit_code == 1, "there is no such account"
    enrolled(tmp_path, "ada", "moderator")
    assert run(*save).exit_code == 0
    listed = json.loads(run("templates", "list", "--operator", "ada", "--json").stdout)
    assert (listed[0]["title"], listed[0]["texts"], listed[0]["own"]) == ("links", {"de": "Keine Links, bitte."}, True)
    assert not any(row["own"] for row in json.loads(run("templates", "list", "--operator", "bob", "--json").stdout))
    decide = ("decide", case, "--why", "adverts", "--measure", "warning", "--rule", "R5", "--operator", "ada")
    assert "no saved answer zz" in run(*decide, "--template", "zz").output
    assert "not both" in run(*decide, "--template", "advert", "--words", "x").output
    assert run(*decide, "--template", listed[0]["id"]).exit_code == 0
    assert run("templates", "remove", listed[0]["id"], "--operator", "bob").exit_code == 1
    assert run("templates", "remove", listed[0]["id"], "--operator", "ada").stdout == f"deleted {listed[0]['id']}\n"
    assert "no language" in run("templates", "list", "--language", "xx").output
