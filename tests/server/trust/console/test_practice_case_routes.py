"""Test the practice pages: an answer is judged, and nothing of it is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.data.schema.moderation_schema import case
from server.data.schema.record_schema import audit
from server.trust.moderators.example_cases import EXAMPLES
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_example_says_what_would_be_decided_and_why(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    assert (await ada.get("/examples")).to == "/examples/1"
    assert "This is an invented case" in (await ada.get("/examples/1")).text
    right = (await ada.post("/examples/1", choice="ban", rule="R5")).text
    assert "That is how we would decide" in right
    assert "The ladder of R5 begins with a day" in right
    for data in ({"choice": "ban", "rule": "R4"}, {"choice": "none"}, {"choice": "x"}):
        assert "We would decide otherwise" in (await ada.post("/examples/1", **data)).text
    for number in ("0", str(len(EXAMPLES) + 1)):
        assert (await ada.get(f"/examples/{number}")).status == 404


async def test_practice_leaves_no_row(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    async with kit.database.read() as connection:
        before = (await connection.execute(select(func.count()).select_from(audit))).scalar_one()
    for number, one in enumerate(EXAMPLES, 1):
        answer = await ada.post(f"/examples/{number}", choice=one.measures[0], rule=one.rule)
        assert "That is how we would decide" in answer.text, one.name
    async with kit.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(case))).scalar_one() == 0
        assert (await connection.execute(select(func.count()).select_from(audit))).scalar_one() == before
