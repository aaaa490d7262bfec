"""What is due leaves, whenever the process is killed; nothing of it is left in files; no backup brings it back."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from server.data.backup import database_backup
from server.data.database import schema_migration
from server.data.errors import ObjectsAway
from server.data.keys.epoch_keys import epoch_of
from server.data.retention import legal_holds, requested_deletion
from server.data.retention.requested_deletion import RequestedDeletions
from server.data.schema.deletion_schema import deletion, erased
from server.data.schema.record_schema import log_party, party
from server.data.store import restore
from server.ops.config.settings import Objects as ObjectSettings
from tests.server.data.conftest import NOW, Kit, address, ended, make_kit, people, transcript
from tests.server.data.store.test_restore import copies, parts_of
from tests.support.forkserver import forked

HOUR, DAY = 3_600, 86_400
A, B = 11, 22


async def ask(kit: Kit, identity: int, *, number: str = "0123456789ABC", hours: int = 72) -> None:
    """As `server.trust.rights.deletion` writes it."""
    now = int(kit.now)
    row = {
        "number": number,
        "who": None,
        "kind": "delete",
        "records": True,
        "logs": True,
        "asked": now,
        "statement": "",
    }
    values = {
        *kit.pseudonyms.live_identities(identity),
        kit.pseudonyms.kept_identity(identity),
        kit.pseudonyms.safety_identity(identity),
    }
    async with kit.database.write() as connection:
        await connection.execute(insert(deletion).values(**row, due=now + hours * HOUR, done=None, hold=None))
        rows = [{"value": value, "number": number, "before": now} for value in values]
        await connection.execute(insert(erased), rows)


async def left(kit: Kit) -> set[bytes | None]:
    """The values of the people of whom rows are left."""
    async with kit.database.read() as connection:
        found = {*(await connection.execute(select(party.c.identity))).scalars()}
        return found | {*(await connection.execute(select(log_party.c.identity))).scalars()}


def of(kit: Kit, identity: int) -> set[bytes]:
    """The values of one person."""
    return {*kit.pseudonyms.live_identities(identity), kit.pseudonyms.kept_identity(identity)}


KILLED = forked("""
import asyncio, os, signal, sys
from pathlib import Path
from server.ops.config.settings import Objects as Settings
from server.data.retention import requested_deletion as removal
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from tests.server.data.conftest import NOW, make_kit
kit = make_kit(sys.argv[1], Path(sys.argv[2]), Settings())
kit.now = NOW + 72 * 3600
removal.STEP = removal.SMALLEST = 7
left = [int(sys.argv[3])]
def counted(real):
    def call(self, *a, **k):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *a, **k)
    return call
