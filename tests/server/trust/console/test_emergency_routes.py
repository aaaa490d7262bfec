"""Test `/emergencies`: what waits for a review, and who may write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.trust.console.console_gate import FRESH
from server.trust.moderators.emergency_reviews import WITHIN_S, EmergencyReviews
from server.trust.moderators.roles import Action, Operator
from tests.server.trust.console.conftest import Console

CASE = bytes(range(16))
ADA = Operator("ada", frozenset({"officer"}), 0.0)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_another_operator_reviews_an_emergency_and_its_author_does_not(console: Console) -> None:
    ada, bob = await console.person("ada", "officer"), await console.person("bob", "lead")
    await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat", emergency=True)
    (due,) = await EmergencyReviews(console.kit.database).listed()
    own, others = await ada.get("/emergencies"), await bob.get("/emergencies")
    assert "You had a part in it" in own.text
    assert "<textarea" not in own.text
    assert "<textarea" in others.text
    assert "The review is due by" in others.text
    sent = {"number": due.number, "verdict": "unlawful", "finding": "no <b>life</b> was in danger"}
    assert (await ada.post("/emergencies", **sent)).status == 409
    assert (await bob.post("/emergencies", **{**sent, "verdict": ""})).status == 409
    assert (await bob.post("/emergencies", **sent)).to == "/emergencies"
    page = (await ada.get("/emergencies")).text
    assert "no &lt;b&gt;life&lt;/b&gt; was in danger" in page
    assert "It was not right" in page
    assert "Nothing waits" in page


async def test_a_late_review_says_so_and_a_review_takes_a_fresh_passkey(console: Console) -> None:
    await console.enrolled("ada", "officer")
    await console.enrolled("bob", "lead")
    await console.approvals.ask(ADA, Action.REVEAL, CASE, "a threat", emergency=True)
    (due,) = await EmergencyReviews(console.kit.database).listed()
    console.kit.now += WITHIN_S + 1
    bob = await console.again("bob")
    assert "The review is late" in (await bob.get("/emergencies")).text
    console.kit.now += FRESH + 1
    assert (await bob.post("/emergencies", number=due.number, verdict="lawful", finding="so")).status == 403


async def test_a_moderator_sees_none_of_it(console: Console) -> None:
    moderator = await console.person("cy", "moderator")
    assert (await moderator.get("/emergencies")).status == 404
