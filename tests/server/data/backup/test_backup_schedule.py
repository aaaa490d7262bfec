"""Test backups by the clock: one of several hosts makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup.backup_schedule import LEDGER_S, RETRY_S, BackupSchedule
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
