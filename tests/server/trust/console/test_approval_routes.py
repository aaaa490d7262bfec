"""Test `/approvals`: the open requests, and who sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.trust.console.console_gate import FRESH
from server.trust.moderators.approvals import State
from server.trust.moderators.roles import Action, Operator
from tests.server.trust.console.conftest import Console

CASE = bytes(range(16))
ADA = Operator("ada", frozenset({"officer"}), 0.0)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_another_operator_sees_what_waits_and_confirms(console: Console) -> None:
    ada, bob = await console.person("ada", "officer"), await console.person("bob", "officer")
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a <b>threat</b>")
    own, others = await ada.get("/approvals"), await bob.get("/approvals")
    assert "a &lt;b&gt;threat&lt;/b&gt;" in others.text
    assert "Confirm</button>" in others.text
    assert "Confirm</button>" not in own.text
    assert "Take back" in own.text
    assert (await ada.post("/approvals/confirm", id=ident)).status == 409
    assert (await bob.post("/approvals/confirm", id=ident)).to == "/approvals"
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.CONFIRMED
    assert "bob confirmed" in (await ada.get("/approvals")).text


async def test_another_operator_refuses(console: Console) -> None:
    await console.person("ada", "officer")
    bob = await console.person("bob", "officer")
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    assert (await bob.post("/approvals/refuse", id=ident)).to == "/approvals"
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.REFUSED
    assert "Nothing waits" in (await bob.get("/approvals")).text


async def test_a_yes_takes_a_fresh_passkey(console: Console) -> None:
    await console.enrolled("ada", "officer")
    key = await console.enrolled("bob", "officer")
    bob = await console.again("bob")
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    console.kit.now += FRESH + 1
    asked = await bob.post("/approvals/confirm", id=ident)
    assert asked.status == 403
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.ASKED
    done = await bob.post("/approvals/confirm", id=ident, passkey=key.get(asked.options))
    assert done.to == "/approvals"
    assert await console.approvals.find(Action.REVEAL, CASE, ADA) is State.CONFIRMED


async def test_who_may_none_of_it_sees_nothing(console: Console) -> None:
    await console.enrolled("ada", "officer")
    await console.enrolled("bob", "officer")
    lead, moderator = await console.person("dee", "lead"), await console.person("cy", "moderator")
    ident = await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat")
    assert "Nothing waits" in (await lead.get("/approvals")).text, "a lead has approvals, but not these"
    assert (await lead.post("/approvals/confirm", id=ident)).status == 409
    console.kit.now += FRESH + 1
    for answer in (await moderator.get("/approvals"), await moderator.post("/approvals/confirm", id=ident)):
        assert answer.status == 404
