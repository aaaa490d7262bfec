"""Test that whole backups are made or not, so many stay, and they hold no key that they do not need."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import tomllib
from pathlib import Path

import pytest

from server.data.backup.database_backup import last_backup
from server.data.backup.full_backup import BackupMaker, secrets_of, settings_text, with_secrets
from server.data.backup.rollback_protection import SealedCopies
from server.data.database.database import Database
from server.data.errors import Busy
from server.data.keys.epoch_keys import epoch_of
from server.data.keys.pseudonyms import open_pseudonyms
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from tests.server.data.conftest import people, transcript
from tests.server.data.store.test_restore import note
from tests.server.data.whole_backups import Case

# ruff: noqa: ASYNC240 - files of a test
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


async def test_wherever_a_backup_is_killed_there_is_none_and_the_next_one_is_whole(case: Case) -> None:
    for text in "abcd":
        await case.kit.logs.save(transcript(text), people())
    for what, count in (("database", 0), ("objects", 1), ("objects", 4)):
        assert await case.program("make", case.here, what, count) == -signal.SIGKILL
        assert case.place.stored() == []
    assert await last_backup(case.kit.database) == 0
    await case.make(within=60.0)
    assert len(case.place.stored()) == 1
    assert [path.name for path in case.kit.data.glob(".backup-*")] == []
    assert [path.name for path in Path(case.backup["url"]).iterdir() if path.name.startswith(".")] == []


async def test_a_backup_removes_the_folder_of_a_verification_that_was_killed_a_day_ago(case: Case) -> None:
    old, new = (case.kit.data / f".verify-{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "database").write_bytes(b"rows")
    os.utime(old, (0, 0))
    await case.make()
    assert (old.exists(), new.exists()) == (False, True)


async def test_so_many_stay_as_the_settings_say_and_none_past_its_days(case: Case) -> None:
    names = []
    for ago in (40, 29, 3, 2, 1):
        maker = BackupMaker(
            case.here,
            case.kit.database,
            case.kit.objects,
            case.place,
            clock=lambda ago=ago: case.kit.now - ago * 86_400,
        )  # type: ignore[misc]
        names.append((await maker.make("ada", "a test")).name)
    assert [one.name for one in case.place.stored()] == names[2:]
    late = BackupMaker(
        case.here, case.kit.database, case.kit.objects, case.place, clock=lambda: case.kit.now + 28.5 * 86_400
    )
    assert [one.name for one in late.delete_old()] == names[2:4]


async def test_a_backup_holds_the_epoch_keys_of_its_rows_alone(case: Case) -> None:
    now = time.time()
    epochs = open_pseudonyms(secret_keys.load(case.kit.data), case.kit.data).epochs
    old = [epoch_of(now) - 6, epoch_of(now) - 7]  # ended 150 days ago at least; retention is 120
    for epoch in (*old, epoch_of(now)):
        epochs.make(epoch)
    async with case.kit.database.write() as connection:
        for epoch in old:
            await connection.exec_driver_sql(
                f"INSERT INTO fingerprint (name, value) VALUES ('epoch {epoch}', 'x')"  # noqa: S608 - a number
            )
    epochs.propose(epoch_of(now) + 1)  # the hosts of a cluster have not agreed on it yet
    await case.make()
    await case.restore()
    there = {path.name for path in (case.there.data / "keys").glob("*.key")}
    assert {f"{epoch_of(now)}.key", f"{epoch_of(now) + 1}.proposed.key"} <= there
    assert not {f"{epoch}.key" for epoch in old} & there


async def test_copies_of_the_state_that_change_meanwhile_are_whole_in_the_backup(case: Case) -> None:
    kit, loop = case.kit, asyncio.get_running_loop()
    copies = SealedCopies(kit.database, kit.objects, kit.pseudonyms)
    for number in range(12):
        await kit.logs.save(transcript(str(number)), people())
    await note(kit, "before")
    await copies.keep()

    async def change(count: int) -> None:
        await note(kit, f"at {count}")
        await copies.keep()  # deletes the pieces that it replaces

    def progress(what: str, count: int) -> None:
        if what == "objects" and count in (1, 13):  # a log; the first piece
            asyncio.run_coroutine_threadsafe(change(count), loop).result()

    maker = BackupMaker(case.here, kit.database, kit.objects, case.place, progress=progress)
    await maker.make("ada", "a test")
    done = await case.restore()
    assert (done.ledger.entries, done.objects > 12) == (0, True)
    parts = case.opened()
    try:
        async with parts.database.read() as connection:
            found = (await connection.exec_driver_sql("SELECT action FROM audit")).scalars().all()
        assert {"before", "at 1", "at 13"} <= set(found)
    finally:
        await parts.database.close()


async def test_secrets_within_a_list_of_the_settings_are_sealed_and_come_back(case: Case) -> None:
    company = {
        "name": 'A "company"', "kind": "hosting", "deletes": "webhook", "contact": "http://10.0.0.1/", "private": True,
        "secret": "a word that is long enough to be one",
    }  # fmt: skip
    settings = Settings.model_validate(
        {"data": str(case.kit.data), "recipients": [company], "mail": {"host": "a.example"}}
    )
    plain = settings_text(settings)
    assert "long enough" not in plain
    assert sorted(tomllib.loads(plain)) == ["mail", "recipients"]
    whole = Settings.model_validate(
        {"data": str(case.kit.data)} | tomllib.loads(with_secrets(plain, secrets_of(settings)))
    )
    assert whole.recipients == settings.recipients
    assert whole.mail == settings.mail


async def test_whoever_waits_makes_a_backup_after_another_process(case: Case) -> None:
    other = Database(case.url, data=case.kit.data, pool=1)
    try:
        async with other.only_backup():
            with pytest.raises(Busy, match="another process makes a backup, or copies the ledger"):
                await case.make()
            maker = BackupMaker(case.here, case.kit.database, case.kit.objects, case.place)
            waiting = asyncio.create_task(maker.make("ada", "a test", within=100))
            await asyncio.sleep(0)
            assert not waiting.done()
        assert (await waiting).size > 0
    finally:
        await other.close()
