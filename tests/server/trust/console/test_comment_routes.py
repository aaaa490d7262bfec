"""Test comments and passing on over HTTP, within the roles' permissions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_a_case_is_commented_and_passed_on_to_somebody_who_may_open_it(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    await console.enrolled("root", "admin")
    await console.enrolled("eva", "child")
    ident = await case(kit)
    page = (await ada.get(f"/case/{ident}")).text
    assert '<option value="bob">' in page
    assert '<option value="root">' not in page
    assert '<option value="@child">' in page
    assert '<option value="@lead">' not in page, "no account has this role"
    assert (await ada.post(f"/case/{ident}/comment", text="<i>odd</i>")).to == f"/case/{ident}#comments"
    assert (await ada.post(f"/case/{ident}/pass", to="root", text="x")).status == 409
    assert (await ada.post(f"/case/{ident}/pass", to="bob", text="you know them")).to == "/cases?queue=spam"
    assert "for bob" in (await ada.get("/cases?queue=spam")).text
    assert "Cases passed on to you: 1" in (await bob.get("/cases?queue=people")).text
    assert "Cases passed on to you" not in (await ada.get("/cases?queue=people")).text
    assert (await bob.post("/cases/next", queue="spam")).to == f"/case/{ident}"
    page = (await bob.get(f"/case/{ident}")).text
    assert "&lt;i&gt;odd&lt;/i&gt;" in page
    assert "you know them" in page
    assert "This case was passed on to: bob." in page
    await bob.post(f"/case/{ident}/release")
    await console.accounts.close("bob", "test")
    assert "for bob" not in (await ada.get("/cases?queue=spam")).text


async def test_a_case_passed_on_to_child_protection_is_not_there_for_the_moderator_any_more(
    console: Console, kit: Kit
) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    ident = await case(kit, reason="hate")
    await ada.get(f"/case/{ident}")
    assert (await ada.post(f"/case/{ident}/pass", to="@child", text="seems 14")).status == 303
    for path in ("", "/alike"):
        assert (await ada.get(f"/case/{ident}{path}")).status == 404
    for path in ("/comment", "/pass", "/translate", "/alike"):
        assert (await ada.post(f"/case/{ident}{path}", text="x", to="ada")).status == 404
    assert (await eva.get(f"/case/{ident}")).status == 200


async def test_others_at_work_are_shown_by_the_queues_that_one_may_open(console: Console, kit: Kit) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    spam, urgent = await case(kit), await case(kit, about=40, reason="minor")
    await eva.get(f"/case/{urgent}")
    assert "At work now" not in (await ada.get("/cases?queue=spam")).text
    await eva.get(f"/case/{spam}")
    page = (await ada.get("/cases?queue=spam")).text
    assert "At work now" in page
    assert urgent not in page
