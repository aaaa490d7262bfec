"""Test saved answers over HTTP, and that a decision carries one without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.schema.moderation_schema import ban
from server.trust.sanctions.ban_rows import TOLD
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case, decided


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Both kinds of database are tested by the desk's own tests."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def words_of(kit: Kit, ident: str) -> str:
    """Return the words of a decision for the person."""
    async with kit.database.read() as connection:
        sealed = (
            (await connection.execute(select(ban.c.words).where(ban.c.case == bytes.fromhex(ident)))).scalars().first()
        )
    return "" if sealed is None else kit.pseudonyms.open_text(TOLD, sealed)


async def test_a_decision_carries_a_saved_answer_in_the_chosen_language(console: Console, kit: Kit) -> None:
    ada = await console.person("ada", "moderator")
    assert (await ada.post("/answers", title="films", text="Talk about films.", language="en")).status == 303
    mine = (await ada.get("/answers")).text.partition('name="id" value="')[2][:32]
    for data, told in (
        ({"answer": "advert", "language": "de"}, "Du hast mehreren Menschen dieselbe Werbung geschickt."),
        ({"answer": mine, "language": "ja"}, "Talk about films."),
        ({"answer": "advert", "language": "de", "words": "By hand."}, "By hand."),
        ({"answer": "nothing", "language": "de"}, ""),
    ):
        ident = await case(kit, about=40 + len(told))
        assert (await decided(ada, ident, "step", **data)).status == 303
        assert (await words_of(kit, ident)).startswith(told)
    assert (await decided(ada, await case(kit, about=200), "none", "", answer="advert", language="de")).status == 303


async def test_an_answer_is_deleted_by_its_owner(console: Console, kit: Kit) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    await ada.post("/answers", title="films", text="Talk about films.", language="en")
    mine = (await ada.get("/answers")).text.partition('name="id" value="')[2][:32]
    assert "Talk about films." not in (await bob.get("/answers")).text
    await bob.post("/answers/remove", id=mine)
    assert "Talk about films." in (await ada.get("/answers")).text
    await ada.post("/answers/remove", id=mine)
    assert "Talk about films." not in (await ada.get("/answers")).text
