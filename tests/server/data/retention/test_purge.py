"""What has run out leaves; what is held stays; a purge that was killed is continued; the proof says so."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bench.storage import hold_races
from server.data.database import daily_partitions, schema_migration
from server.data.errors import Busy
from server.data.keys.epoch_keys import KeyGone
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.retention.purge import rules, visible
from server.data.schema.record_schema import held_party, party
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.config.settings import Retention
from tests.server.data.conftest import NOW, Kit, address, ended, make_kit, people, transcript
from tests.support.forkserver import forked

DAY = 86_400


def selected(kit: Kit, selector: Selector, now: int = NOW) -> object:
    """Coroutine that places a hold of 90 days."""
    return legal_holds.place(
        kit.database,
        kit.pseudonyms,
        selector,
        authority="a court",
        reason="order 7",
        now=now,
        until=now + 90 * DAY,
        secret=False,
    )


async def test_what_is_older_than_120_days_goes_and_the_rest_stays(kit: Kit) -> None:
    await kit.write(*(ended(ago) for ago in (0, 1, 60, 119, 121.1, 125, 200)))
    done = await kit.purge().run()
    assert done.deleted["chat"] == 3
    assert done.deleted["party"] == 6
    assert (await kit.count("chat"), await kit.count("party")) == (4, 8)
    assert done.proved
    assert {proof.place for proof in done.proofs} >= {"party.ended", "audit.time", "chat.ended"}


async def test_what_has_run_out_is_invisible_before_it_is_purged(kit: Kit) -> None:
    await kit.write(ended(119.9), ended(120.1))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(party).where(visible(NOW, kit.retention)))).all()
    assert len(rows) == 2
    assert await kit.count("party") == 4


async def test_a_dry_run_counts_and_takes_nothing(kit: Kit) -> None:
    await kit.write(ended(1), ended(130), ended(140))
    await selected(kit, Selector("address", address(11)))
    done = await kit.purge().run(dry=True)
    assert (done.deleted["chat"], done.deleted["party"]) == (2, 4)
    assert (done.held["chat"], done.held["party"]) == (2, 2)
    assert await kit.count("chat") == 3
    assert not done.proved


async def test_a_shorter_retention_is_kept_too(kit: Kit) -> None:
    kit.retention = Retention(days=7)
    await kit.write(ended(5), ended(9))
    await kit.purge().run()
    assert await kit.count("chat") == 1


@pytest.mark.parametrize("kind", ["identity", "address", "stored"])
async def test_what_is_held_stays_readable_and_its_partner_goes(kit: Kit, kind: str) -> None:
    await kit.write(ended(130), ended(130, a=33, b=44), ended(131, a=55, b=11))
    if kind == "stored":
        async with kit.database.read() as connection:
            rows = (
                await connection.execute(
                    select(party.c.identity).where(party.c.identity.in_(kit.pseudonyms.live_identities(11)))
                )
            ).scalars()
        selector = Selector("identity", next(iter(rows)).hex())
    else:
        selector = Selector("identity", "11") if kind == "identity" else Selector("address", address(11))
    number = await selected(kit, selector)
    done = await kit.purge().run()
    assert (await kit.count("chat"), await kit.count("party")) == (0, 0)
    assert (await kit.count("held_chat"), await kit.count("held_party")) == (2, 2)
    assert done.held == {"held_chat": 2, "held_party": 2}
    assert done.proved
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(held_party.c.address))).scalars().all()
    assert {kit.pseudonyms.kept_address(row).address for row in rows} == {address(11)}
    assert await legal_holds.release(kit.database, number, NOW)
    await kit.purge().run()
    assert (await kit.count("held_chat"), await kit.count("held_party"), await kit.count("hold")) == (0, 0, 0)
    assert await kit.count("hold_match") == 0


async def test_a_hold_ends_by_itself(kit: Kit) -> None:
    await kit.write(ended(130))
    await selected(kit, Selector("identity", "11"))
    await kit.purge().run()
    assert await kit.count("held_party") == 1
    kit.now += 91 * DAY
    await kit.purge().run()
    assert await kit.count("held_party") == 0
    assert await kit.count("hold") == 0


async def test_a_hold_reaches_what_comes_in_a_later_epoch(kit: Kit) -> None:
    await selected(kit, Selector("identity", "11"), now=NOW)
    later = NOW + 45 * DAY
    await kit.write(ended(now=later))
    kit.pseudonyms.epochs.make(later // (30 * DAY) + 1)
    assert await legal_holds.refresh(kit.database, kit.pseudonyms, later) >= 0
    kit.now = later + 121 * DAY
    async with kit.database.write() as connection:  # the hold is made longer, as an operator would by placing it again
        await connection.execute(text("UPDATE hold SET until = :until"), {"until": int(kit.now) + DAY})
    await kit.purge().run()
    assert await kit.count("held_party") == 1


@pytest.mark.parametrize(
    ("selector", "authority", "days"),
    [
        (Selector("identity", "0"), "x", 1),
        (Selector("identity", "name"), "x", 1),
        (Selector("address", "1.2.3"), "x", 1),
        (Selector("log", "zz"), "x", 1),
        (Selector("mood", "x"), "x", 1),
        (Selector("identity", "5"), " ", 1),
        (Selector("identity", "5"), "x", 0),
        (Selector("identity", "5"), "x", 5000),
    ],
)
async def test_a_hold_that_says_too_little_is_refused(kit: Kit, selector: Selector, authority: str, days: int) -> None:
    with pytest.raises(legal_holds.BadHold):
        await legal_holds.place(
            kit.database,
            kit.pseudonyms,
            selector,
            authority=authority,
            reason="y",
            now=NOW,
            until=NOW + days * DAY,
            secret=False,
        )
    assert await kit.count("hold") == 0


@pytest.mark.parametrize("by", ["log", "identity", "address"])
async def test_a_held_log_is_hidden_at_once_and_deleted_when_the_hold_ends(kit: Kit, by: str) -> None:
    saved = await kit.logs.save(transcript(), people())
    ident = await kit.logs.find(saved.log)
    assert ident is not None
    selector = {
        "log": Selector("log", ident.hex()),
        "identity": Selector("identity", "22"),
        "address": Selector("address", address(22)),
    }[by]
    number = await selected(kit, selector)
    assert await kit.logs.delete_by_secret(saved.delete)
    assert not await kit.logs.delete_by_secret(saved.delete)
    assert await kit.logs.show(saved.log) is None
    await kit.purge().run()
    assert await kit.count("log") == 1
    await legal_holds.release(kit.database, number, NOW)
    await kit.purge().run()
    assert (await kit.count("log"), await kit.count("log_party"), await kit.count("doomed")) == (0, 0, 0)
    assert [name async for name in kit.objects.names("logs")] == []


ROUNDS = 300  # of a purge against holds; a thousand by `python -m bench store races`


@pytest.mark.timeout(180)
async def test_a_hold_that_is_placed_while_a_purge_runs_wins_or_comes_after_it(kit: Kit) -> None:
    found = await hold_races.run(kit.database, kit.logs, kit.objects, ROUNDS, now=NOW)
    assert found.lost == []
    assert found.won + found.late == ROUNDS
    assert found.won  # or nothing was raced


async def test_a_hold_that_was_placed_before_never_loses_a_row(kit: Kit) -> None:
    for turn in range(20):
        await kit.write(ended(130, a=1000 + turn, b=5000 + turn))
        await selected(kit, Selector("identity", str(1000 + turn)))
        await kit.purge().run()
    assert await kit.count("held_party") == 20


async def test_of_two_purges_at_once_one_says_that_another_runs(kit: Kit) -> None:
    await kit.write(*(ended(130 + index % 5) for index in range(200)))
    found = await asyncio.gather(kit.purge(step=5).run(), kit.purge(step=5).run(), return_exceptions=True)
    assert sorted(type(result).__name__ for result in found) == ["Busy", "Purged"]
    assert await kit.count("chat") == 0
    with pytest.raises(Busy):
        async with kit.database.only_purge():
            await kit.purge().run()


KILLED = forked("""
import asyncio, os, signal, sys
from pathlib import Path
from server.ops.config.settings import Objects
from server.data.database import daily_partitions as partitions
from tests.server.data.conftest import make_kit
kit = make_kit(sys.argv[1], Path(sys.argv[2]), Objects())
point = sys.argv[3]
def die(*a, **k):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "between-detach-and-drop":
    from sqlalchemy.ext.asyncio import AsyncConnection
    real = AsyncConnection.exec_driver_sql
    async def execute(self, statement, *a, **k):
        if statement.startswith("DROP TABLE"):
            die()
        return await real(self, statement, *a, **k)
    AsyncConnection.exec_driver_sql = execute
