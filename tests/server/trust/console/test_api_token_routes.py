"""Test the page of tokens: a fresh passkey makes one, it is shown once, and each moderator has their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.trust.console.console_gate import FRESH
from server.trust.moderators.api_tokens import BEGIN
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console

MADE = re.compile(rf'<code id="made" dir="ltr">({BEGIN}[\w-]{{22}})</code>')
NEW = {"name": "bot", "scope": "read", "days": "30"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the tokens' own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_a_token_is_shown_once_and_revoked_by_its_owner_alone(console: Console) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    page = await ada.post("/tokens", **NEW)
    assert page.status == 200
    assert len(MADE.findall(page.text)) == 1
    again = (await ada.get("/tokens")).text
    assert BEGIN not in again
    assert "bot" in again
    assert "Never used." in again
    ident = again.partition('name="id" value="')[2][:32]
    await bob.post("/tokens/revoke", id=ident)
    assert ident in (await ada.get("/tokens")).text
    assert ident not in (await bob.get("/tokens")).text
    assert (await ada.post("/tokens/revoke", id=ident)).to == "/tokens"
    assert ident not in (await ada.get("/tokens")).text


async def test_making_one_needs_a_fresh_passkey_and_a_role_that_works_on_cases(console: Console, kit: Kit) -> None:
    zoe = await console.person("zoe", "clerk")
    assert (await zoe.get("/tokens")).status == 404
    assert (await zoe.post("/tokens", **NEW)).status == 404
    ada = await console.person("ada", "moderator")
    kit.now += FRESH + 1
    assert (await ada.post("/tokens", **NEW)).status == 403
    assert await kit.count("api_token") == 0


async def test_a_wrong_form_says_what_is_missing(console: Console) -> None:
    ada = await console.person("ada", "moderator")
    for wrong, words in (
        ({"name": ""}, "A token needs a name of up to 40 characters."),
        ({"scope": "all"}, "Choose what the token may do, and how long it lasts."),
        ({"days": "31"}, "Choose what the token may do, and how long it lasts."),
    ):
        page = await ada.post("/tokens", **(NEW | wrong))
        assert page.status == 409
        assert words in page.text
