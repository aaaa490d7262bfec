"""An object store that lost what rows name is noticed, whatever was stored since."""

from __future__ import annotations

from server.data.objects.lost_objects import SAMPLE, Sample, sample
from server.data.objects.sealed_objects import Sealed
from server.main.checks.check_finding import Level
from server.main.checks.check_list import objects_lost
from tests.server.data.conftest import NOW, Kit, people, transcript


async def test_nothing_is_lost_of_nothing_nor_of_what_is_there(kit: Kit) -> None:
    assert await sample(kit.database, kit.objects) == Sample(0, 0)
    assert Sample(0, 0).share == 0.0
    for _ in range(3):
        await kit.logs.save(transcript(), people())
    assert await sample(kit.database, kit.objects) == Sample(3, 0)


async def test_each_row_whose_object_is_gone_counts_and_no_more_rows_than_the_sample_are_read(kit: Kit) -> None:
    for _ in range(SAMPLE + 5):
        await kit.logs.save(transcript(), people())
    await Sealed(kit.database, kit.objects, kit.pseudonyms).put("evidence/", b"of no row", NOW)
    names = [name async for name in kit.objects.names("logs")]
    for name in names:
        await kit.objects.delete(name)
    found = await sample(kit.database, kit.objects)
    assert (found, found.share) == (Sample(SAMPLE, SAMPLE), 1.0)


async def test_the_doctor_tells_a_lost_object_from_an_emptied_store(kit: Kit) -> None:
    async def told() -> tuple[Level, str]:
        (found,) = await objects_lost(kit.database, kit.objects)
        return found.level, found.said

    for _ in range(3):
        await kit.logs.save(transcript(), people())
    assert await told() == (Level.OK, "0 of 3 objects that rows name are not in the object store")
    first, second, _ = [name async for name in kit.objects.names("logs")]
    await kit.objects.delete(first)
    assert (await told())[0] is Level.WARNING
    await kit.objects.delete(second)
    assert await told() == (Level.ERROR, "2 of 3 objects that rows name are not in the object store")
