"""Test the visibility of cases for each role and path, of the urgent queue above all; and that no page has an identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.ops.config.moderation_policy import DAY
from server.trust.cases.user_appeals import Appeals
from server.trust.moderators.break_reminders import WORK
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided, plain
from tests.server.trust.moderation.people import desk


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


MODERATORS = {
    "moderator": {"work"},
    "lead": {"work", "long", "forever", "unban", "appeals"},
    "officer": {"work", "reveal", "export", "hold", "produce"},
    "child": {"work", "child"},
    "admin": set(),
}


@pytest.mark.parametrize("role", sorted(MODERATORS))
async def test_whoever_tries_what_the_role_may_not_finds_nothing_there(console: Console, kit: Kit, role: str) -> None:
    await console.enrolled(
        "eve", "child", "lead"
    )  # else an officer reads that nobody opens the queue, if not what is in it
    person = await console.person("ada", role)
    missing = (await person.get("/there-is-nothing")).text
    ident, urgent = await case(kit), await case(kit, about=33, reason="minor")
    await desk(kit).decide(ident, "zoe", "so", Decision("ban", "R5", DAY))
    tries = {
        "work": (("GET", "/cases"), ("GET", f"/case/{ident}"), ("POST", f"/case/{ident}/decide")),
        "child": (("GET", "/cases?queue=urgent"), ("GET", f"/case/{urgent}")),
        "long": (("POST", f"/case/{ident}/decide/long"),),
        "forever": (("POST", f"/case/{ident}/decide/pair"),),
        "unban": (("POST", f"/case/{ident}/unban"),),
        "appeals": (("GET", "/appeals"), ("POST", f"/appeals/{ident}")),
        "reveal": (("POST", f"/case/{ident}/reveal"),),
        "export": (("POST", f"/case/{ident}/export"),),
        "hold": (("POST", f"/case/{ident}/hold"),),
    }
    for action, paths in tries.items():
        for method, path in paths:
            answer = await person.ask(method, path, {"token": person.token} if method == "POST" else None)
            if action in MODERATORS[role]:
                assert (answer.status == 404) == (path == f"/appeals/{ident}"), path  # nobody appealed
            else:
                assert (answer.status, plain(answer.text)) == (404, missing), path
    if "child" not in MODERATORS[role]:
        for way in ("release", "undo", "decide", "unban", "reveal", "export", "hold"):
            answer = await person.post(f"/case/{urgent}/{way}", why="so", choice="none")
            assert (answer.status, answer.text) == (404, missing), way
        assert (await person.post("/cases/next", queue="urgent")).status == 404
        assert "Urgent" not in (await person.get("/cases")).text
        assert [one.state for one in await desk(kit).cases("urgent")] == ["open"]


async def test_who_chose_children_sees_them_only_where_they_look_for_them(console: Console, kit: Kit) -> None:
    kim = await console.person("kim", "child")
    urgent, people = await case(kit, about=33, reason="minor"), await case(kit, about=34, reason="threat")
    listed = (await kim.get("/cases")).text
    assert people[:8] in listed
    assert urgent[:8] not in listed
    assert (await decided(kim, people, "none", "")).to == f"/cases?queue=people&done={people}"
    page = (await kim.get(f"/case/{urgent}")).text
    assert "Country" in page
    assert 'value="R1" checked' in page


async def test_a_country_stands_in_urgent_cases_alone_and_no_page_has_anybodys_values(
    console: Console, kit: Kit
) -> None:
    people = [await console.person(name, *roles) for name, *roles in (("kim", "child", "lead"), ("eve", "officer"))]
    ident = await case(kit, note="look at this")
    await desk(kit).decide(ident, "zoe", "so", Decision("ban", "R5", DAY))
    token = path_of(kit.pseudonyms, bytes.fromhex(ident)).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "no")
    other, urgent = await case(kit, about=33), await case(kit, about=34, reason="minor")
    paths = ["/cases", "/cases?queue=spam", "/cases?queue=urgent", "/appeals", "/approvals"]
    secrets = [address(n) for n in (11, 22, 33, 34)] + [token]
    secrets += [kit.pseudonyms.safety_identity(n).hex() for n in (11, 22, 33, 34)]
    for person in people:
        for path in [*paths, *(f"/case/{one}" for one in (ident, other, urgent))]:
            page = (await person.get(path)).text
            assert not [secret for secret in secrets if secret in page], path
            assert ("Country" in page) == (path == f"/case/{urgent}" and "kim" in page and "Decide" in page)
        for one in (other, urgent):
            await person.post(f"/case/{one}/release")


async def test_no_case_is_said_in_the_same_way_as_no_page(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    missing = (await ada.get("/there-is-nothing")).text
    for path in ("/case/" + "0" * 32, "/case/x", "/cases?queue=all", f"/case/{'A' * 32}"):
        answer = await ada.get(path)
        assert (answer.status, plain(answer.text)) == (404, missing), path
    assert kit.now == NOW


async def test_after_fifty_minutes_a_break_is_proposed(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    for _ in range(WORK // 240 + 1):
        page = (await ada.get("/cases")).text
        assert ("A break would do you good" in page) == (kit.now >= NOW + WORK)
        kit.now += 240
    assert "A break would do you good" in (await ada.get("/cases")).text
