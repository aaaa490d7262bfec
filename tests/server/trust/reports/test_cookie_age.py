"""Test that a cookie is as old as its first known chat."""

from __future__ import annotations

from server.trust.reports.cookie_age import has_old_cookie
from tests.server.data.conftest import NOW, Kit, ended


async def test_a_cookie_lasts_from_a_day_after_its_first_chat_on(kit: Kit) -> None:
    await kit.write(ended(1.1, 11, 22), ended(0.9, 33, 22))
    assert await has_old_cookie(kit.database, kit.pseudonyms, 11, int(NOW))
    assert await has_old_cookie(kit.database, kit.pseudonyms, 22, int(NOW))
    assert not await has_old_cookie(kit.database, kit.pseudonyms, 33, int(NOW))
    assert not await has_old_cookie(kit.database, kit.pseudonyms, 44, int(NOW)), "nothing is known of it"