Database.write = counted(Database.write)
Objects.put = counted(Objects.put)
asyncio.run(removal.RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now).run())
print(left[0])
""")


@pytest.mark.blocking  # runs a program and waits for it
@pytest.mark.parametrize("step", [2, 4, 7, 12, 16])
async def test_a_removal_that_is_killed_at_any_step_is_finished_by_the_next(kit: Kit, url: str, step: int) -> None:
    await kit.write(*(ended(index % 3, a=A, b=B + index) for index in range(20)))
    await kit.logs.save(transcript(), people())
    await ask(kit, A)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, url, str(kit.data), str(step),
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert await process.wait() == -signal.SIGKILL
    async with kit.database.read() as connection:
        assert (await connection.execute(select(deletion.c.done))).scalar() is None
    kit.now = NOW + 73 * HOUR
    await kit.purge().run()
    assert not await left(kit) & of(kit, A)
    assert await kit.count("party") == 20
    assert (await kit.count("log"), await kit.count("doomed")) == (0, 0)
    assert await kit.count("deletion WHERE done IS NULL") == 0


async def test_each_persons_own_date_bounds_a_step_that_takes_the_rows_of_many(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"STEP": 5, "SMALLEST": 5, "AHEAD": 7, "REQUESTS": 2, "PUTS": 3}.items():
        monkeypatch.setattr(requested_deletion, name, value)
    earlier = [ended(2 + index / 50, a=person, b=person + 1) for person in (11, 12, 13) for index in range(6)]
    later = [ended(now=NOW + HOUR, a=person, b=person + 1) for person in (11, 12, 13)]
    await kit.write(*earlier, *later, ended(2, a=14, b=14))
    await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("address", address(12)),
        authority="a court", reason="1", now=int(NOW), until=int(NOW) + 90 * DAY, secret=True,
    )  # fmt: skip
    for index, (person, at) in enumerate({11: NOW, 12: NOW, 13: NOW + HOUR, 14: NOW}.items()):
        kit.now = at
        await ask(kit, person, number=f"000000000000{index}")
    kit.now = NOW + 80 * HOUR
    gone = await RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now).run()
    # 11: six, not the later one; 12: held; 13: all, as the one or the other; 14: six, and both sides of a chat, not the later one
    assert gone["party"] == 6 + 14 + 8
    assert await left(kit) & of(kit, 11)
    assert await kit.count("party") == 2 * 21 + 2 - 28
    assert not await left(kit) & of(kit, 13)
    async with kit.database.read() as connection:
        mine = await connection.execute(select(party.c.ended).where(party.c.identity.in_(of(kit, 11))))
        assert set(mine.scalars()) == {NOW + HOUR}
        assert (await connection.execute(select(deletion.c.done))).scalars().all() == [kit.now] * 4


async def test_a_request_is_not_done_before_each_of_its_values_is_listed(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kit.write(ended(1))
    await ask(kit, A)
    kit.now = NOW + 72 * HOUR
    whole, calls = kit.objects.put, 0

    async def fails(name: str, body: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ObjectsAway("full")
        await whole(name, body)

    monkeypatch.setattr(kit.objects, "put", fails)
    with pytest.raises(ObjectsAway):
        await RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now).run()
    assert await kit.count("deletion WHERE done IS NULL") == 1
    await RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now).run()
    assert await kit.count("deletion WHERE done IS NULL") == 0
    names = {name.split("/")[2] async for name in kit.objects.names("erasures")}
    assert names == {kit.pseudonyms.erasure(value).hex() for value in of(kit, A) | {kit.pseudonyms.safety_identity(A)}}


@pytest.mark.blocking  # makes folders
async def test_a_row_costs_the_same_however_many_more_the_person_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In instructions of SQLite's machine, which know no clock; the steps of a removal once read all that was left of the person."""
    monkeypatch.setattr(requested_deletion, "STEP", 20)
    cost = {}
    for rows in (200, 800):
        (tmp_path / str(rows)).mkdir()
        kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / str(rows) / 'one.db'}", tmp_path / str(rows), ObjectSettings())
        await schema_migration.migrate(kit.database)
        await kit.write(*(ended(1 + index / 1000, a=A, b=B + index) for index in range(rows)))
        await ask(kit, A)
        count = [0]
        async with kit.database.engine.connect() as connection:  # there is one connection, which all here take in turn
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None

            def turned(count: list[int] = count) -> int:
                count[0] += 1
                return 0

            await driver.set_progress_handler(turned, 10)
        gone = await RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: NOW + 72 * HOUR).run()
        assert gone["party"] == rows
        cost[rows] = count[0] / rows
        await kit.database.close()
    assert 0 < cost[800] < cost[200] * 1.3


@pytest.mark.blocking  # reads raw files
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "people", [6, 7, 8, 9]
)  # where SQLite moved cells within their page is another matter each time
async def test_raw_files_of_sqlite_hold_nothing_of_whom_was_removed_and_all_of_the_others(
    kit: Kit, people: int
) -> None:
    await kit.write(*(ended(index % 90, a=A, b=B + index % people) for index in range(900)))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(party))).all()
    await ask(kit, A)
    kit.now = NOW + 72 * HOUR
    await kit.purge().run()
    while not await kit.database.checkpoint():  # nobody may read in that moment: the next purge would do it
        pass
    raw = b"".join(path.read_bytes() for path in kit.data.glob(f"{kit.database.path.name}*"))
    mine = [row for row in rows if row.side == 0]
    assert [row for row in mine if row.address in raw or row.address_mac in raw] == []
    assert len(mine) == 900
    assert all(row.address in raw for row in rows if row.side == 1)


