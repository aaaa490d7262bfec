"""Test that an operator removes a saved log by its link, and that a held one is hidden."""

from __future__ import annotations

from server.data.chat_logs import log_removal
from server.data.retention import legal_holds
from tests.server.data.conftest import NOW, Kit, people, transcript


async def test_a_log_is_counted_removed_and_then_gone(kit: Kit) -> None:
    saved = await kit.logs.save(transcript("hello"), people())
    site = "https://chat.example/log/"
    for url, dry, said in (
        (f"{site}{saved.log}/remove?lang=nb", True, log_removal.COUNTED),
        (f"{site}remove/{saved.log}?lang=nb", False, log_removal.REMOVED),
        (f"{site}{saved.log}", False, log_removal.MISSING),
    ):
        assert await log_removal.remove(kit.database, kit.logs, "ada", url, "a wish", dry=dry) == said
    assert await kit.count("log") == 0


async def test_a_held_log_is_hidden(kit: Kit) -> None:
    saved = await kit.logs.save(transcript("hello"), people())
    ident = await kit.logs.find(saved.log)
    assert ident is not None
    await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("log", ident.hex()),
        authority="a court", reason="7", now=NOW, until=NOW + 90 * 86_400, secret=False,
    )  # fmt: skip
    assert await log_removal.remove(kit.database, kit.logs, "ada", saved.log, "a wish") == log_removal.HELD
    assert await kit.logs.show(saved.log) is None
    assert await kit.count("log") == 1
