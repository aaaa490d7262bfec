"""Test the records of cases: what a moderator may not open is not named, and a country stands in urgent cases alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from server.trust.console.case_records import opened
from server.trust.decisions.case_work import EarlierDecision, Outcome
from tests.server.data.conftest import Kit
from tests.server.trust.console.work import case
from tests.server.trust.moderation.people import desk


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_earlier_case_that_may_not_be_opened_has_no_id(kit: Kit) -> None:
    found = await desk(kit).show(await case(kit), "ada", "test")
    earlier = (
        EarlierDecision(1, "ban", "R7", "decided", "aa", "urgent"),
        EarlierDecision(2, "ban", "R5", "decided", "bb", "spam"),
    )
    told = opened(replace(found, earlier=earlier), lambda queue: queue != "urgent")
    assert [one["case"] for one in told["earlier"]] == ["", "bb"]


async def test_a_country_is_told_of_urgent_cases_alone(kit: Kit) -> None:
    found = replace(await desk(kit).show(await case(kit), "ada", "test"), country="DE")
    urgent = replace(found, listed=replace(found.listed, queue="urgent"))
    assert [opened(one, bool)["country"] for one in (found, urgent)] == ["", "DE"]


async def test_an_outcome_and_a_programs_action_are_records(kit: Kit) -> None:
    found = await desk(kit).show(await case(kit), "ada", "test")
    told = opened(replace(found, outcome=Outcome(5, "ada", "ban", "R5", 35), program=("pause", "R5")), bool)
    assert told["outcome"] == {"closed": 5, "decided_by": "ada", "measure": "ban", "rule": "R5", "undo": 35}
    assert told["program"] == {"measure": "pause", "rule": "R5"}