@pytest.mark.blocking  # runs pg_dump and reads files
@pytest.mark.parametrize("lost", [False, True], ids=["the-database-is-there", "only-the-erasure-list"])
async def test_a_backup_of_before_brings_nothing_back(kit: Kit, tmp_path: Path, lost: bool) -> None:
    await kit.write(ended(1), ended(2, a=33, b=44))
    saved = await kit.logs.save(transcript(), people())
    await database_backup.backup(kit.database, tmp_path / "one.backup")
    await ask(kit, A)
    kit.now = NOW + 72 * HOUR
    await kit.purge().run()
    if lost:
        async with kit.database.write() as connection:
            for table in ("deletion", "erased"):
                await connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - constants
    await kit.write(ended(now=kit.now, a=B, b=44))
    done = await restore.restore(parts_of(kit), tmp_path / "one.backup")
    assert not await left(kit) & of(kit, A)
    assert await left(kit) >= of(kit, 33) & await left(kit)
    assert await kit.count("party") == 3
    assert await kit.logs.show(saved.log) is None
    assert done.people >= 1
    assert await RequestedDeletions(kit.database, kit.logs, kit.objects).replay() == 0


@pytest.mark.blocking  # runs pg_dump and reads files
@pytest.mark.parametrize("lost", [False, True], ids=["the-database-is-there", "only-the-copies"])
async def test_what_is_not_due_yet_is_hidden_after_a_restore_too(kit: Kit, tmp_path: Path, lost: bool) -> None:
    await kit.write(ended(1))
    saved = await kit.logs.save(transcript(), people())
    await database_backup.backup(kit.database, tmp_path / "one.backup")
    await ask(kit, A, hours=24 * 365 * 50)
    await copies(kit).keep()
    if lost:
        async with kit.database.write() as connection:
            for table in ("deletion", "erased"):
                await connection.exec_driver_sql(f"DROP TABLE {table}")
            await connection.exec_driver_sql("DROP TABLE alembic_version")
    await restore.restore(parts_of(kit), tmp_path / "one.backup")
    assert await kit.logs.show(saved.log) is None
    assert await kit.count("erased") > 0
    assert await kit.count("party") == 2


async def test_what_it_hides_is_forgotten_when_nothing_can_come_back(kit: Kit) -> None:
    await kit.write(ended(1))
    await ask(kit, A)
    for days, there in ((3, True), (122, True), (125, False)):
        kit.now = NOW + days * DAY
        await kit.purge().run()
        assert (await kit.count("erased") > 0) == there
    assert await kit.count("deletion") == 1
    kit.now = NOW + 732 * DAY
    await kit.purge().run()
    assert await kit.count("deletion") == 0


async def test_the_list_names_nobody_and_only_the_key_opens_it(kit: Kit) -> None:
    await kit.write(ended(1))
    await ask(kit, A)
    kit.now = NOW + 72 * HOUR
    await kit.purge().run()
    names = [name async for name in kit.objects.names("erasures")]
    assert {kit.pseudonyms.erasure(value).hex() for value in of(kit, A)} <= {name.split("/")[2] for name in names}
    [mine] = [name for name in names if name.endswith(kit.pseudonyms.erasure(kit.pseudonyms.kept_identity(A)).hex())]
    body = await kit.objects.get(mine) or b""
    assert str(NOW).encode() not in body
    assert kit.pseudonyms.open_copy(mine, body) == str(NOW).encode()
    assert epoch_of(NOW) in kit.pseudonyms.epochs.epochs()
    assert address(A).encode() not in body
