"""Test answers to appeals and lifted bans, by another moderator than the one who decided."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.trust.cases.user_appeals import Appeals
from server.trust.sanctions.ban_table import path_of
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_appeals_are_answered_by_others_and_ones_own_says_why_not(console: Console, kit: Kit) -> None:
    lea, lou = await console.person("lea", "lead"), await console.person("lou", "lead")
    ident = await case(kit)
    await decided(lea, ident, "step", words="No <i>adverts</i>.")
    token = path_of(kit.pseudonyms, bytes.fromhex(ident)).rpartition("/")[2]
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(token, "it was <b>not</b> me")
    own = (await lea.get("/appeals")).text
    assert "You decided this case: somebody else answers" in own
    assert "<fieldset disabled" in own
    assert "it was &lt;b&gt;not&lt;/b&gt; me" in own
    assert "No &lt;i&gt;adverts&lt;/i&gt;." in own
    assert f'<a href="/case/{ident}">' in own
    assert re.findall(r'<button class="([^"]*)" name="outcome"', own) == ["button", "button"], "neither answer is urged"
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