seen = [0]
def progress(place, count):
    seen[0] += 1
    if point == "between-steps" and seen[0] == 2:
        die()
asyncio.run(kit.purge(step=5, progress=progress).run())
""")


@pytest.mark.blocking  # runs a program and waits for it
@pytest.mark.parametrize("point", ["between-steps", "between-detach-and-drop"])
async def test_a_purge_that_is_killed_is_continued_by_the_next(kit: Kit, url: str, point: str) -> None:
    if point == "between-detach-and-drop" and kit.database.sqlite:
        point = "between-steps"
    await kit.write(*(ended(130 + index % 3) for index in range(40)), ended(1))
    await selected(kit, Selector("identity", "11"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED,
        url,
        str(kit.data),
        point,
        cwd=Path(__file__).parents[4],
    )
    assert await process.wait() == -signal.SIGKILL
    while True:
        try:
            done = await kit.purge().run()
            break
        except Busy:  # PostgreSQL notices within a moment that the other is gone
            await asyncio.sleep(0.05)
    assert done.proved
    assert await kit.count("chat") == 1
    assert await kit.count("held_party") == 40
    if not kit.database.sqlite:
        async with kit.database.read() as connection:
            assert {day for _, day, _ in await daily_partitions.existing(connection)} == {(NOW - DAY) // DAY}


@pytest.mark.blocking  # reads raw files
async def test_raw_files_of_sqlite_hold_nothing_of_what_was_purged(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'raw.db'}"
    await schema_migration.migrate_apart(url, tmp_path)
    kit = make_kit(url, tmp_path, ObjectSettings())
    await kit.write(*(ended(130, a=index + 1, mode="spy") for index in range(300)), ended(1))
    async with kit.database.read() as connection:
        macs = (
            await connection.execute(select(party.c.identity, party.c.address_mac, party.c.address, party.c.ended))
        ).all()
    gone = [value for row in macs if row.ended < NOW - 120 * DAY for value in row[:3]]
    assert len(gone) == 1800
    await kit.purge().run()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("raw.db*"))  # noqa: ASYNC240 - marked as blocking
    assert [value for value in gone if value in raw] == []
    assert any(value in raw for row in macs if row.ended > NOW - 120 * DAY for value in row[:3])
    await kit.database.close()


async def test_epoch_keys_are_destroyed_when_no_row_and_no_backup_can_need_them(kit: Kit) -> None:
    await kit.write(ended(0))
    epoch = NOW // (30 * DAY)
    async with kit.database.read() as connection:
        [row, _] = (await connection.execute(select(party))).all()
    end = (epoch + 1) * 30 * DAY
    for late, there in ((150, True), (152, False)):
        kit.now = end + late * DAY
        await kit.purge().run()
        assert (epoch in kit.pseudonyms.epochs.epochs()) == there
    assert not (kit.pseudonyms.epochs.folder / f"{epoch}.key").exists()
    with pytest.raises(KeyGone):
        kit.pseudonyms.live_address(row.address)


async def test_the_erasure_list_is_kept_one_backup_life(kit: Kit) -> None:
    saved = await kit.logs.save(transcript(), people())
    await kit.logs.delete_by_secret(saved.delete)
    for days, left in ((29, 1), (31, 0)):
        kit.now = NOW + days * DAY
        await kit.purge().run()
        assert len([name async for name in kit.objects.names("erasures")]) == left


async def test_a_day_is_dropped_while_chats_are_written(kit: Kit) -> None:
    await kit.write(*(ended(125 + index % 10, a=index) for index in range(1, 300)))
    writer = kit.writer(batch=20, linger=0.0)
    writer.start()
    purge = asyncio.create_task(kit.purge(step=20).run())
    for index in range(300):
        writer.record(ended(0, a=index + 1))
        await asyncio.sleep(0)
    await writer.flush()
    assert (await purge).proved
    await writer.close(5)
    assert await kit.count("chat") == 300


def test_a_row_goes_whole_or_the_registry_is_wrong() -> None:
    moderation = dict.fromkeys(
        ("report", "case", "case_subject", "case_comment", "ban", "notice", "appeal", "law_notice"), 30
    )
    assert {rule.table: rule.days for rule in rules(Retention(days=30))} == {
        "party": 30, "audit": 365, "approval": 365, "emergency_review": 730,
        "deletion": 730, "request": 730, "deletion_notice": 730, "disclosure_subject": 730,
        "law_order": 730, "request_mail": 1,
        "request_answer": 30, "agent_use": 14,
    } | moderation  # fmt: skip
