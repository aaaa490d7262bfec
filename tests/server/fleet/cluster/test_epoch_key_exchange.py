"""Hosts that share a database have one key an epoch: two data folders, one PostgreSQL, TCP between them, and a clock that the test sets."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import select

from server.data.database import key_fingerprints, schema_migration
from server.data.database.database import Database
from server.data.errors import KeyAwaited, KeysDiffer, StoreAway
from server.data.keys.epoch_keys import EPOCH, KeyGone
from server.data.keys.pseudonyms import fingerprint_of, open_pseudonyms
from server.data.records.address_country import Countries
from server.data.records.chat_rows import EndedChat, Party, Records
from server.data.schema.record_schema import party
from server.data.store.writer import Writer
from server.fleet.cluster.epoch_key_exchange import AGAIN, AHEAD, NUMBER, SharedEpochs
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Request, RpcServer
from server.ops.config.settings import Retention
from server.ops.health.background_tasks import Tasks
from server.ops.process.listening_sockets import listen_at
from server.ops.security import secret_keys
from tests.support import services
from tests.support.stores import Migrated

pytestmark = pytest.mark.blocking  # reads and makes keys
FIRST = 690  # an epoch
DAY = 86_400


class Clock:
    """Unix seconds, the same for all hosts."""

    now: float = FIRST * EPOCH + 10 * DAY

    def __call__(self) -> float:
        return self.now


class Host:
    """What a frontend has of keys. Its folder may be there already."""

    def __init__(self, folder: Path, url: str, clock: Clock, others: list[Host]) -> None:
        self.folder, self.others, self.open = folder, others, asyncio.Event()
        self.secret = secret_keys.load(folder)
        self.database = Database(url, data=folder)
        self.pseudonyms = open_pseudonyms(self.secret, folder, shared=True)
        self.keys = self.pseudonyms.epochs
        self.fingerprints = key_fingerprints.KeyFingerprints(
            self.database, self.secret, self.pseudonyms, Retention(), clock
        )
        sock = listen_at("127.0.0.1", 0)
        self.address = f"127.0.0.1:{sock.getsockname()[1]}"
        seal = Seal(self.secret)
        self.shared = SharedEpochs(
            self.keys, self.fingerprints, RpcClient(seal, "00000000aa"), self.addresses, self.open.wait, clock
        )
        self.port = RpcServer(sock, seal, self.address, {Kind.EPOCH: self.shared.answer})
        self.port.start()
        others.append(self)

    def addresses(self) -> list[str]:
        return [host.address for host in self.others if host is not self]

    async def close(self) -> None:
        """As a process ends, whatever it was about."""
        if self in self.others:
            self.others.remove(self)
            await self.port.close()
            await self.database.close()

    @property
    def files(self) -> set[str]:
        return {
            path.name for path in self.keys.folder.iterdir() if path.stem.split(".")[0].isdigit() or path.name[0] == "."
        }


class Hosts:
    """A database, and the hosts that share it."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self.clock, self.all = Clock(), list[Host]()
        self._first: Path | None = None

    def add(self, name: str, *, secret: bool = True) -> Host:
        """One more, or one that ended anew; as its operator made it: with the secret and the keys of the first."""
        folder = self._folder / name
        first = self._first = self._first or folder
        if secret and not folder.exists() and folder != first:
            folder.mkdir()
            (folder / "keys").mkdir()
            for part in ("secret", "keys/identity.key", "keys/kept.key", "keys/receipt.key"):
                shutil.copy(first / part, folder / part)
        return Host(folder, self._url, self.clock, self.all)

    async def names(self, host: Host) -> set[int]:
        return set(await host.fingerprints.epochs())


