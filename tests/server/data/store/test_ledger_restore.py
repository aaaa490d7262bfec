"""Test that a restore refuses a ledger that somebody else changed, and on demand uses what is whole of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.data.backup.backup_signature import SigningKeys
from server.data.backup.ledger_signature import HEAD, Distrusted, LedgerWriter, Signed, digest_of, entries, read_signed
from server.data.backup.rollback_protection import SealedCopies
from server.data.database import folder_lock
from server.data.objects.object_store import Objects
from server.data.retention.requested_deletion import RequestedDeletions
from tests.server.data.conftest import ended, people, transcript
from tests.server.data.store.test_full_restore import ask_deletion
from tests.server.data.store.test_restore import note
from tests.server.data.whole_backups import Case

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


async def deleted(case: Case) -> None:
    """Make a backup that knows its ledger, then delete a log and a person's rows, which the ledger alone knows."""
    kit = case.kit
    await kit.write(ended(1, a=33, b=44, now=kit.now))
    gone = await kit.logs.save(transcript("a"), people())
    await note(kit, "before")
    await SealedCopies(kit.database, kit.objects, kit.pseudonyms).keep()
    await case.mirror()
    assert (await case.make()).manifest.ledger > 0
    assert await kit.logs.delete_by_secret(gone.delete)
    await kit.logs.sweep()
    await ask_deletion(kit, 33, RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now))
    await note(kit, "after")
    await SealedCopies(kit.database, kit.objects, kit.pseudonyms).keep()


async def rows(case: Case) -> tuple[int, int]:
    """Return the restored rows of people and of logs."""
    parts = case.opened()
    try:
        async with parts.database.read() as connection:
            of = [
                (await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - constants
                for table in ("party", "log")
            ]
        return of[0], of[1]
    finally:
        await parts.database.close()


def first(case: Case, folder: str) -> str:
    """Return an entry of the ledger."""
    return min(name for name in entries(case.place) if name.startswith(folder))


def remove_deletion(case: Case) -> None:
    """Delete one."""
    case.place.delete(f"ledger/{first(case, 'erasures/')}")


def change_deletion(case: Case) -> None:
    """Put another content."""
    sealed = next(
        name for name in sorted(entries(case.place)) if "erasures/" in name and case.place.get(f"ledger/{name}")
    )
    case.place.put(f"ledger/{sealed}", b"")


def remove_signature(case: Case) -> None:
    """Take it away, with all lists."""
    for name in case.place.names("ledger/signed"):
        case.place.delete(name)


def forge(case: Case) -> None:
    """Sign a ledger without deletions by another key."""
    digests = {
        name: digest_of(case.place.get(f"ledger/{name}") or b"") for name in entries(case.place) if "upkeep" in name
    }
    keys = SigningKeys({"service": b"his" * 11, "operator": b"his" * 11})
    LedgerWriter(case.place, keys.sign, Signed(), int(case.kit.now) + 86_400).finish(digests)


def remove_all(case: Case) -> None:
    """Leave nothing."""
    for name in case.place.names("ledger"):
        case.place.delete(name)


def grow(case: Case) -> None:
    """Replace one by what nobody reads whole."""
    case.place.put(f"ledger/{first(case, 'erasures/')}", bytes(5 << 20))


REFUSED = {
    "are missing|is missing": remove_deletion, "not what was written": change_deletion, "signature is gone": remove_signature,
    "none of the keys": forge, "its signature is gone": remove_all, "is not what was written": grow,
}  # fmt: skip


async def test_a_ledger_that_somebody_else_changed_is_refused_before_anything_is_written(case: Case) -> None:
    await deleted(case)
    await case.mirror()
    whole = {name: case.place.get(name) or b"" for name in case.place.names("ledger")}
    changes: dict[str, Callable[[Case], None]] = REFUSED
    for why, change in changes.items():
        change(case)
        with pytest.raises(Distrusted, match=why):
            await case.restore()
        assert not folder_lock.restore_begun(case.there.data)
        remove_all(case)
        for name, body in whole.items():
            case.place.put(name, body)
    found = await case.restore()
    assert (found.ledger.wrong, found.ledger.skipped) == ([], [])
    assert await rows(case) == (await case.kit.count("party"), 0)


async def test_an_earlier_ledger_is_refused_by_the_backup_that_knew_a_later_one(case: Case) -> None:
    await note(case.kit, "first")
    await SealedCopies(case.kit.database, case.kit.objects, case.kit.pseudonyms).keep()
    await case.mirror()
    early = {name: case.place.get(name) or b"" for name in case.place.names("ledger")}
    await deleted(case)
    await case.mirror()
    remove_all(case)
    for name, body in early.items():
        case.place.put(name, body)
    with pytest.raises(Distrusted, match="older than the backup"):
        await case.restore()
    found = await case.restore(damaged_ledger=True)
    assert found.ledger.skipped == ["the copies of the state: they are older than those of the backup"]


async def test_a_restore_goes_past_garbage_and_says_so(case: Case) -> None:
    await deleted(case)
    await case.mirror()
    garbage = {"erasures/x/y": b"", "erasures/20000/zz": b"a", "upkeep/no index": b"b", "signature": b"c"}
    forged = f"erasures/{int(case.kit.now) // 86_400}/{'ab' * 32}"
    for name, body in (garbage | {forged: b"no sealed body"}).items():
        case.place.put(f"ledger/{name}", body)
    found = await case.restore()
    assert found.ledger.wrong == []
    assert len(found.ledger.skipped) == 1
    assert found.ledger.skipped[0].startswith("5 entries are not of this service")
    assert await rows(case) == (await case.kit.count("party"), 0)


async def test_what_is_whole_of_a_damaged_ledger_is_used_on_demand(case: Case) -> None:
    await deleted(case)
    await case.mirror()
    remove_signature(case)
    forged = f"erasures/{int(case.kit.now) // 86_400}/{'ab' * 32}"
    case.place.put(f"ledger/{forged}", b"no sealed body")
    case.place.put("ledger/upkeep/index", b"no index")
    with pytest.raises(Distrusted):
        await case.restore()
    found = await case.restore(damaged_ledger=True)
    assert found.ledger.wrong == ["its signature is gone"]
    assert found.ledger.skipped == [f"2 entries are not sealed with the keys of this service ({forged}, upkeep/index)"]
    assert await rows(case) == (await case.kit.count("party"), 0)
    objects = Objects(case.there.objects, case.there.data)
    assert forged not in [name async for name in objects.names("erasures")]


async def test_a_ledger_of_a_host_that_died_between_a_backup_and_the_next_copy_is_used(case: Case) -> None:
    await deleted(case)
    await case.mirror()
    await note(case.kit, "later")
    await SealedCopies(case.kit.database, case.kit.objects, case.kit.pseudonyms).keep()
    case.kit.now += 1
    await case.make()
    signed = read_signed(case.place, case.check)
    assert signed is not None
    assert signed.at > 0
    assert case.place.get(HEAD) is not None
    found = await case.restore()
    assert (found.ledger.wrong, found.restored.nothing) == ([], False)
    assert await rows(case) == (await case.kit.count("party"), 0)
