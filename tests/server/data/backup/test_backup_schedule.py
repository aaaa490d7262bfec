"""Test backups by the clock: one of several hosts makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup import database_backup
from server.data.backup.backup_place import name_at
from server.data.backup.backup_schedule import LEDGER_S, RETRY_S, BackupSchedule
from server.data.privacy import audit_log
from server.data.store.store_runner import open_parts
from server.ops.security import secret_keys
from tests.server.data.whole_backups import Case

# ruff: noqa: ASYNC240 - files of a test
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


async def test_the_schedule_makes_one_when_it_is_due_and_says_what_failed(case: Case) -> None:
    now = [case.kit.now]
    schedule = BackupSchedule(case.here, case.kit.database, case.kit.objects, clock=lambda: now[0])
    other = BackupSchedule(case.here, case.kit.database, case.kit.objects, clock=lambda: now[0])
    await schedule.look()
    await other.look()  # another host: the first has made it
    assert len(case.place.stored()) == 1
    assert schedule.reading()["serendip_backups"] == {("made",): 1, ("failed",): 0}
    assert other.reading()["serendip_backups"] == {("made",): 0, ("failed",): 0}
    now[0] += 86_400
    place = Path(case.backup["url"])
    place.rename(place.with_name("moved"))
    place.write_text("a file where the folder was")
    await schedule.look()
    assert schedule.reading()["serendip_backups"] == {("made",): 1, ("failed",): 1}
    place.unlink()
    await schedule.look()
    assert len(case.place.stored()) == 0, "it is not tried again at once"
    now[0] += max(RETRY_S, LEDGER_S)
    await schedule.look()
    assert len(case.place.stored()) == 1


async def test_a_ledger_that_cannot_be_copied_keeps_no_backup_from_being_made(case: Case) -> None:
    now = [case.kit.now]
    case.place.put("ledger/upkeep/index", b"copies that the object store has lost")
    schedule = BackupSchedule(case.here, case.kit.database, case.kit.objects, clock=lambda: now[0])
    await schedule.look()
    now[0] += 86_400 - 60
    for _ in range(32):
        await schedule.look()
        now[0] += 60
    assert schedule.reading()["serendip_backups"] == {("made",): 2, ("failed",): 33}


async def test_a_copy_of_the_database_alone_is_no_whole_backup(case: Case) -> None:
    await audit_log.write_entry(
        case.kit.database, now=int(case.kit.now), operator="ada", action=database_backup.ACTION, why="cron", outcome=""
    )
    await BackupSchedule(case.here, case.kit.database, case.kit.objects, clock=lambda: case.kit.now).look()
    assert len(case.place.stored()) == 1


async def test_backups_past_their_days_go_though_no_new_one_is_made(case: Case) -> None:
    await case.make()
    settings = case.settings(case.kit.data, case.url, every_hours=0)
    now = [case.kit.now + 86_400]
    schedule = BackupSchedule(settings, case.kit.database, case.kit.objects, clock=lambda: now[0])
    await schedule.look()
    assert len(case.place.stored()) == 1
    now[0] += settings.retention.backup_days * 86_400
    await schedule.look()
    assert case.place.stored() == []


async def test_archives_of_a_time_to_come_keep_no_backup_from_being_made_and_remove_none(case: Case) -> None:
    settings = case.settings(case.kit.data, case.url, keep=1)
    for day in range(3):
        case.place.write(name_at(case.kit.now + (2 + day) * 86_400), iter([b"of a wrong clock"]))
    schedule = BackupSchedule(settings, case.kit.database, case.kit.objects, clock=lambda: case.kit.now)
    for _ in range(2):
        await schedule.look()
    assert schedule.reading()["serendip_backups"] == {("made",): 1, ("failed",): 0}
    assert [one.at for one in case.place.stored()][:1] == [int(case.kit.now)]


async def test_a_new_service_with_the_same_settings_replaces_nothing(case: Case) -> None:
    await case.make()
    case.place.put("ledger/erasures/1/aa", b"")
    before = case.place.stored()
    parts = open_parts(case.there, secret_keys.load(case.there.data))  # the data folder was lost, and the host starts
    try:
        for later in (0, 2 * 86_400):
            schedule = BackupSchedule(
                case.there, parts.database, parts.objects, clock=lambda later=later: case.kit.now + later
            )  # type: ignore[misc]
            await schedule.look()
            assert schedule.reading()["serendip_backups"] == {("made",): 0, ("failed",): 1}
    finally:
        await parts.database.close()
    assert case.place.stored() == before
    assert case.place.names("ledger") == {"ledger/erasures/1/aa"}
