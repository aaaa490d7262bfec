"""Test an officer's disclosures of a case, with a second officer."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.data.retention import legal_holds
from server.ops.config.moderation_policy import DAY
from server.trust.child_protection.referral_package import TYPES
from server.trust.moderators.approvals import Approvals
from server.trust.moderators.console_sessions import COOKIE
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action, Operator
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.console.conftest import Console, Person
from tests.server.trust.console.work import case
from tests.server.trust.moderation.people import acted, cases, pictures, text


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_address_and_a_file_take_two_officers(console: Console, kit: Kit) -> None:
    eve, eli = await console.person("eve", "officer"), await console.person("eli", "officer")
    ident = await case(kit)
    assert (await eve.post(f"/case/{ident}/reveal", recipient="Police: Oslo", why=" ")).status == 409
    for way in ("reveal", "export"):
        asked = await eve.post(f"/case/{ident}/{way}", recipient="Police: Oslo", why="court order 7")
        assert asked.to == "/approvals"
        assert (
            await eve.post(f"/case/{ident}/{way}", recipient="Police: Oslo", why="court order 7")
        ).to == "/approvals"
        waiting = (await eli.get("/approvals")).text
        assert address(22) not in waiting
        for approval in set(re.findall(r'name="id" value="([0-9a-f]{32})"', waiting)):
            await eli.post("/approvals/confirm", id=approval)
    assert address(22) in (await eve.post(f"/case/{ident}/reveal", recipient="Police: Oslo", why="a joke")).text
    assert (await eli.post(f"/case/{ident}/reveal", recipient="Police: Oslo", why="me too")).to == "/approvals"
    file = await eve.post(f"/case/{ident}/export", recipient="Police: Oslo", why="a joke")
    assert file.headers["Content-Disposition"] == f'attachment; filename="case-{ident[:12]}.json"'
    assert '"text": "hello"' in file.text
    assert address(22) not in file.text
    actions = [row.action for row in await audit_log.recent_entries(kit.database, 0) if row.operator == "eve"]
    assert "safety reveal" in actions
    assert "safety export" in actions
    reasons = {
        row.why
        for row in await audit_log.recent_entries(kit.database, 0)
        if row.action in ("safety reveal", "safety export")
    }
    assert reasons == {"court order 7"}, "what was confirmed, whatever is said later"
    told = [(row["phase"], row["what"], row["recipient"]) for row in await DisclosureLedger(kit.database).lines()]
    assert told == [(phase, what, "Police Oslo") for what in ("export", "reveal") for phase in ("done", "intent")]
    assert (await eve.post(f"/case/{ident}/reveal", why="court order 7")).status == 409, "the person reads who asked"


async def test_a_life_in_danger_does_not_wait_and_is_marked(console: Console, kit: Kit) -> None:
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    assert (
        address(22)
        in (
            await eve.post(f"/case/{ident}/reveal", recipient="Police: Oslo", why="says they will jump", emergency="1")
        ).text
    )
    assert "Marked as an emergency" in (await eve.get("/approvals")).text


async def test_a_hold_is_placed_from_the_case(console: Console, kit: Kit) -> None:
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    for days in ("x", "0", "99999"):
        assert (await eve.post(f"/case/{ident}/hold", why="order 7", authority="court", days=days)).status == 409
    assert (await eve.post(f"/case/{ident}/hold", why="order 7", authority="court", days="90")).status == 303
    assert await kit.count("hold") == 1


async def package(person: Person, ident: str, **form: str) -> tuple[int, bytes]:
    """Send the form of the package; it answers with a file, not with text."""
    data = {"token": person.token, "type": "enticement", "name": "Eva", "mail": "e@example.org", **form}
    headers = {**person.headers, "Cookie": f"{COOKIE}={person.cookie}"}
    path = f"/case/{ident}/refer"
    async with person.console.client.post(path, data=data, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.read()


async def test_the_package_of_a_report_takes_two_of_the_role_child(console: Console, kit: Kit) -> None:
    eva, ina = await console.person("eva", "child"), await console.person("ina", "child")
    officer = await console.person("eli", "officer")
    ident = (await cases(kit).take(acted("known", said=text("hello"), shown=pictures()))).hex()
    page = (await eva.get(f"/case/{ident}")).text
    assert [kind for kind in TYPES if f'<option value="{kind}">' in page] == list(TYPES)
    assert (await officer.post(f"/case/{ident}/refer", why="so", type="material")).status == 404
    assert (await package(eva, ident, why="the law", type="other"))[0] == 404
    assert (await package(eva, ident, why="the law"))[0] == 303
    waiting = (await ina.get("/approvals")).text
    assert "Make a package for child protection" in waiting
    for approval in set(re.findall(r'name="id" value="([0-9a-f]{32})"', waiting)):
        await ina.post("/approvals/confirm", id=approval)
    status, body = await package(eva, ident, why="a joke", type="trafficking")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        report = archive.read(f"referral-{ident[:12]}/report.xml").decode()
    assert {"report.xml", "package.json", "01-chat.txt"} <= names
    assert sum(name.endswith(".jpg") for name in names) == 3
    assert ("Child Sex Trafficking" in report, address(22) in report) == (True, True)
    rows = [row for row in await audit_log.recent_entries(kit.database, 0) if row.action == "safety referral"]
    assert {(row.operator, row.why) for row in rows} == {("eva", "the law")}


async def test_a_report_that_was_sent_is_noted_from_the_case_and_holds_it_longer(console: Console, kit: Kit) -> None:
    await console.enrolled("eva", "child")
    ident = (await cases(kit).take(acted("known"))).hex()
    kit.now = NOW + DAY
    eva = await console.again("eva")
    for number, why in (("", "the law"), ("4711", " ")):
        assert (await eva.post(f"/case/{ident}/referred", number=number, why=why)).status == 409
    assert (await eva.post(f"/case/{ident}/referred", number="4711", why="the law")).to == f"/case/{ident}"
    (held,) = await legal_holds.list_holds(kit.database)
    assert held.until == NOW + 366 * DAY


async def test_an_approval_without_a_recipient_opens_nothing(console: Console, kit: Kit) -> None:
    """As the release before the forms had a recipient asked for them."""
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    approvals = Approvals(kit.database, Accounts(kit.database, kit.pseudonyms), clock=lambda: kit.now)
    officer = Operator("eve", frozenset({"officer"}), 0.0)
    await approvals.ask(officer, Action.EXPORT, bytes.fromhex(ident), "court order 7", emergency=True)
    assert (await eve.post(f"/case/{ident}/export", recipient="Police", why="court order 7")).status == 409
    assert await kit.count("disclosure") == 0


async def test_the_name_of_the_authority_ends_before_the_reason(console: Console, kit: Kit) -> None:
    eve = await console.person("eve", "officer")
    ident = await case(kit)
    await eve.post(f"/case/{ident}/reveal", recipient=" Police:: Oslo:\n", why="7: a", emergency="1")
    assert {row["recipient"] for row in await DisclosureLedger(kit.database).lines()} == {"Police Oslo"}
    assert (await audit_log.recent_entries(kit.database, 0))[0].why == "7: a"
