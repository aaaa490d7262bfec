"""Test `/notices`: listed without words, shown after a reason, answered once, and visible to leads, of children to the role child too."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.privacy import audit_log
from server.trust.moderation_protocol import NoticeForm
from server.trust.reports.illegal_content_notices import PublicNotices
from tests.server.trust.console.conftest import Console
from tests.server.trust.decisions.test_public_notice_work import law_desk

SAID = NoticeForm("chat", "yesterday", "Somebody <b>sells</b> passports.", "me@example.org")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def written(console: Console) -> tuple[str, str]:
    """(receipt, id) of a notice."""
    kit = console.kit
    receipt = await PublicNotices(kit.database, kit.pseudonyms, lambda: kit.now).write(SAID)
    assert receipt is not None
    return receipt, (await law_desk(kit).waiting())[0].id


async def test_a_lead_reads_a_notice_after_a_reason_and_answers_it(console: Console) -> None:
    receipt, ident = await written(console)
    lead = await console.person("ada", "lead")
    listed = await lead.get("/notices")
    assert ident[:12] in listed.text
    assert "passports" not in listed.text
    shown = await lead.post("/notices/show", id=ident, why="my turn")
    assert "Somebody &lt;b&gt;sells&lt;/b&gt; passports." in shown.text
    assert "me@example.org" in shown.text
    done = await lead.post("/notices/answer", id=ident, why="so it is", outcome="acted", words="Thank you.")
    assert done.to == "/notices"
    assert "Nothing waits." in (await lead.get("/notices")).text
    found = await PublicNotices(console.kit.database, console.kit.pseudonyms).read(receipt)
    assert found is not None
    assert (found.state, found.answer) == ("acted", "Thank you.")
    rows = [row for row in await audit_log.recent_entries(console.kit.database, 0) if "notices" in row.action]
    assert [(row.operator, row.why) for row in rows] == [("ada", "so it is"), ("ada", "so it is"), ("ada", "my turn")]


async def test_without_a_reason_nothing_is_shown_and_nothing_done(console: Console) -> None:
    _, ident = await written(console)
    lead = await console.person("ada", "lead")
    for path in ("/notices/show", "/notices/answer"):
        answer = await lead.post(path, id=ident, why=" ", outcome="acted")
        assert answer.status == 409
        assert "Write down why" in answer.text
        assert "passports" not in answer.text
    assert (await lead.post("/notices/answer", id=ident, why="x", outcome="shout")).status == 409


async def test_the_role_child_reads_notices_about_children_alone(console: Console) -> None:
    _, of_chat = await written(console)
    kit = console.kit
    of_child = NoticeForm("danger", "", "My daughter was asked for pictures.", "")
    await PublicNotices(kit.database, kit.pseudonyms, lambda: kit.now).write(of_child)
    ident = (await law_desk(kit).waiting())[0].id
    person = await console.person("cleo", "child")
    listed = (await person.get("/notices")).text
    assert (ident[:12] in listed, of_chat[:12] in listed) == (True, False)
    assert "asked for pictures" in (await person.post("/notices/show", id=ident, why="my turn")).text
    refused = await person.post("/notices/show", id=of_chat, why="my turn")
    assert (refused.status, "passports" in refused.text) == (409, False)
    assert (await person.post("/notices/answer", id=ident, why="so", outcome="passed")).to == "/notices"


@pytest.mark.parametrize("role", ["moderator", "officer", "admin"])
async def test_for_others_there_is_nothing(console: Console, role: str) -> None:
    _, ident = await written(console)
    other = await console.person("bob", role)
    assert (await other.get("/notices")).status == 404
    assert (await other.post("/notices/show", id=ident, why="x")).status == 404


async def test_a_form_of_elsewhere_is_refused(console: Console) -> None:
    _, ident = await written(console)
    lead = await console.person("ada", "lead")
    assert (await lead.post("/notices/answer", token="x", id=ident, why="x", outcome="none")).status == 403
