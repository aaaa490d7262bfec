"""Sealed copies of the upkeep: what changed is written, what is gone goes, and nobody reads them without the key."""

from __future__ import annotations

import time

import pytest

from server.data.backup.rollback_protection import INDEX, NUMBERED, SealedCopies
from server.data.errors import ObjectsAway
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import open_pseudonyms
from server.data.privacy import audit_log
from server.data.retention import legal_holds
from server.ops.security import secret_keys
from tests.server.data.conftest import Kit, address

pytestmark = pytest.mark.blocking  # reads files


def copies(kit: Kit) -> SealedCopies:
    """As each process makes them."""
    return SealedCopies(kit.database, kit.objects, kit.pseudonyms)


async def names(kit: Kit) -> set[str]:
    """The objects."""
    return {name async for name in kit.objects.names("upkeep")}


async def note(kit: Kit, count: int = 1, at: int = 0) -> None:
    """Lines in the trail."""
    for _ in range(count):
        await audit_log.write_entry(
            kit.database, now=at or int(time.time()), operator="ada", action="look", why="why so", outcome="o"
        )


async def hold(kit: Kit) -> int:
    """A hold on somebody's address."""
    now = int(time.time())
    return await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("address", address(7)),
        authority="a court", reason="7", now=now, until=now + 1000, secret=False,
    )  # fmt: skip


async def test_where_there_is_nothing_nothing_is_written(kit: Kit) -> None:
    assert not await copies(kit).keep()
    assert await names(kit) == set()
    assert await copies(kit).load() is None
    assert await copies(kit).match_database()


async def test_a_change_is_written_once_and_only_the_pieces_that_it_touched(kit: Kit) -> None:
    await note(kit, NUMBERED + 1)
    assert await copies(kit).keep()
    first = await names(kit)
    assert len(first) == 3  # the index, and two pieces of the trail
    assert not await copies(kit).keep()
    await note(kit)
    assert await copies(kit).keep()
    second = await names(kit)
    assert len(second) == 3
    assert len(first & second) == 2  # the index and the first piece
    number = await hold(kit)
    assert await copies(kit).keep()
    assert len(await names(kit)) == 5  # the hold, and its values
    found = await copies(kit).load()
    assert found is not None
    assert [row["id"] for row in found[1]["audit"]] == list(range(1, NUMBERED + 3))
    assert [row["authority"] for row in found[1]["hold"]] == ["a court"]
    await legal_holds.release(kit.database, number, int(time.time()))
    assert await copies(kit).keep()
    found = await copies(kit).load()
    assert found is not None
    assert found[1]["hold"][0]["released"] is not None


async def test_what_the_purge_takes_from_the_trail_leaves_the_copies(kit: Kit) -> None:
    kit.now = time.time()
    await note(kit, NUMBERED + 10, int(kit.now) - 366 * 86_400)
    await note(kit, 3)
    await copies(kit).keep()
    await kit.purge().run()
    assert await copies(kit).keep()
    found = await copies(kit).load()
    assert found is not None
    assert len(found[1]["audit"]) == 3
    assert (
        len([name for name in await names(kit) if "/disclosure/" not in name]) == 2
    )  # a purge writes a mark into the ledger


async def test_they_are_sealed_each_under_its_name_and_a_missing_piece_is_told(kit: Kit) -> None:
    await note(kit)
    await copies(kit).keep()
    (piece,) = await names(kit) - {INDEX}
    body = await kit.objects.get(piece)
    assert body is not None
    assert b"ada" not in body
    assert b"why so" not in body
    await kit.objects.put(piece, (await kit.objects.get(INDEX)) or b"")  # another object's body
    with pytest.raises(KeyGone):
        await copies(kit).load()
    await kit.objects.delete(piece)
    with pytest.raises(ObjectsAway, match="is missing"):
        await copies(kit).load()


async def test_keys_that_were_given_up_do_not_stop_new_copies(kit: Kit) -> None:
    await note(kit)
    await copies(kit).keep()
    for name in ("secret", "keys/kept.key"):
        (kit.data / name).unlink()
    other = open_pseudonyms(secret_keys.load(kit.data, renew=True), kit.data)
    with pytest.raises(KeyGone):
        await SealedCopies(kit.database, kit.objects, other).load()
    assert await SealedCopies(kit.database, kit.objects, other).keep()
    assert await SealedCopies(kit.database, kit.objects, other).load() is not None
