"""Test pictures over HTTP: none on the page, then one by one, each in the audit log; apparent abuse material for the role child alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.data.errors import ObjectsAway
from server.data.objects.sealed_objects import Sealed
from server.data.schema.record_schema import audit
from server.trust.moderators.break_reminders import LOOKS
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console, Person
from tests.server.trust.console.work import case, decided
from tests.server.trust.moderation.people import acted, cases, pictures

PATH = re.compile(r'data-picture="([^"]+)"')


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def looks(kit: Kit) -> int:
    """Lines of the trail about a look at a picture."""
    async with kit.database.read() as connection:
        wanted = select(func.count()).where(audit.c.action == "safety look")
        return int((await connection.execute(wanted)).scalar_one())


async def status(person: Person, path: str, **headers: str) -> int:
    """What a browser is answered; a picture is no text."""
    sent = {**person.headers, **headers, "Cookie": f"__Host-mod={person.cookie}"}
    async with person.console.client.get(path, headers=sent, allow_redirects=False) as answer:
        body = await answer.read()
        assert (answer.status == 200) == body.startswith(b"\xff\xd8")
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status


async def test_a_page_loads_none_and_each_that_is_asked_for_is_a_line_of_the_trail(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    ident = await case(kit, shown=pictures())
    answer = await ada.get(f"/case/{ident}")
    paths = PATH.findall(answer.text)
    assert len(paths) == 3
    assert "<img" not in answer.text.partition("<main")[2]
    assert "img-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Reported camera, as the other person saw it" in answer.text
    assert "data-picture" not in (await ada.get("/cases?queue=spam")).text  # nothing of them in a list
    assert await looks(kit) == 0
    for number, path in enumerate(paths, 1):
        assert await status(ada, path) == 200
        assert await looks(kit) == number


async def test_a_picture_is_no_page_and_belongs_to_our_own(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    path = PATH.findall((await ada.get(f"/case/{await case(kit, shown=pictures())}")).text)[0]
    ours = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}
    assert await status(ada, path, **ours) == 200
    for wrong in ({"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
        assert await status(ada, path, **{**ours, **wrong}) == 404
    assert await status(bob, path, **ours) == 404  # the case is ada's
    assert await status(ada, path[:-1] + ("0" if path[-1] != "0" else "1"), **ours) == 404
    assert await looks(kit) == 1


async def test_a_case_of_a_listed_picture_is_not_there_for_a_moderator(console: Console, kit: Kit) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    strip, *others = pictures()
    shown = (replace(strip, listed="a list: 7"), *others)
    ident = (await cases(kit).take(acted("known", at=int(kit.now), shown=shown))).hex()
    page = (await eva.get(f"/case/{ident}")).text
    paths = PATH.findall(page)
    missing = (await ada.get("/there-is-nothing")).text
    for path in (f"/case/{ident}", paths[0], f"{paths[0]}?why=so"):
        answer = await ada.get(path)
        assert (answer.status, answer.text) == (404, missing)
    assert (await ada.post(f"/case/{ident}/child", why="so")).status == 404
    (entry,) = re.findall(r"Like an entry of a list of known abuse material: <code[^>]*>(.+?)</code>", page)
    assert entry == "a list: 7"
    assert f"serendip safety referral {ident[:12]}" in page
    assert "as soon as reasonably possible" in page
    assert await status(eva, paths[0]) == 404  # without a reason
    assert await status(eva, f"{paths[0]}?why=is+it+on+the+list") == 200
    assert await looks(kit) == 1


async def test_role_child_marks_a_case_and_from_then_on_nobody_else_sees_it(console: Console, kit: Kit) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    ident = await case(kit, shown=pictures())
    assert f'action="/case/{ident}/child"' not in (await ada.get(f"/case/{ident}")).text
    assert (await ada.post(f"/case/{ident}/child", why="a child")).status == 404
    await ada.post(f"/case/{ident}/release")
    assert f'action="/case/{ident}/child"' in (await eva.get(f"/case/{ident}")).text
    assert (await eva.post(f"/case/{ident}/child", why=" ")).status == 409
    assert (await eva.post(f"/case/{ident}/child", why="a child")).to == f"/case/{ident}"
    assert (await ada.get(f"/case/{ident}")).status == 404
    assert "Pause, R7" not in (await eva.get(f"/case/{ident}")).text  # a person's, not a program's
    assert (await decided(eva, ident, "none")).status == 303


async def test_a_break_is_proposed_after_so_many_pictures(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    ident = await case(kit, shown=pictures())
    path = PATH.findall((await ada.get(f"/case/{ident}")).text)[0]
    for _ in range(LOOKS - 1):
        assert await status(ada, path) == 200
    assert 'data-left="1"' in (await ada.get(f"/case/{ident}")).text
    assert "You have looked at many pictures" not in (await ada.get("/cases")).text
    assert await status(ada, path) == 200
    assert "You have looked at many pictures" in (await ada.get("/cases")).text
    kit.now += 300
    assert "You have looked at many pictures" not in (await ada.get("/cases")).text


async def test_where_the_object_store_is_away_the_answer_says_so(
    console: Console, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    eva = await console.person("eva", "child")
    ident = await case(kit, shown=pictures(), said=None)
    path = PATH.findall((await eva.get(f"/case/{ident}")).text)[0]

    async def away(*_: object) -> None:
        raise ObjectsAway("test")

    monkeypatch.setattr(Sealed, "get", away)
    assert await status(eva, path) == 503
    assert (await eva.post(f"/case/{ident}/child", why="a child")).status == 303
