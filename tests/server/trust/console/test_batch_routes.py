"""Test the decision about cases that began alike, over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case
from tests.server.trust.moderation.people import bans, text


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def swarm(kit: Kit, count: int) -> list[str]:
    """Cases of advertisers."""
    return [
        await case(
            kit, about=60 + n, said=text("hi", f"hey you, come to my private room at annas{n}.live tonight and see me")
        )
        for n in range(count)
    ]


async def test_alike_cases_are_listed_decided_at_once_and_undone_whole(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    idents = await swarm(kit, 4)
    other = await case(kit, about=90, said=text("hi", "what is your favourite film of all time, and why?"))
    listed = (await ada.get("/cases?queue=spam")).text
    assert "come to my private room" in listed
    assert "3 more began alike" in listed
    await bob.get(f"/case/{idents[3]}")
    page = (await ada.get(f"/case/{idents[0]}/alike")).text
    assert all(ident in page for ident in idents)
    assert other not in page
    chosen = [*idents, other]
    answer = await ada.ask(
        "POST", f"/case/{idents[0]}/alike",
        [("token", ada.token), *(("case", one) for one in chosen), ("choice", "step"), ("rule", "R5")],
    )  # fmt: skip
    assert answer.status == 303
    after = (await ada.get(answer.to)).text
    assert "Cases decided together: 3." in after
    assert "the decision is too mild for a video chat: 1." in after
    known = bans(kit)
    await known.refresh()
    assert [known.find(one, "") is not None for one in (60, 61, 62, 63, 90)] == [True, True, True, False, False]
    batch = answer.to.partition("batch=")[2][:32]
    assert (await bob.post(f"/batch/{batch}/undo")).status == 409
    assert (await ada.post(f"/batch/{batch}/undo")).to == "/cases?queue=spam"
    await known.refresh()
    assert known.find(60, "") is None


async def test_nothing_marked_and_nothing_chosen_are_refused(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    (ident,) = await swarm(kit, 1)
    for data in (
        {"choice": "step", "rule": "R5"},
        {"case": ident, "choice": "", "rule": "R5"},
        {"case": ident, "choice": "age"},
    ):
        assert (await ada.post(f"/case/{ident}/alike", **data)).status == 409
