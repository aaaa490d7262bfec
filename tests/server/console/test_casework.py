"""The work on cases over HTTP: who sees what, who has which case, what a decision needs, and that no page names anybody."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from server.console.shifts import WORK
from server.privacy import audit
from server.safety.appeals import Appeals
from server.safety.desk import LEASE
from server.safety.measures import DAY, FOR_GOOD, Decision
from server.store.case_life import UNDO
from tests.server.console.conftest import Answer, Console, Person
from tests.server.safety.people import bans, cases, desk, reported, text
from tests.server.store.conftest import NOW, Kit, address


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def case(kit: Kit, about: int = 22, reason: str = "spam", by: int = 11, **more: object) -> str:
    """The id of a case with two lines."""
    said = more.pop("said", text("hello", "buy <b>this</b>"))
    return (
        await cases(kit).take(reported(by=by, about=about, reason=reason, at=int(kit.now), said=said, **more))
    ).hex()  # type: ignore[arg-type]


async def decided(person: Person, ident: str, choice: str, rule: str = "R5", **more: object) -> Answer:
    """A decision by the form, sent on as a browser would."""
    data = {"choice": choice, "rule": rule, "minutes": "60", "days": "7", "words": "", **more}
    path = f"/case/{ident}/decide"
    answer = await person.post(path, **data)
    while answer.status == 307:
        answer = await person.post(answer.to, **data)
    return answer


async def test_a_case_is_listed_opened_decided_and_the_next_one_comes(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    assert "Nothing waits in this queue" in (await ada.get("/cases?queue=spam")).text
    first = await case(kit, note="sells things")
    kit.now += 1
    second = await case(kit, about=23)
    listed = (await ada.get("/cases?queue=spam")).text
    assert listed.index(first[:8]) < listed.index(second[:8])
    assert (await ada.post("/cases/next", queue="spam")).to == f"/case/{first}"
    page = (await ada.get(f"/case/{first}")).text
    assert "buy &lt;b&gt;this&lt;/b&gt;" in page
    assert re.search(r'<li class="reported"><b>Reported</b> <time>0:00</time><p>buy', page)
    assert "sells things" in page
    assert "no decided reports in 90 days" in page
    answer = await decided(ada, first, "step", words="Adverts go elsewhere.")
    assert (answer.status, answer.to) == (303, f"/case/{second}?done={first}")
    after = (await ada.get(answer.to)).text
    assert f"Case <code>{first[:8]}</code> is decided: ban, R5" in after
    known = bans(kit)
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert found.until == int(kit.now) + DAY
    assert (await decided(ada, second, "none")).to == f"/cases?queue=spam&done={second}"
    assert "decided already" in (await ada.post(f"/case/{first}/decide", choice="none")).text


async def test_what_was_decided_a_moment_ago_is_taken_back_by_its_operator(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    ident = await case(kit)
    await decided(ada, ident, "step")
    assert (await bob.post(f"/case/{ident}/undo")).status == 409
    assert (await ada.post(f"/case/{ident}/undo")).to == f"/case/{ident}"
    assert 'id="decide"' in (await ada.get(f"/case/{ident}")).text
    await decided(ada, ident, "none")
    kit.now += UNDO + 1
    assert (await ada.post(f"/case/{ident}/undo")).status == 409
    assert 'id="undo"' not in (await ada.get(f"/case/{ident}?done={ident}")).text


async def test_a_case_is_one_operators_until_it_is_given_back(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    ident = await case(kit)
    await ada.get(f"/case/{ident}")
    other = await bob.get(f"/case/{ident}")
    assert other.status == 409
    assert "Ada has this case, for 15 more minutes" in other.text
    assert "buy" not in other.text
    assert "with ada" in (await bob.get("/cases?queue=spam")).text
    assert (await decided(bob, ident, "none")).status == 409
    assert (await ada.post(f"/case/{ident}/release")).to == "/cases?queue=spam"
    assert (await bob.get(f"/case/{ident}")).status == 200
    kit.now += LEASE
    assert (await ada.get(f"/case/{ident}")).status == 200


def plain(page: str) -> str:
    """A page, without the mark of where in the navigation it is."""
    return page.replace(' aria-current="page"', "")


MODERATORS = {
    "moderator": {"work"},
    "lead": {"work", "long", "forever", "unban", "appeals"},
    "officer": {"work", "reveal", "export", "hold"},
    "child": {"work", "child"},
    "admin": set(),
}


@pytest.mark.parametrize("role", sorted(MODERATORS))
async def test_whoever_tries_what_the_role_may_not_finds_nothing_there(console: Console, kit: Kit, role: str) -> None:
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
    assert "country" in page
    assert '<option value="R1" selected>' in page


async def test_a_country_stands_in_urgent_cases_alone_and_no_page_has_anybodys_values(
    console: Console, kit: Kit
) -> None:
    people = [await console.person(name, *roles) for name, *roles in (("kim", "child", "lead"), ("eve", "officer"))]
    ident = await case(kit, note="look at this")
    await desk(kit).decide(ident, "zoe", "so", Decision("ban", "R5", DAY))
    token = bans(kit).path(bytes.fromhex(ident)).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "no")
    other, urgent = await case(kit, about=33), await case(kit, about=34, reason="minor")
    paths = ["/cases", "/cases?queue=spam", "/cases?queue=urgent", "/appeals", "/approvals"]
    secrets = [address(n) for n in (11, 22, 33, 34)] + [token]
    secrets += [kit.pseudonyms.safety_identity(n).hex() for n in (11, 22, 33, 34)]
    for person in people:
        for path in [*paths, *(f"/case/{one}" for one in (ident, other, urgent))]:
            page = (await person.get(path)).text
            assert not [secret for secret in secrets if secret in page], path
            assert ("country" in page) == (path == f"/case/{urgent}" and "kim" in page and "Decide" in page)
        for one in (other, urgent):
            await person.post(f"/case/{one}/release")


async def test_a_long_ban_takes_a_lead_with_a_fresh_passkey(console: Console, kit: Kit) -> None:
    ada, lea = await console.person("ada", "moderator"), await console.person("lea", "lead")
    ident = await case(kit)
    refused = await decided(ada, ident, "days", days="31")
    assert refused.status == 409
    assert "takes a lead" in refused.text
    await ada.post(f"/case/{ident}/release")
    kit.now += 400
    asked = await decided(lea, ident, "days", days="31")
    assert asked.status == 403
    assert 'name="days" value="31"' in asked.text  # the passkey's page sends it on
    lea = await console.again("lea")
    assert (await decided(lea, ident, "days", days="31")).status == 303
    for days in ("0", "-1", "1e3", "99999999", ""):
        assert (await decided(lea, await case(kit, about=50), "days", days=days)).status == 409


async def test_a_ban_for_good_takes_two_and_is_what_the_other_confirmed(console: Console, kit: Kit) -> None:
    lea, lou = await console.person("lea", "lead"), await console.person("lou", "lead")
    ident = await case(kit, reason="threat")
    assert (await decided(lea, ident, "good", "R3", words="Threats.")).to == "/approvals"
    assert (await decided(lea, ident, "good", "R3")).to == "/approvals"
    waiting = (await lou.get("/approvals")).text
    assert "ban for good by R3. Threats." in waiting
    assert (await lou.get(f"/case/{ident}")).status == 200
    await lou.post(f"/case/{ident}/release")
    approval = re.findall(r'name="id" value="([0-9a-f]{32})"', waiting)[0]
    assert (await lou.post("/approvals/confirm", id=approval)).status == 303
    assert (await decided(lea, ident, "good", "R4")).to == "/approvals"  # this was not confirmed
    assert (await decided(lea, ident, "good", "R3", words="Threats.")).status == 303
    known = bans(kit)
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert (found.until, found.rule) == (FOR_GOOD, "R3")


async def test_appeals_are_answered_by_others_and_ones_own_says_why_not(console: Console, kit: Kit) -> None:
    lea, lou = await console.person("lea", "lead"), await console.person("lou", "lead")
    ident = await case(kit)
    await decided(lea, ident, "step", words="No <i>adverts</i>.")
    token = bans(kit).path(bytes.fromhex(ident)).rpartition("/")[2]
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(token, "it was <b>not</b> me")
    own = (await lea.get("/appeals")).text
    assert "You decided this case: somebody else answers" in own
    assert "<fieldset disabled" in own
    assert "it was &lt;b&gt;not&lt;/b&gt; me" in own
    assert "No &lt;i&gt;adverts&lt;/i&gt;." in own
    assert (await lea.post(f"/appeals/{ident}", outcome="reverse", words="so")).status == 409
    assert (await lou.post(f"/appeals/{ident}", outcome="reverse", words=" ")).status == 409
    assert (await lou.post(f"/appeals/{ident}", outcome="perhaps", words="so")).status == 404
    assert (await lou.post(f"/appeals/{ident}", outcome="reverse", words="We were wrong.")).to == "/appeals"
    assert "No appeal waits" in (await lou.get("/appeals")).text
    found = await appeals.read(token)
    assert found is not None
    assert (found.running, found.answer) == (False, "We were wrong.")


async def test_a_ban_is_ended_by_somebody_else(console: Console, kit: Kit) -> None:
    lea, lou = await console.person("lea", "lead"), await console.person("lou", "lead")
    ident = await case(kit)
    await decided(lea, ident, "step")
    assert "somebody else takes it back" in (await lea.get(f"/case/{ident}")).text
    assert (await lea.post(f"/case/{ident}/unban", why="so")).status == 409
    assert (await lou.post(f"/case/{ident}/unban", why=" ")).status == 409
    assert (await lou.post(f"/case/{ident}/unban", why="too long")).to == f"/case/{ident}"
    assert (await lou.post(f"/case/{ident}/unban", why="again")).status == 409


async def test_an_address_and_a_file_take_two_officers(console: Console, kit: Kit) -> None:
    eve, eli = await console.person("eve", "officer"), await console.person("eli", "officer")
    ident = await case(kit)
    assert (await eve.post(f"/case/{ident}/reveal", why=" ")).status == 409
    for way in ("reveal", "export"):
        asked = await eve.post(f"/case/{ident}/{way}", why="court order 7")
        assert asked.to == "/approvals"
        assert (await eve.post(f"/case/{ident}/{way}", why="court order 7")).to == "/approvals"
        waiting = (await eli.get("/approvals")).text
        assert address(22) not in waiting
        for approval in set(re.findall(r'name="id" value="([0-9a-f]{32})"', waiting)):
            await eli.post("/approvals/confirm", id=approval)
    assert address(22) in (await eve.post(f"/case/{ident}/reveal", why="court order 7")).text
    assert (await eli.post(f"/case/{ident}/reveal", why="me too")).to == "/approvals"
    file = await eve.post(f"/case/{ident}/export", why="court order 7")
    assert file.headers["Content-Disposition"] == f'attachment; filename="case-{ident[:12]}.json"'
    assert '"text": "hello"' in file.text
    assert address(22) not in file.text
    actions = [row.action for row in await audit.listed(kit.database, 0) if row.operator == "eve"]
    assert "safety reveal" in actions
    assert "safety export" in actions


async def test_a_life_in_danger_does_not_wait_and_is_marked(console: Console, kit: Kit) -> None:
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    assert address(22) in (await eve.post(f"/case/{ident}/reveal", why="says they will jump", emergency="1")).text
    assert "Marked as an emergency" in (await eve.get("/approvals")).text


async def test_a_hold_is_placed_from_the_case(console: Console, kit: Kit) -> None:
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    for days in ("x", "0", "99999"):
        assert (await eve.post(f"/case/{ident}/hold", why="order 7", authority="court", days=days)).status == 409
    assert (await eve.post(f"/case/{ident}/hold", why="order 7", authority="court", days="90")).status == 303
    assert await kit.count("hold") == 1


async def test_no_case_is_said_in_the_same_way_as_no_page(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    missing = (await ada.get("/there-is-nothing")).text
    for path in ("/case/" + "0" * 32, "/case/x", "/cases?queue=all", f"/case/{'A' * 32}"):
        answer = await ada.get(path)
        assert (answer.status, plain(answer.text)) == (404, missing), path
    assert kit.now == NOW


async def test_without_evidence_the_page_says_so_and_what_is_cut_too(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    assert "No evidence" in (await ada.get(f"/case/{await case(kit, said=None)}")).text
    cut = replace(text("hello"), cut=True)
    assert "…earlier lines are missing" in (await ada.get(f"/case/{await case(kit, about=40, said=cut)}")).text


async def test_after_fifty_minutes_a_break_is_proposed(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    for _ in range(WORK // 240 + 1):
        page = (await ada.get("/cases")).text
        assert ("A break would do you good" in page) == (kit.now >= NOW + WORK)
        kit.now += 240
    assert "A break would do you good" in (await ada.get("/cases")).text
