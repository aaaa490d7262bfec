"""Test which notices a removal writes: once, and without the addresses under a legal hold."""

from __future__ import annotations

from server.data.retention import legal_holds
from server.data.retention.deletion_notices import DeletionNotices
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.rights.test_recipient_notices import DAY, ME, Hook, deleted, hooks, settings, states

__all__ = ["hooks"]


async def test_a_removal_that_is_continued_notes_nothing_twice_and_a_held_address_never(
    kit: Kit, hooks: dict[str, Hook]
) -> None:
    chosen = settings(hooks)
    await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("identity", str(ME)),
        authority="a court", reason="7", now=NOW, until=NOW + 90 * DAY, secret=True,
    )  # fmt: skip
    number = await deleted(kit, chosen)
    async with kit.database.write() as connection:
        await DeletionNotices(kit.pseudonyms, chosen).write(connection, [number], int(kit.now))
    found = await states(kit)
    assert {found[name] for name in hooks} == {"nothing"}
