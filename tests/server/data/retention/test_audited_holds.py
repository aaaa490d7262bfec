"""Test that holds are in the audit log before anything is looked up, and that a count holds nothing."""

from __future__ import annotations

import pytest

from server.data.privacy import audit_log
from server.data.retention import audited_holds, legal_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import BadHold, Selector
from tests.server.data.conftest import NOW, Kit, address, ended

ONE = NewHold(Selector("address", address(11)), "", "Court of Oslo", "order 7", 30, False)


async def outcomes(kit: Kit) -> list[str]:
    return [line.outcome for line in await audit_log.recent_entries(kit.database, 0)][::-1]


async def test_a_count_holds_nothing_and_a_hold_says_what_it_holds(kit: Kit) -> None:
    await kit.write(ended(1))
    counted = await audited_holds.place(kit.database, kit.logs, ONE, "ada", NOW, dry=True)
    assert counted == "would hold 1 chats, 0 saved logs, 0 cases of today"
    assert await legal_holds.list_holds(kit.database) == []
    placed = await audited_holds.place(kit.database, kit.logs, ONE, "ada", NOW)
    assert placed.startswith("hold 1: 1 chats")
    assert await outcomes(kit) == ["asked, to count only", counted, "asked", placed]
    assert await audited_holds.release(kit.database, 1, "ada", "over", NOW + 1)
    assert not await audited_holds.release(kit.database, 1, "ada", "over", NOW + 2)


async def test_a_log_that_does_not_exist_is_refused_after_its_line(kit: Kit) -> None:
    one = NewHold(None, "https://chat.example/log/no", "Court of Oslo", "order 7", 30, False)
    with pytest.raises(BadHold):
        await audited_holds.place(kit.database, kit.logs, one, "ada", NOW)
    assert await outcomes(kit) == ["asked", "failed: BadHold"]
