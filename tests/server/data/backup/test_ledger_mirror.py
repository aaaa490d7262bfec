"""Test that the ledger beside the backups follows the object store, and that what somebody else does to it is mended and named."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.data.backup.backup_schedule import BackupSchedule
from server.data.backup.backup_signature import signing_keys
from server.data.backup.database_backup import BackupFailed
from server.data.backup.ledger_mirror import LedgerMirror
from server.data.backup.ledger_signature import HEAD, Read, entries, read_ledger, read_signed, verify_ledger
from server.data.backup.rollback_protection import SealedCopies
from tests.server.data.store.test_restore import note
from tests.server.data.whole_backups import Case

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # reads files


def ledger(case: Case, known: int = 0) -> Read:
    """Return what a restore would find."""
    return read_ledger(case.place, case.check, known, lambda _name, _body: None)


async def test_a_second_deletion_of_a_day_reaches_the_ledger_too(case: Case) -> None:
    name = f"erasures/{int(case.kit.now) // 86_400}/{'ab' * 16}"
    for body in (b"until the morning", b"until the evening"):
        await case.kit.objects.put(name, body)
        assert (await case.mirror()).new == 1
        assert (await case.mirror()).new == 0
        assert case.place.get(f"ledger/{name}") == body
        assert ledger(case).wrong == []


async def test_an_object_store_that_lost_all_takes_nothing_from_the_ledger(case: Case) -> None:
    kit, today = case.kit, int(case.kit.now) // 86_400
    for day in (today - 31, today - 30, today - 2):
        await kit.objects.put(f"erasures/{day}/{'ab' * 16}", b"")
    await note(kit, "before")
    copies = SealedCopies(kit.database, kit.objects, kit.pseudonyms)
    await copies.keep()
    await case.mirror(now=kit.now - 2 * 86_400)
    before = entries(case.place)
    assert len(before) == 5
    for name in before:
        await kit.objects.delete(name)
    for _ in range(2):
        with pytest.raises(BackupFailed, match="Was the store emptied"):
            await case.mirror(now=kit.now)
    assert entries(case.place) == before
    assert ledger(case).wrong == []
    await note(kit, "after")
    await copies.keep()  # the server makes the copies anew
    assert (await case.mirror(now=kit.now)).wrong == []
    there = entries(case.place)
    assert {name for name in there if "erasures" in name} == {
        f"erasures/{day}/{'ab' * 16}" for day in (today - 30, today - 2)
    }
    assert len(there) == 4, "the piece that the new index does not name is gone"
    assert (ledger(case).wrong, ledger(case).skipped, ledger(case).entries) == ([], [], 4)


async def test_what_somebody_else_changed_is_mended_and_named(case: Case) -> None:
    today = int(case.kit.now) // 86_400
    names = [f"erasures/{today}/{number:032x}" for number in range(3)]
    for name in names:
        await case.kit.objects.put(name, b"until now")
    first = await case.mirror()
    assert first.wrong == []
    early = case.place.get(HEAD)
    assert early is not None
    case.place.delete(f"ledger/{names[0]}")
    case.place.put(f"ledger/{names[1]}", b"until yesterday")
    case.place.put(f"ledger/erasures/{today}/{'cd' * 16}", b"of somebody else")
    case.place.put("ledger/garbage", b"of somebody else")
    second = await case.mirror(first.at)
    assert second.wrong == [
        f"2 entries are missing or changed ({names[0]}, {names[1]})",
        f"2 entries are not of this service (erasures/{today}/{'cd' * 16}, garbage)",
    ]
    assert entries(case.place) == set(names)
    assert case.place.get(f"ledger/{names[1]}") == b"until now"
    assert second.at > first.at
    case.place.put(HEAD, early)
    assert (await case.mirror(second.at)).wrong == ["an earlier one was put back"]
    case.place.delete(HEAD)
    assert (await case.mirror(second.at)).wrong == ["its signature is gone"]
    case.place.put(HEAD, b'{"head": "{}", "signatures": {"service": "00"}}')
    assert (await case.mirror(second.at)).wrong == ["none of the keys that are here signed it"]
    last = await case.mirror(second.at)
    assert (last.wrong, last.new, ledger(case).wrong) == ([], 0, [])


async def test_an_old_entry_whose_content_somebody_else_changed_is_mended_too(case: Case) -> None:
    today = int(case.kit.now) // 86_400
    old = f"erasures/{today - 5}/{'ab' * 16}"
    await case.kit.objects.put(old, b"until then")
    await case.mirror()
    case.place.put(f"ledger/{old}", b"until the day before")
    assert ledger(case).wrong == [f"1 entry is not what was written ({old})"]
    assert (await case.mirror()).wrong == [f"1 entry is missing or changed ({old})"]
    assert (ledger(case).wrong, case.place.get(f"ledger/{old}")) == ([], b"until then")


async def test_a_ledger_of_a_program_that_signed_none_is_signed_with_the_next_copy(case: Case) -> None:
    today = int(case.kit.now) // 86_400
    lost, kept = f"erasures/{today - 5}/{'ab' * 16}", f"erasures/{today - 5}/{'cd' * 16}"
    await case.kit.objects.put(kept, b"")
    for name in (lost, kept):
        case.place.put(f"ledger/{name}", b"")
    assert ledger(case).wrong == ["it is not signed; an earlier program wrote it"]
    assert (await case.mirror()).wrong == []
    signed = read_signed(case.place, case.check)
    assert signed is not None
    assert set(signed.digests) == {lost, kept}


async def test_a_name_that_ends_each_list_stops_neither_a_copy_nor_a_reader(case: Case) -> None:
    today = int(case.kit.now) // 86_400
    first, second = (f"erasures/{today}/{number:032x}" for number in range(2))
    await case.kit.objects.put(first, b"")
    await case.mirror()
    ends = Path(case.backup["url"]) / "ledger" / "a\nb"
    ends.touch()
    await case.kit.objects.put(second, b"until now")
    for _ in range(2):
        (wrong,) = (await case.mirror()).wrong
        assert wrong.startswith("its entries cannot be listed (an object there has a name")
    found = ledger(case)
    assert (found.wrong, found.entries, len(found.skipped)) == ([], 2, 1)
    case.place.delete(f"ledger/{first}")
    assert ledger(case).wrong == [f"1 entry is not what was written ({first})"]
    ends.unlink()
    assert (await case.mirror()).wrong == [f"1 entry is missing or changed ({first})"]
    assert (ledger(case).wrong, ledger(case).entries) == ([], 2)


class Stopped(Exception):
    """The host died."""


class Dying:
    """A place whose host dies before the nth change of it."""

    def __init__(self, case: Case, after: int) -> None:
        self._place = case.place
        self._left = after

    def __getattr__(self, name: str) -> object:
        """Whatever else a place can do."""
        return getattr(self._place, name)

    def _count(self, change: Callable[..., None], *words: object) -> None:
        if not self._left:
            raise Stopped
        self._left -= 1
        change(*words)

    def put(self, name: str, body: bytes) -> None:
        """Count it."""
        self._count(self._place.put, name, body)

    def delete(self, name: str) -> None:
        """Count it."""
        self._count(self._place.delete, name)


async def test_wherever_a_copy_is_killed_the_ledger_is_whole_and_so_is_the_next(case: Case) -> None:
    kit, today = case.kit, int(case.kit.now) // 86_400
    copies = SealedCopies(kit.database, kit.objects, kit.pseudonyms)
    again, number = f"erasures/{today}/{'ab' * 16}", 0
    await case.mirror()
    ended = False
    while not ended:
        await note(kit, f"line {number}")
        await copies.keep()
        await kit.objects.put(again, f"until {number}".encode())
        await kit.objects.put(f"erasures/{today}/{number:032x}", b"")
        place = Dying(case, number)
        try:
            await LedgerMirror(kit.objects, place, signing_keys(case.here), 30).copy()  # type: ignore[arg-type]
            ended = True
        except Stopped:
            assert ledger(case).wrong == []
        assert (await case.mirror()).wrong == []
        assert (ledger(case).wrong, ledger(case).skipped) == ([], [])
        assert case.place.get(f"ledger/{again}") == f"until {number}".encode()
        number += 1
    assert number > 8, "changes of one copy"


class Watched:
    """A place that calls `before` with the name of each entry that is read, and with "head" before each signature."""

    def __init__(self, case: Case, before: Callable[[str], None]) -> None:
        self._place = case.place
        self._before = before

    def __getattr__(self, name: str) -> object:
        """Whatever else a place can do."""
        return getattr(self._place, name)

    def get(self, name: str, *largest: int) -> bytes | None:
        """Read it."""
        self._before(name)
        return self._place.get(name, *largest)

    def put(self, name: str, body: bytes) -> None:
        """Write it."""
        if name == HEAD:
            self._before("head")
        self._place.put(name, body)


async def test_a_ledger_that_a_server_replaces_while_it_is_verified_is_whole(case: Case) -> None:
    entry, loop, count = f"erasures/{int(case.kit.now) // 86_400}/{'ab' * 16}", asyncio.get_running_loop(), 0
    await case.kit.objects.put(entry, b"until the morning")
    await case.mirror()

    async def replace() -> None:
        await case.kit.objects.put(entry, b"until the evening")
        await case.mirror()

    def before(name: str) -> None:
        nonlocal count
        if name == f"ledger/{entry}":
            count += 1
            if count == 1:
                asyncio.run_coroutine_threadsafe(replace(), loop).result(60)

    place = Watched(case, before)
    found = await asyncio.to_thread(verify_ledger, place, case.check, 0)  # type: ignore[arg-type]
    assert (found.wrong, found.entries, count) == ([], 1, 2)


async def test_a_copy_that_is_cancelled_twice_goes_on_until_it_is_signed(case: Case) -> None:
    await case.kit.objects.put(f"erasures/{int(case.kit.now) // 86_400}/{'ab' * 16}", b"")
    signs, go = threading.Event(), threading.Event()

    def before(name: str) -> None:
        if name == "head":
            signs.set()
            assert go.wait(60)

    copy = LedgerMirror(case.kit.objects, Watched(case, before), signing_keys(case.here), 30).copy()  # type: ignore[arg-type]
    task = asyncio.create_task(copy)
    assert await asyncio.to_thread(signs.wait, 60)
    for _ in range(2):
        task.cancel()
        assert await asyncio.wait({task}, timeout=0.1) == (set(), {task})
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ledger(case).wrong, ledger(case).entries) == ([], 1)


async def test_a_server_says_what_it_mended(case: Case) -> None:
    now = [case.kit.now]
    await case.kit.objects.put(f"erasures/{int(now[0]) // 86_400}/{'ab' * 16}", b"")
    schedule = BackupSchedule(case.here, case.kit.database, case.kit.objects, clock=lambda: now[0])
    await schedule.look()
    case.place.put(HEAD, b"garbage")
    now[0] += 301
    with capture_logs() as logged:
        await schedule.look()
    found = [entry["said"] for entry in logged if entry["event"] == "store.ledger_changed"]
    assert found == ["its signature cannot be read"]