@pytest_asyncio.fixture
async def hosts(tmp_path: Path, cluster: services.Postgres, migrated: Migrated) -> AsyncIterator[Hosts]:
    """Of an empty database."""
    url = cluster.url("postgres")
    await asyncio.to_thread(cluster.sql, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    if not await asyncio.to_thread(migrated.copied, url, cluster):
        await schema_migration.migrate_apart(url, tmp_path)
        await asyncio.to_thread(migrated.keep, url, cluster)
    made = Hosts(tmp_path, url)
    yield made
    for host in list(made.all):
        await host.close()


def same(epoch: int, *hosts: Host) -> bool:
    """Whether they make the same values of a person."""
    return len({host.pseudonyms.live(epoch, 42, "192.0.2.1")[0] for host in hosts}) == 1


async def test_of_all_that_are_first_one_wins_and_all_have_its_key(hosts: Hosts) -> None:
    several = [hosts.add(f"host{n}") for n in range(4)]
    await asyncio.gather(*[host.shared.look() for host in several])
    assert sum(not host.shared.missing for host in several) >= 1
    for host in several:  # who looked before the winner had its file looks again
        await host.shared.look()
        assert host.shared.missing == {}
        assert host.files == {f"{FIRST}.key"}
    assert same(FIRST, *several)
    assert await hosts.names(several[0]) == {FIRST}


async def test_the_next_key_is_everywhere_before_its_epoch_begins(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    for host in (a, b):
        await host.shared.look()
    hosts.clock.now = (FIRST + 1) * EPOCH - AHEAD - 1
    await b.shared.look()
    assert b.keys.epochs() == [FIRST]
    hosts.clock.now += 2
    for host in (b, a):
        await host.shared.look()
    assert a.keys.epochs() == b.keys.epochs() == [FIRST, FIRST + 1]
    await asyncio.gather(a.close(), b.close())  # nobody is there to be asked when it begins
    hosts.clock.now = (FIRST + 1) * EPOCH + 1
    assert same(FIRST + 1, a, b)


async def test_who_lost_and_finds_nobody_waits_and_says_why_and_loses_no_record(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    await a.shared.look()
    await a.port.close()
    with structlog.testing.capture_logs() as logged:
        await b.shared.look()
        await b.shared.look()
    assert b.shared.missing == {FIRST: f"{a.address}: refused: no process listens there"}
    assert [(line["event"], line["epoch"]) for line in logged] == [("cluster.key_missing", FIRST)]
    assert b.shared.reading() == {"serendip_epoch_keys_missing": 1}
    assert b.shared.unwell() == [
        f"keys: that of epoch {FIRST} is missing ({a.address}: refused: no process listens there); records wait"
    ]
    for needs in (
        lambda: b.pseudonyms.live(FIRST, 42, ""),
        lambda: b.pseudonyms.live_identities(42),
        lambda: b.keys.make(FIRST),
    ):
        with pytest.raises(KeyAwaited):
            needs()
    writer = Writer(b.database, Records(b.pseudonyms, Countries()), Tasks(first=0.01), queue=10, batch=10, linger=0)
    writer.start()
    at = hosts.clock.now
    writer.record(EndedChat("text", "left", at - 60, at, (Party(0, 42, "192.0.2.1"), Party(1, 43, "192.0.2.2"))))
    async with asyncio.timeout(20):
        while writer.reach.cause != "keys":  # noqa: ASYNC110 - the writer tries by itself
            await asyncio.sleep(0.01)
    await a.close()
    again = hosts.add("a")
    await b.shared.look()
    assert b.shared.missing == {}
    await asyncio.wait_for(writer.flush(), 20)
    await writer.close(5)
    async with again.database.read() as connection:  # the other host finds what this one wrote
        mine = party.c.identity.in_(again.pseudonyms.live_identities(42))
        assert len((await connection.execute(select(party.c.chat).where(mine))).all()) == 1


async def test_a_key_that_is_wanted_from_tomorrow_on_is_missed_today_and_stops_nothing(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    for host in (a, b):
        await host.shared.look()
    hosts.clock.now = (FIRST + 1) * EPOCH - 3600
    await a.shared.look()
    await a.close()
    await b.shared.look()
    assert b.shared.missing == {FIRST + 1: "another host made it, and none is there now"}
    assert b.shared.unwell() == [
        f"keys: that of epoch {FIRST + 1} is missing (another host made it, and none is there now); records wait from 04 October 00:00 UTC on"
    ]
    assert b.pseudonyms.live_identities(42)
    hosts.clock.now += 3601
    await b.shared.look()
    with pytest.raises(KeyAwaited):
        b.pseudonyms.live_identities(42)
    with pytest.raises(KeyAwaited):  # not `KeyGone`: an address that is not readable yet is not given up
        b.pseudonyms.live_address(bytes(((FIRST + 1) & 255,)) + bytes(40))


@pytest.mark.parametrize("elected", [True, False])
async def test_a_key_is_not_lost_where_its_host_ends_in_its_election(hosts: Hosts, elected: bool) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    proposed = a.keys.propose(FIRST)
    if elected:
        await a.fingerprints.elect(FIRST, fingerprint_of(proposed, FIRST))
    await a.close()
    await b.shared.look()
    assert bool(b.shared.missing) == elected
    a = hosts.add("a")
    await a.shared.look()
    await b.shared.look()
    assert same(FIRST, a, b)
    assert (a.keys.get(FIRST) == proposed) == elected
    assert a.files == b.files == {f"{FIRST}.key"}


async def test_two_processes_of_one_folder_are_one_host(hosts: Hosts) -> None:
    a = hosts.add("a")
    for _ in range(3):
        other = hosts.add("a")  # as at an upgrade
        await asyncio.gather(a.shared.look(), other.shared.look())
        for host in (a, other):
            await host.shared.look()
            assert host.shared.missing == {}
        assert same(FIRST, a, other)
        hosts.clock.now += EPOCH
        await other.close()


async def test_who_was_away_for_months_gets_all_that_it_lacks_before_it_looks_anybody_up(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    for host in (a, b):
        await host.shared.look()
    await b.close()
    for _ in range(3):
        hosts.clock.now += EPOCH
        await a.shared.look()
    b = hosts.add("b")
    await b.fingerprints.check()  # at the start: what is another host's is no fault
    with pytest.raises(KeyAwaited):
        b.pseudonyms.live_identities(42)
    await b.shared.look()
    assert b.keys.epochs() == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert a.pseudonyms.live_identities(42) == b.pseudonyms.live_identities(42)


async def test_a_key_that_was_destroyed_is_gone_on_every_host(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    for host in (a, b):
        await host.shared.look()
    row = fingerprint_of(a.keys.get(FIRST), FIRST)
    hosts.clock.now = (FIRST + 1) * EPOCH + 151 * DAY
    (doomed,) = a.keys.doomed(hosts.clock.now, 151)
    await key_fingerprints.forget(a.database, [doomed])
    a.keys.destroy(doomed)
    await a.shared.look()
    assert FIRST in b.keys.epochs(), "its own purge is still to come"
    await b.fingerprints.check()
    await a.fingerprints.elect(FIRST, row)  # as an old backup brings it back
    for host in (a, b):
        await host.shared.look()
        await host.fingerprints.check()
    with pytest.raises(KeyGone):
        a.keys.get(FIRST)
    asked = Request(Kind.EPOCH, "00000000aa", bytes(16), Seal(b.secret).id, NUMBER.pack(FIRST))
    assert await b.shared.answer(asked) == (Status.NO, b"the time of that key is over", None)


async def test_a_key_that_is_another_than_the_databases_is_not_taken(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    await a.shared.look()
    (a.keys.folder / f"{FIRST}.key").write_bytes(bytes(32))
    a.keys.reload()
    await b.shared.look()
    assert b.shared.missing == {FIRST: f"{a.address}: its key is another than the database's"}
    with pytest.raises(KeysDiffer, match=f"the key of epoch {FIRST} is another"):
        await a.fingerprints.check()


async def test_a_host_of_another_service_is_told_nothing_and_tells_nothing(hosts: Hosts) -> None:
    a = hosts.add("a")
    await a.shared.look()
    b = hosts.add("b", secret=False)
    await b.shared.look()
    assert "another secret" in b.shared.missing[FIRST]
    assert a.port.refused["mac"] == 1


async def test_an_answer_hides_its_key_and_is_for_one_request(hosts: Hosts) -> None:
    a = hosts.add("a")
    await a.shared.look()
    asked = Request(Kind.EPOCH, "00000000aa", bytes(16), Seal(a.secret).id, NUMBER.pack(FIRST))
    answers = [await a.shared.answer(asked) for _ in range(2)]
    assert answers[0].body != answers[1].body
    assert all(a.keys.get(FIRST) not in answer.body for answer in answers)
    for body in (b"", NUMBER.pack(FIRST) + b"x", NUMBER.pack(2**63)):
        assert (await a.shared.answer(asked._replace(body=body))).status == Status.NO


async def test_while_a_new_secret_goes_round_who_has_the_old_one_is_told_keys(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    await a.shared.look()
    await a.close()
    await asyncio.to_thread(secret_keys.rotate, a.folder)
    a = hosts.add("a")
    await b.shared.look()
    assert b.shared.missing == {}
    assert same(FIRST, a, b)


async def test_it_looks_by_itself_and_soon_where_another_host_comes(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.fleet.cluster.epoch_key_exchange.AGAIN", 3600.0)
    a = hosts.add("a")
    await a.shared.look()
    await a.close()
    b = hosts.add("b")
    running = asyncio.create_task(b.shared.run())
    try:
        await asyncio.sleep(0)
        assert b.shared.missing == {}, "it waits for the database"
        b.open.set()
        await _until(lambda: bool(b.shared.missing))
        hosts.add("a")
        b.shared.look_soon()
        await _until(lambda: not b.shared.missing)
        assert b.keys.known(FIRST)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert AGAIN < 5


async def _until(done: object) -> None:
    async with asyncio.timeout(20):
        while not done():  # type: ignore[operator] # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_without_a_database_nothing_is_made(hosts: Hosts) -> None:
    a = hosts.add("a")
    real, a.fingerprints._database = (
        a.fingerprints._database,
        Database("postgresql+asyncpg://serendip@127.0.0.1:1/x", data=a.folder),
    )
    with pytest.raises(StoreAway):
        await a.shared.look()
    assert a.files == set()
    a.fingerprints._database = real
    await a.shared.look()
    assert a.files == {f"{FIRST}.key"}


async def test_a_key_that_no_host_has_any_more_is_given_up_and_another_elected(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    await a.shared.look()
    await a.close()
    await b.shared.look()
    assert set(b.shared.missing) == {FIRST}
    await b.fingerprints.accept()
    await b.shared.look()
    assert b.shared.missing == {}
    assert b.keys.get(FIRST) != a.keys.get(FIRST)
    await b.fingerprints.check()


async def test_a_key_that_an_operator_copies_is_found(hosts: Hosts) -> None:
    a, b = hosts.add("a"), hosts.add("b")
    await a.shared.look()
    await a.close()
    await b.shared.look()
    assert set(b.shared.missing) == {FIRST}
    shutil.copy(a.keys.folder / f"{FIRST}.key", b.keys.folder)
    await b.shared.look()
    assert b.shared.missing == {}
    assert b.pseudonyms.live_identities(42)
