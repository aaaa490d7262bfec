"""Test `/accounts` for an admin."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.trust.console.console_gate import FRESH
from tests.server.trust.console.authenticator import Authenticator
from tests.server.trust.console.conftest import ORIGIN, Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_admin_invites_and_the_link_is_shown_once(console: Console) -> None:
    ada = await console.person("ada", "admin")
    made = await ada.post("/accounts/invite", name="bob", role=["moderator"])
    assert made.status == 200
    link = made.text.split('<code id="link">')[1].split("</code>")[0]
    assert link.startswith(f"{ORIGIN}/enrol/")
    assert "/enrol/" not in (await ada.get("/accounts")).text
    path, bob = link.removeprefix(ORIGIN), Person(console)
    page = await bob.get(path)
    assert (await bob.ask("POST", path, {"passkey": Authenticator().create(page.options)})).status == 303


async def test_an_admin_changes_roles_and_closes(console: Console) -> None:
    ada = await console.person("ada", "admin")
    await console.enrolled("bob", "moderator")
    assert (await ada.post("/accounts/roles", name="bob", role="lead")).to == "/accounts"
    assert [account.roles for account in await console.accounts.listed()] == [("admin",), ("lead",)]
    assert (await ada.post("/accounts/close", name="bob")).to == "/accounts"
    assert [account.name for account in await console.accounts.listed()] == ["ada"]


async def test_what_is_refused_is_said(console: Console) -> None:
    ada = await console.person("ada", "admin")
    for path, data, why in (
        ("/accounts/close", {"name": "ada"}, "The last admin stays"),
        ("/accounts/roles", {"name": "ada", "role": "officer"}, "their own roles"),
        ("/accounts/roles", {"name": "nobody", "role": "lead"}, "no such account"),
        ("/accounts/invite", {"name": "<b>", "role": "lead"}, "A name has"),
    ):
        answer = await ada.post(path, **data)
        assert answer.status == 409
        assert why in answer.text


async def test_accounts_need_a_fresh_passkey(console: Console) -> None:
    ada = await console.person("ada", "admin")
    console.kit.now += FRESH + 1
    assert (await ada.get("/accounts")).status == 403
    assert (await ada.post("/accounts/invite", name="bob", role="admin")).status == 403
    assert len(await console.accounts.listed()) == 1


async def test_the_page_says_that_names_are_pseudonyms(console: Console) -> None:
    ada = await console.person("ada", "admin")
    assert "Names are pseudonyms" in (await ada.get("/accounts")).text
