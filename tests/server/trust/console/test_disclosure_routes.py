"""Test an officer's disclosures of a case, with a second officer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.data.privacy import audit_log
from tests.server.data.conftest import Kit, address
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


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
    assert address(22) in (await eve.post(f"/case/{ident}/reveal", why="a joke")).text
    assert (await eli.post(f"/case/{ident}/reveal", why="me too")).to == "/approvals"
    file = await eve.post(f"/case/{ident}/export", why="a joke")
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
