"""Test the work on cases over HTTP: claims, and the permissions that a decision needs."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest

from server.data.retention.stale_cases import UNDO
from server.ops.config.moderation_policy import DAY, FOR_GOOD
from server.trust.decisions.case_work import CHATS_MOST, LEASE
from server.trust.evidence.chat_evidence import CountedDetection, Detection
from server.trust.sanctions.sanction_scale import AGE_FOR
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided
from tests.server.trust.moderation.people import acted, bans, cases, text


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_officer_reads_which_queues_nobody_opens_and_others_do_not(console: Console) -> None:
    ada, zoe = await console.person("ada", "moderator"), await console.person("zoe", "officer")
    said = "No account with a passkey can open: Appeals, Notices and Urgent."
    assert said in (await zoe.get("/cases")).text
    assert "No account with a passkey" not in (await ada.get("/cases")).text
    await console.enrolled("cy", "child", "lead")
    assert "No account with a passkey" not in (await zoe.get("/cases")).text


async def test_a_brigade_is_one_case_that_says_how_it_came_on_a_bounded_page(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    for number in range(CHATS_MOST + 40):
        ident = await case(kit, reason="hate", by=1_000 + number, said=text("hello", f"how are you {number}?"))
        kit.now += 3
    page = (await ada.get(f"/case/{ident}")).text
    assert "Reports: 60, within 3 minutes. From people none of whose reports was decided before: 60." in page
    assert "Shown are the newest 20 of 60 chats." in page
    assert page.count('<ol class="said">') == CHATS_MOST
    assert page.count("no decided reports in 90 days") == 1, "reports without a note are one line"
    assert "× 60" in page
    assert "how are you 59?" in page
    assert "how are you 39?" not in page


async def test_a_case_of_a_day_says_which_chats_brought_it_and_by_which_words(console: Console, kit: Kit) -> None:
    cy = await console.person("cy", "child")
    at = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC).timestamp()
    days = CountedDetection("hate", (int(at), int(at) + 3_600))
    said = replace(text("hello", "muslims are vermin"), found=(Detection(2, 1, "hate"),), counted=days)
    ident = (await cases(kit).take(acted("hate", said=said))).hex()
    page = (await cy.get(f"/case/{ident}")).text
    assert "Chats of one day in which a program found this (hate or harassment): 3" in page
    assert re.findall(r'<ol class="day">(.*)</ol>', page)[0].count("<li>") == 3
    assert "12:00 UTC</li>" in page
    assert "13:00 UTC</li>" in page
    assert ": this chat</li>" in page
    assert "hate (muslims are vermin)" in page


async def test_hits_of_a_camera_are_a_case_with_their_chats_where_nothing_was_written(
    console: Console, kit: Kit
) -> None:
    cy = await console.person("cy", "child")
    for earlier in ((1_700_000_000, 1_700_003_600), (1_700_000_000, 1_700_003_600, 1_700_007_200)):
        said = replace(text(), mode="video", counted=CountedDetection("nudity", earlier))
        ident = (await cases(kit).take(acted("nudity", said=said))).hex()
    page = (await cy.get(f"/case/{ident}")).text
    for count in (3, 4):
        assert f"Chats of one day in which a program found this (nudity): {count}" in page
    assert page.count("Nothing was written in this chat.") == 2


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
    assert re.search(r'<li class="reported"><b>Reported</b> <time>0:00</time><p dir="auto">buy', page)
    assert "sells things" in page
    assert "no decided reports in 90 days" in page
    answer = await decided(ada, first, "step", words="Adverts go elsewhere.")
    assert (answer.status, answer.to) == (303, f"/case/{second}?done={first}")
    after = (await ada.get(answer.to)).text
    assert f'Case <code dir="ltr">{first[:8]}</code> is decided: Ban, R5' in after
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
    assert "This case is with ada, for 15 more minutes" in other.text
    assert "buy" not in other.text
    assert "with ada" in (await bob.get("/cases?queue=spam")).text
    assert (await decided(bob, ident, "none")).status == 409
    assert (await ada.post(f"/case/{ident}/release")).to == "/cases?queue=spam"
    assert (await bob.get(f"/case/{ident}")).status == 200
    kit.now += LEASE
    assert (await ada.get(f"/case/{ident}")).status == 200


async def test_that_somebody_seems_under_18_is_decided_by_the_role_child_alone(console: Console, kit: Kit) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    ident = await case(kit)
    assert 'value="age"' not in (await ada.get(f"/case/{ident}")).text
    refused = await decided(ada, ident, "age")
    assert refused.status == 409
    assert "Only who has the role child protection decides this." in refused.text
    await ada.post(f"/case/{ident}/release")
    assert 'value="age"' in (await eva.get(f"/case/{ident}")).text
    done = await decided(eva, ident, "age")
    assert done.status == 303
    assert "is decided: Seems under 18, R1" in (await eva.get(done.to)).text
    known = bans(kit)
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    assert found.minor
    assert found.until == int(kit.now) + AGE_FOR


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
    assert "Ban (for good), R3" in waiting
    assert "Threats." in waiting
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


async def test_without_evidence_the_page_says_so_and_what_is_cut_too(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    assert "No evidence" in (await ada.get(f"/case/{await case(kit, said=None)}")).text
    cut = replace(text("hello", "meant"), cut=True)
    cut = replace(cut, lines=(cut.lines[0], replace(cut.lines[1], marked=True)))
    page = (await ada.get(f"/case/{await case(kit, about=40, said=cut)}")).text
    assert "…earlier lines are missing" in page
    assert re.search(r'<li class="reported meant">.*<em>meant by the report</em><p dir="auto">meant</p>', page)
    assert page.count("meant by the report") == 1
