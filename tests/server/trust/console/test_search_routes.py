"""Test the search over HTTP, within the roles' permissions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_a_case_is_found_by_who_may_open_it_alone(console: Console, kit: Kit) -> None:
    ada, eva = await console.person("ada", "moderator"), await console.person("eva", "child")
    urgent = await case(kit, reason="minor")
    assert urgent not in (await ada.get(f"/search?q={urgent[:8]}…")).text
    assert "Nothing was found that you may open" in (await ada.get(f"/search?q={urgent}")).text
    assert f'href="/case/{urgent}"' in (await eva.get(f"/search?q={urgent[:8]}…")).text
    assert "32 hexadecimal digits" in (await ada.get("/search?q=%3Cb%3E")).text


async def test_without_words_the_page_is_ones_own_work(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    mine = await case(kit, about=30)
    await decided(ada, mine, "step")
    theirs = await case(kit, about=31)  # after the decision, which claims the next case
    await decided(bob, theirs, "none")
    passed = await case(kit, about=32)
    await bob.get(f"/case/{passed}")
    await bob.post(f"/case/{passed}/pass", to="ada", text="yours")
    page = (await ada.get("/search")).text
    assert mine in page
    assert passed in page
    assert theirs not in page


async def test_earlier_cases_of_a_person_are_linked_with_their_text(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    first = await case(kit)
    await decided(ada, first, "step")
    second = await case(kit, by=12)
    page = (await ada.get(f"/case/{second}")).text
    assert f'<a href="/case/{first}">' in page
    assert "buy &lt;b&gt;this" in (await ada.get(f"/case/{first}")).text
