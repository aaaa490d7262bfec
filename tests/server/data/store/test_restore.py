"""A restore undoes no hold, no ban, no deletion and no line of the trail: from the database that was there, or from its copies."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.backup import database_backup, non_restorable_state
from server.data.backup.rollback_protection import SealedCopies, SetBack
from server.data.database import schema_migration
from server.data.database.key_fingerprints import KeyFingerprints
from server.data.privacy import audit_log
from server.data.retention import legal_holds, stale_cases
from server.data.schema.moderation_schema import ban, case
from server.data.schema.record_schema import audit as trail
from server.data.schema.record_schema import held_party
from server.data.store import restore
from server.data.store.store_runner import Parts
from server.ops.security import secret_keys
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_key import RightsKeys
from server.trust.rights.proof_check import ProofChecks
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import Kit, address, ended, people, transcript
from tests.server.trust.moderation.people import bans, cases, desk, reported

pytestmark = pytest.mark.blocking  # runs pg_dump and reads files
DAY = 86_400


def parts_of(kit: Kit) -> Parts:
    """As a command has them."""
    fingerprints = KeyFingerprints(kit.database, secret_keys.load(kit.data), kit.pseudonyms, kit.retention)
    return Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, fingerprints)


def copies(kit: Kit) -> SealedCopies:
    """As a server has them."""
    return SealedCopies(kit.database, kit.objects, kit.pseudonyms)


async def hold(kit: Kit, selector: legal_holds.Selector) -> int:
    """A hold of today, with its line in the trail."""
    now = int(time.time())
    number = await legal_holds.place(
        kit.database, kit.pseudonyms, selector,
        authority="a court", reason="7", now=now, until=now + 30 * DAY, secret=False,
    )  # fmt: skip
    await note(kit, f"hold {number}")
    return number


async def note(kit: Kit, action: str) -> None:
    """A line in the trail."""
    await audit_log.write_entry(
        kit.database, now=int(time.time()), operator="ada", action=action, why="a test", outcome="done"
    )


async def actions(kit: Kit) -> list[str]:
    """The trail, oldest first."""
    async with kit.database.read() as connection:
        return list((await connection.execute(select(trail.c.action).order_by(trail.c.id))).scalars())


class Story:
    """What a test makes: a backup, and then a day of upkeep."""

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit = kit
        self.file = folder / "one.backup"
        self.keys = RightsKeys(secret_keys.load(kit.data))

    async def before(self) -> None:
        """Three logs, two bans and a hold, then the backup."""
        kit = self.kit
        kit.now = time.time()
        await kit.write(ended(1, now=kit.now))
        self.shown, self.hidden, self.gone = [await kit.logs.save(transcript(text), people()) for text in "abc"]
        self.lifted, self.kept = [
            await cases(kit).take(reported(by=by, about=about, at=int(kit.now))) for by, about in ((11, 22), (33, 44))
        ]
        self.released = await hold(kit, legal_holds.Selector("address", address(99)))
        await desk(kit).decide(self.lifted.hex(), "ada", "adverts", Decision("ban", "R5"))
        await database_backup.backup(kit.database, self.file)

    async def after(self) -> None:
        """A hold on a log that its person then removes, a log removed, a ban lifted, a ban made, a report, a hold released."""
        kit = self.kit
        ident = await kit.logs.find(self.hidden.log)
        assert ident is not None
        self.hold = await hold(kit, legal_holds.Selector("log", ident.hex()))
        assert await kit.logs.delete_by_secret(self.hidden.delete)
        assert await kit.logs.delete_by_secret(self.gone.delete)
        async with kit.database.write() as connection:
            await stale_cases.end_sanctions(connection, [self.lifted], int(kit.now))
        await desk(kit).decide(self.kept.hex(), "ada", "adverts", Decision("ban", "R5"))
        self.reported = await cases(kit).take(reported(by=55, about=66, at=int(kit.now)))
        assert await legal_holds.release(kit.database, self.released, int(kit.now))
        self.person = await hold(kit, legal_holds.Selector("identity", "77"))
        await kit.write(ended(a=77, b=78, now=kit.now))
        self.late = await kit.logs.save(transcript("late"), people(77, 78))
        await note(kit, "hold release")
        requests = Requests(kit.database, kit.pseudonyms)
        asked = NewRequest("object", "agent", 3, 77, "words", "me@example.org", code=b"c" * 16)
        self.request = await requests.open(asked, int(kit.now))
        await ProofChecks(kit.database, kit.pseudonyms, self.keys).revoke(77, int(kit.now * 1000))

    async def check(self, late: int = 0) -> None:
        """Nothing of it is undone. `late`: held logs that came after the backup."""
        kit = self.kit
        assert await kit.logs.show(self.shown.log) is not None
        assert await kit.logs.show(self.hidden.log) is None
        assert await kit.logs.show(self.gone.log) is None
        assert await kit.logs.count() == {"saved": 1 + late, "hidden": 1, "waiting": 0}
        in_force = {one.id for one in await legal_holds.list_holds(kit.database) if one.released is None}
        assert in_force == {self.hold, self.person}
        known = bans(kit)
        await known.refresh()
        assert known.find(22, address(22)) is None
        found = known.find(44, address(44))
        assert found is not None
        assert found.case == self.kept
        async with kit.database.read() as connection:
            state = (await connection.execute(select(case.c.state).where(case.c.id == self.kept))).scalar_one()
        assert state == "decided"
        open_one = await Requests(kit.database, kit.pseudonyms).read(self.request)
        assert (open_one.text, open_one.contact) == ("words", "me@example.org")
        proving = ProofChecks(kit.database, kit.pseudonyms, self.keys)
        assert await proving.prove(self.keys.key(77, 0), kit.now) is None
        assert await proving.prove(self.keys.key(78, 0), kit.now) is not None
        assert await kit.count("agent_use") == 1
        assert not await non_restorable_state.is_unfinished(kit.database)
        assert await schema_migration.differences(kit.database) == []
        number = await hold(kit, legal_holds.Selector("address", address(98)))  # numbers go on
        assert number > self.person


@pytest.fixture
def story(kit: Kit, tmp_path: Path) -> Story:
    """Over each database."""
    return Story(kit, tmp_path)


async def test_what_was_held_hidden_banned_and_reported_since_the_backup_stands_as_it_did(story: Story) -> None:
    await story.before()
    await story.after()
    before = await actions(story.kit)
    done = await restore.restore(parts_of(story.kit), story.file)
    assert (done.copied, done.nothing, done.again) == (0, False, 1)
    assert (done.kept["hold"], done.kept["log"], done.kept["ban"], done.kept["report"]) == (3, 1, 4, 3)
    assert (done.kept["held_log"], done.kept["held_party"]) == (1, 1)
    assert done.kept["audit"] == len(before)
    assert await actions(story.kit) == before
    async with story.kit.database.read() as connection:
        reports = await connection.execute(select(case.c.id).where(case.c.id == story.reported))
    assert len(reports.all()) == 1
    await story.check(late=1)
    assert await story.kit.logs.show(story.late.log) is not None
    kit = story.kit
    async with kit.database.read() as connection:
        held = (await connection.execute(select(held_party))).all()
    assert [(row.side, row.identity in kit.pseudonyms.live_identities(77)) for row in held] == [(0, True)]
    assert kit.pseudonyms.kept_address(held[0].address).address == address(77)
    assert await kit.count("held_chat") == 1


async def lose(kit: Kit) -> None:
    """What an accident does."""
    await kit.database.close()
    if kit.database.sqlite:
        kit.database.path.write_bytes(b"no database any more" * 500)
        for tail in ("-wal", "-shm"):
            kit.database.path.with_name(kit.database.path.name + tail).unlink(missing_ok=True)
        return
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")


async def test_where_the_database_is_lost_the_copies_have_it(story: Story) -> None:
    await story.before()
    await story.after()
    assert await copies(story.kit).keep()
    assert not await copies(story.kit).keep()
    before = await actions(story.kit)
    await lose(story.kit)
    done = await restore.restore(parts_of(story.kit), story.file)
    assert time.time() - 60 < done.copied <= time.time()
    assert (done.kept["hold"], done.kept["log"], done.kept["ban"]) == (3, 1, 4)
    assert "report" not in done.kept
    assert await actions(story.kit) == before
    await story.check()


async def test_without_database_and_copies_it_says_so_and_is_as_old_as_the_backup(story: Story) -> None:
    await story.before()
    await lose(story.kit)
    done = await restore.restore(parts_of(story.kit), story.file)
    assert done.nothing
    assert done.kept == {}
    assert not await non_restorable_state.is_unfinished(story.kit.database)
    assert await story.kit.count("hold") == 1


async def test_a_restore_that_was_killed_midway_starts_no_server_and_is_finished_by_another(story: Story) -> None:
    await story.before()
    await story.after()
    assert await copies(story.kit).keep()  # as a restore does before it begins
    await database_backup.restore(story.kit.database, story.file)
    assert await non_restorable_state.is_unfinished(story.kit.database)
    done = await restore.restore(parts_of(story.kit), story.file)
    assert done.copied
    await story.check()


async def test_a_database_set_back_by_other_means_is_noticed_and_the_copies_stay(story: Story) -> None:
    await story.before()
    await story.after()
    before = await actions(story.kit)
    await copies(story.kit).keep()
    await database_backup.restore(story.kit.database, story.file)
    async with story.kit.database.write() as connection:  # pg_restore, cp: nothing says that it is unfinished
        await connection.exec_driver_sql(f"DROP TABLE {non_restorable_state.RESTORING}")
    await note(story.kit, "backup")  # a server that ran, a command
    with pytest.raises(SetBack, match="privacy replay"):
        await copies(story.kit).keep()
    done = await restore.replay(parts_of(story.kit))
    assert done.copied
    assert await actions(story.kit) in ([*before, "backup"], before)  # within the same second nobody can tell
    await story.check()
    assert (await restore.replay(parts_of(story.kit))).kept == {}


async def test_a_line_of_the_trail_that_came_after_the_set_back_stays(story: Story) -> None:
    kit = story.kit
    await story.before()
    await audit_log.write_entry(
        kit.database, now=int(time.time()) - 10, operator="ada", action="old", why="w", outcome="o"
    )
    await copies(kit).keep()
    await database_backup.restore(kit.database, story.file)
    await audit_log.write_entry(
        kit.database, now=int(time.time()) + 10, operator="eve", action="new", why="w", outcome="o"
    )
    await restore.replay(parts_of(kit))
    assert (await actions(kit))[-2:] == ["old", "new"]


async def test_all_of_it_is_put_back_or_nothing(story: Story) -> None:
    kit = story.kit
    await story.before()
    kept = await non_restorable_state.current_rows(kit.database, kit.pseudonyms, int(kit.now))
    kept["ban"][0]["kind"] = None  # what the table does not take
    with pytest.raises(ConnectionError):
        await non_restorable_state.put_back(kit.database, kept | {"hold": []})
    assert await kit.count("hold") == 1
    async with kit.database.read() as connection:
        assert len((await connection.execute(select(ban))).all()) == 2


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "gone"])
def test_the_command_says_how_many_of_each_and_no_server_starts_in_between(tmp_path: Path, lost: bool) -> None:
    from server.ops.config.settings import Objects
    from tests.server.data.conftest import make_kit
    from tests.server.ops.process.test_unix_user_switch import serendip

    def command(*words: str) -> str:
        told = serendip([], *words, "--data", str(tmp_path))
        assert told.returncode == 0, told.stderr
        return told.stdout

    command("init")
    command("db", "migrate")
    file = str(tmp_path / "one.backup")
    command("db", "backup", file)
    held = ("--address", "8.8.8.8", "--authority", "a court", "--reason", "7", "--days", "3")
    command("privacy", "hold", "place", *held)
    path = tmp_path / "serendip.db"

    async def half() -> None:
        kit = await asyncio.to_thread(make_kit, f"sqlite+aiosqlite:///{path}", tmp_path, Objects())
        await database_backup.restore(kit.database, Path(file))
        await kit.database.close()

    asyncio.run(half())
    refused = serendip([], "serve", "--port", "0", "--data", str(tmp_path))
    assert refused.returncode == 1
    assert "a restore was not finished" in refused.stderr
    path.unlink() if lost else path.write_bytes(b"x" * 5_000)
    told = command("db", "restore", file, "--why", "a test", "--yes")
    assert "1 holds" in told
    assert "from the copies of" in told
    assert "8.8.8.8" not in told
    assert "a court" in command("privacy", "hold", "list")
