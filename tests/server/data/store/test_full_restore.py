"""Test that a whole backup is restored into an empty place: on both databases, from a folder and a bucket, and killed in between."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from server.data.backup import sealed_box
from server.data.backup.backup_place import find
from server.data.backup.backup_signature import Foreign
from server.data.backup.backup_verification import verify
from server.data.backup.database_backup import BackupFailed
from server.data.backup.rollback_protection import SealedCopies
from server.data.backup.sealed_box import WrongKey
from server.data.database import folder_lock
from server.data.database.database import Database
from server.data.database.key_fingerprints import KeyFingerprints
from server.data.database.restore_lock import ServiceLock, alone
from server.data.errors import Busy
from server.data.retention.requested_deletion import RequestedDeletions
from server.data.store.full_restore import FullRestore, FullyRestored
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.trust.rights.deletion import Deletion
from server.trust.rights.deletion_receipt import Receipts
from tests.server.data.conftest import Kit, ended, people, transcript
from tests.server.data.store.test_restore import note, parts_of
from tests.server.data.whole_backups import Case, in_bucket

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


@pytest.mark.parametrize("kind", ["folder", pytest.param("bucket", marks=pytest.mark.thorough)])
async def test_all_is_back_in_an_empty_place_and_what_was_deleted_or_expired_since_is_not(
    case: Case, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "bucket":
        in_bucket(case, request)
    kit = case.kit
    await kit.write(ended(1, now=kit.now), ended(119.9, a=55, b=66, now=kit.now), ended(1, a=33, b=44, now=kit.now))
    stays, goes = [await kit.logs.save(transcript(text), people()) for text in "ab"]
    await kit.objects.put("logs/zz/none", b"written while the database was dumped")
    await note(kit, "before")
    made = await case.make()
    assert made.manifest.keys
    done = await verify(
        case.place, find(case.place, ""), kit.database, kit.data, check=case.check, key=case.key, progress=lambda *_: None,
    )  # fmt: skip
    assert (done.rows, done.manifest.objects) == (sum(made.manifest.rows.values()), made.manifest.objects)
    assert done.keys >= 4
    # Since: a log is removed, a person's rows are deleted, a line is written; and the ledger knows.
    assert await kit.logs.delete_by_secret(goes.delete)
    await kit.logs.sweep()
    deletions = RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now)
    await ask_deletion(kit, 33, deletions)
    await note(kit, "after")
    await SealedCopies(kit.database, kit.objects, kit.pseudonyms).keep()
    assert (await case.mirror()).new > 0
    assert (await case.mirror()).new == 0
    (name,) = [name async for name in kit.objects.names("logs") if name != "logs/zz/none"]
    case.place.put(f"ledger/{name}", b"put there by somebody else")
    # The host is lost; its retention has become shorter meanwhile.
    found = await case.restore()
    assert (found.ledger.entries > 0, found.ledger.wrong) == (True, [])
    assert found.ledger.skipped == [f"1 entry is not of this service ({name})"]
    assert found.left_out >= 1
    assert (await asyncio.to_thread((case.there.data / "secret").read_bytes)) == (kit.data / "secret").read_bytes()
    assert "hidden-word" in (case.there.data / "restored.toml").read_text()
    parts = case.opened()
    try:
        assert await parts.logs.show(stays.log) is not None
        assert await parts.logs.show(goes.log) is None
        assert await parts.objects.get("logs/zz/none") is None
        async with parts.database.read() as connection:
            actions = [
                row[0] for row in (await connection.exec_driver_sql("SELECT action FROM audit ORDER BY id")).all()
            ]
            mine = (await connection.exec_driver_sql("SELECT count(*) FROM party")).scalar_one()
        assert actions[-1] == "restore"
        assert {"before", "after"} <= set(actions)
        assert mine == await kit.count("party")
        await KeyFingerprints(
            parts.database, secret_keys.load(case.there.data), parts.pseudonyms, kit.retention
        ).check()
        assert await SealedCopies(parts.database, parts.objects, parts.pseudonyms).match_database()
        os.close(folder_lock.share(case.there.data))
    finally:
        await parts.database.close()


async def ask_deletion(kit: Kit, person: int, deletions: RequestedDeletions) -> None:
    """A person's records go at once."""
    settings = Settings.model_validate({"data": str(kit.data), "rights": {"delete_hours": 0}})
    receipts = Receipts(secret_keys.load(kit.data).lasting[secret_keys.Purpose.RECEIPT])
    await Deletion(parts_of(kit), settings, receipts, lambda: "1").ask(person, int(kit.now) - 1)
    await deletions.run()


async def test_a_place_that_is_not_empty_and_hosts_that_serve_are_refused(case: Case) -> None:
    await case.kit.write(ended(1, now=case.kit.now))
    await case.make()
    with pytest.raises(BackupFailed, match="not empty"):
        await FullRestore(case.here, case.place, find(case.place, ""), case.key, lambda *_: None).run(never)
    if not case.kit.database.sqlite:  # a host elsewhere that serves from the database to be filled
        other = Database(case.other_url, data=case.kit.data)
        lock = ServiceLock(other)
        await lock.take()
        with pytest.raises(Busy, match="stop every one"):
            await case.restore()
        await lock.close()
        await other.close()
    case.there.data.mkdir(exist_ok=True)
    with pytest.raises(BackupFailed, match="give --key"):
        await case.restore(key=None)
    (case.folder / "private.pem").write_bytes(sealed_box.new_key()[0])
    with pytest.raises(Foreign):
        await case.restore()
    with pytest.raises(WrongKey):
        await case.restore(unsigned=True)
    secret_keys.load(case.there.data)
    (case.there.data / "secret").unlink()
    with pytest.raises(BackupFailed, match="has keys"):
        await case.restore()
    assert not folder_lock.restore_begun(case.there.data)


async def never(_parts: Parts, _done: FullyRestored) -> None:
    """Fail: nothing is restored before this."""
    raise AssertionError


async def released(case: Case) -> None:
    """Wait until PostgreSQL has seen that the session of a killed program is gone: its lock lives until then."""
    if case.kit.database.sqlite:
        return
    other = Database(case.other_url, data=case.kit.data)
    async with asyncio.timeout(40):
        while True:
            try:
                async with alone(other):
                    break
            except Busy:
                await asyncio.sleep(0.05)
    await other.close()


async def test_wherever_a_restore_is_killed_no_server_starts_and_the_same_restore_ends_it(case: Case) -> None:
    saved = [await case.kit.logs.save(transcript(text), people()) for text in "abcd"]
    await case.kit.write(ended(1, now=case.kit.now))
    await case.make()
    for what, count in (("objects written", 1), ("objects written", 3), ("audit", 0)):
        assert await case.program("restore", case.there, what, count) == -signal.SIGKILL
        with pytest.raises(Busy, match="was not finished"):
            folder_lock.share(case.there.data)
        await released(case)
    await case.restore()
    os.close(folder_lock.share(case.there.data))
    parts = case.opened()
    try:
        for one in saved:
            assert await parts.logs.show(one.log) is not None
    finally:
        await parts.database.close()
    assert [path.name for path in case.there.data.glob(".restore-*")] == []
