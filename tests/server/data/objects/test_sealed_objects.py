"""Objects under keys of their own: readable with their row, and by nothing else."""

from __future__ import annotations

from server.data.objects.sealed_objects import UNFINISHED, Sealed
from tests.server.data.conftest import NOW, Kit


async def test_an_object_is_read_with_its_key_and_with_no_other(kit: Kit) -> None:
    sealed = Sealed(kit.database, kit.objects, kit.pseudonyms)
    one = await sealed.put("evidence/", b"what was said", NOW)
    two = await sealed.put("evidence/", b"something else", NOW)
    assert await sealed.get(one.name, one.key) == b"what was said"
    assert await sealed.get(one.name, two.key) is None
    assert await sealed.get("evidence/00/none", one.key) is None
    body = await kit.objects.get(one.name)
    assert body is not None
    assert b"said" not in body
    await kit.objects.put(one.name, body[:-1] + bytes([body[-1] ^ 1]))
    assert await sealed.get(one.name, one.key) is None


async def test_what_nobody_kept_is_swept_and_what_was_kept_is_not(kit: Kit) -> None:
    sealed = Sealed(kit.database, kit.objects, kit.pseudonyms)
    lost, kept = await sealed.put("evidence/", b"lost", NOW), await sealed.put("evidence/", b"kept", NOW)
    async with kit.database.write() as connection:
        await sealed.keep(connection, kept.name)
    kit.now = NOW + UNFINISHED + 1
    assert await kit.logs.sweep() == 1
    assert await sealed.get(lost.name, lost.key) is None
    assert await sealed.get(kept.name, kept.key) == b"kept"
