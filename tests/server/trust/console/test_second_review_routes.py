"""Test the pages of second reviews: who is asked, and what is shown before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.data.retention.stale_cases import UNDO
from server.trust.decisions.second_reviews import SecondReviews
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided, plain

NOBODY = "No case waits for a second look of yours"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


@pytest.fixture(autouse=True)
def each(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case is drawn; after the kit, which draws none."""
    monkeypatch.setattr(SecondReviews, "drawn", staticmethod(lambda: True))


async def test_whoever_did_not_decide_says_what_they_would_have_and_reads_both(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "lead")
    ident = await case(kit, reason="nudity")
    await decided(ada, ident, "days", "R2", words="Keep it <b>on</b>.")
    assert NOBODY in (await bob.get("/second")).text  # it may still be taken back
    kit.now += UNDO + 1
    assert NOBODY in (await ada.get("/second")).text
    assert f'href="/case/{ident}"' in (await bob.get("/second")).text
    blind = (await bob.get(f"/case/{ident}")).text
    assert f'action="/case/{ident}/second"' in blind
    for told in ("Keep it", "by ada", "Decided</h2>", "/unban", "right in"):
        assert told not in blind, told
    assert re.search(r'value="R4".*<small class="muted">Warning</small>', blind), "the ladder is as before the decision"
    assert (await bob.post(f"/case/{ident}/second", choice="", rule="R2")).status == 409
    assert (await bob.post(f"/case/{ident}/second", choice="age", rule="R1")).status == 409  # of role child alone
    assert (await bob.post(f"/case/{ident}/second", choice="warning", rule="R2")).to == f"/case/{ident}"
    both = (await bob.get(f"/case/{ident}")).text
    assert "Ban, R2" in both
    assert "Second look: another decision. Warning, R2 (bob, " in both
    assert f'action="/case/{ident}/unban"' in both  # what nothing followed from, a lead may act on
    assert "Second look: another decision" in (await ada.get(f"/case/{ident}")).text
    assert (await bob.post(f"/case/{ident}/second", choice="none")).status == 409


async def test_the_childrens_cases_are_not_there_for_others(console: Console, kit: Kit) -> None:
    zoe, kim, bob = [
        await console.person(name, role) for name, role in (("zoe", "child"), ("kim", "child"), ("bob", "lead"))
    ]
    ident = await case(kit, reason="minor")
    await decided(zoe, ident, "age", "R1")
    kit.now += UNDO + 1
    missing = (await bob.get("/there-is-nothing")).text
    assert NOBODY in (await bob.get("/second")).text
    answer = await bob.post(f"/case/{ident}/second", choice="none")
    assert (answer.status, plain(answer.text)) == (404, missing)
    assert ident in (await kim.get("/second")).text
    assert (await kim.post(f"/case/{ident}/second", choice="age", rule="R5")).to == f"/case/{ident}"
    assert "Second look: the same. Seems under 18, R1 (kim, " in (await kim.get(f"/case/{ident}")).text


async def test_an_admin_has_no_such_page(console: Console, kit: Kit) -> None:
    ann = await console.person("ann", "admin")
    assert (await ann.get("/second")).status == 404
    assert (await ann.post(f"/case/{await case(kit)}/second", choice="none")).status == 404
