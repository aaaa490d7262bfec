"""What keeping costs: `python -m bench.storage.store [record|purge|races|logs|guesses] [--database URL] [--chats N]`.

Rule: it measures the parts that the server runs, asserts its result, and prints the size that was run. CPU is the process's
own (`getrusage`: SQLite's threads included, PostgreSQL's server not), stalls are those of an event loop that turns every
millisecond in the same process, and of a writer that writes beside the purge.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.storage import races
from server.config.settings import Objects as ObjectSettings
from server.config.settings import Retention
from server.privacy.purge import Purge
from server.security import keys
from server.store import kept, migrate, partitions
from server.store.country import Countries
from server.store.database import Database
from server.store.ids import DAY
from server.store.objects import Objects
from server.store.records import EndedChat, Party, Records
from server.store.saved import SavedLogs
from server.store.transcript import Line, Transcript
from server.store.writer import Writer

CHATS_A_PERSON = 20  # a visit's worth; the derived values are computed once a person and visit


def cpu() -> float:
    """Seconds of CPU of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ended(index: int, at: float, chats_a_person: int = CHATS_A_PERSON) -> EndedChat:
    """The index-th chat."""
    person = index // chats_a_person * 2 + 1
    one, two = (f"81.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in (person, person + 1))
    return EndedChat("text", "stranger", at - 60, at, (Party(0, person, one), Party(1, person + 1, two)))


class Kit:
    """The store over one database."""

    def __init__(self, url: str, data: Path) -> None:
        self.data = data
        self.database = Database(url or f"sqlite+aiosqlite:///{data / 'bench.db'}", data=data)
        self.pseudonyms = kept.pseudonyms(keys.load(data), data)
        self.objects = Objects(ObjectSettings(), data)
        self.logs = SavedLogs(self.database, self.objects, self.pseudonyms)

    def writer(self, batch: int = 500) -> Writer:
        """As the server has it."""
        return Writer(self.database, Records(self.pseudonyms, Countries()), queue=5_000_000, batch=batch, linger=0.25)


async def record(kit: Kit, chats: int) -> None:
    """CPU of a chat's record, from the tuple to the commit."""
    for chats_a_person in (CHATS_A_PERSON, 1):
        writer = kit.writer()
        writer.start()
        now = time.time()
        made = [ended(index, now + index * 0.001, chats_a_person) for index in range(chats)]
        begun = cpu()
        for index, chat in enumerate(made):
            writer.record(chat)
            if index % 500 == 0:
                await asyncio.sleep(0)
        queued = cpu()
        await writer.flush()
        spent = cpu() - begun
        assert writer.counts.written == chats
        await writer.close(5)
        print(
            f"record: {chats} chats, {chats_a_person} a person: {spent / chats * 1e6:.1f} us of CPU a chat all in"
            f" (handing over: {(queued - begun) / chats * 1e6:.1f}); slowest batch {writer.counts.longest * 1e3:.0f} ms"
        )


class Lag:
    """The longest gap of an event loop that should turn every millisecond."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - 0.001)
            last = now

    def stop(self) -> float:
        """The longest gap, in seconds."""
        self._task.cancel()
        return self.worst


A_STEP = 100_000  # chats in one statement while filling

# 200 bytes a person's row and three random look-ups, as the writer leaves it: what is purged is the same, and ten million are there in minutes.
SERIES = {
    True: (
        "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})",
        "unhex(printf('%012x', ({at}) * 1000) || printf('%020x', i))",
        "randomblob(17)",
        "randomblob(41)",
        "n",
    ),
    False: (
        "",
        "decode(lpad(to_hex(({at}) * 1000), 12, '0') || lpad(to_hex(i), 20, '0'), 'hex')",
        "'\\x01'::bytea || decode(md5((i / 20)::text || '{whose}'), 'hex')",
        "'\\x00'::bytea || decode(repeat(md5(i::text), 2), 'hex') || '\\x0102030405060708'::bytea",
        "generate_series({first}::bigint, {end}::bigint - 1) i",
    ),
}


async def fill(kit: Kit, chats: int, now: float) -> None:
    """`chats` chats that have run out, of ten days, and a tenth as many of yesterday, made by the database itself."""
    head, ident, mac, sealed, source = SERIES[kit.database.sqlite]
    days = [(int(now) // DAY - 122 - day, chats // 10) for day in range(10)] + [(int(now) // DAY - 1, chats // 10)]
    number = 0
    for day, count in days:
        for first in range(number, number + count, A_STEP):
            end = min(first + A_STEP, number + count)
            at = f"{day * DAY} + (i - {number}) * 86000 / {count}"
            async with kit.database.write() as connection:
                if not kit.database.sqlite:
                    await partitions.ensure(connection, day)
                for table, side, columns in (
                    ("chat", 0, f"{ident}, 'text', {at} - 60, {at}, 'stranger'"),
                    *(("party", side, f"{ident}, {side}, {at}, {mac}, {sealed}, {mac}, 'NO'") for side in (0, 1)),
                ):
                    made = f"INSERT INTO {table} {head} SELECT {columns} FROM {source}"  # noqa: S608 - constants of this module
                    for name, value in {"at": at, "first": first, "end": end, "whose": f"{day}.{side}"}.items():
                        made = made.replace("{" + name + "}", str(value))
                    await connection.exec_driver_sql(made)
            await kit.database.checkpoint()
        number += count


class Service:
    """What the server does meanwhile: ten chats recorded, a log saved and shown, fifty times a second; and how long each took."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._writer = kit.writer()
        self._writer.start()
        self._stop = False
        self._lag = Lag()
        self._saves: list[float] = []
        self._task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        index = 0
        while not self._stop:
            for _ in range(10):
                self._writer.record(ended(50_000_000 + index, time.time()))
                index += 1
            start = time.perf_counter()
            saved = await self._kit.logs.save(Transcript("text", "en", 0, (Line(0, 0, "hello"),)), ())
            self._saves.append(time.perf_counter() - start)
            assert await self._kit.logs.show(saved.log)
            await asyncio.sleep(0.02)

    async def stop(self, when: str) -> None:
        """End it, and print the longest of each."""
        self._stop = True
        await self._task
        await self._writer.flush()
        await self._writer.close(5)
        saves, counts = sorted(self._saves), self._writer.counts
        print(
            f"{when}: loop's longest stall {self._lag.stop() * 1e3:.1f} ms; records' slowest batch {counts.longest * 1e3:.1f} ms"
            f" ({counts.batches} batches, {counts.lost} lost); a save (two commits and an object): median {saves[len(saves) // 2] * 1e3:.1f},"
            f" p99 {saves[int(len(saves) * 0.99)] * 1e3:.1f}, longest {saves[-1] * 1e3:.1f} ms ({len(saves)} saves)"
        )


async def purge(kit: Kit, chats: int) -> None:
    """A purge of so many chats beside a service, and what that felt; before it the same without a purge, to compare."""
    now = time.time()
    begun = time.monotonic()
    await fill(kit, chats, now)
    print(f"filled {chats // 10 * 10} expired chats and {chats // 10} fresh ones in {time.monotonic() - begun:.0f} s")
    service = Service(kit)
    await asyncio.sleep(10)
    await service.stop("10 s without a purge")
    service = Service(kit)
    started, used, largest = time.monotonic(), cpu(), [0]

    def progress(_place: str, _count: int) -> None:
        if kit.database.sqlite:
            wal = kit.database.path.with_name(kit.database.path.name + "-wal")
            largest[0] = max(largest[0], wal.stat().st_size)

    done = await Purge(kit.database, kit.logs, kit.objects, Retention(), progress=progress).run()
    took = time.monotonic() - started
    await service.stop("while purging")
    assert done.proved
    assert done.deleted["chat"] == chats // 10 * 10
    print(
        f"purged: {done.deleted['chat']} chats, {done.deleted['party']} parties in {took:.1f} s ({(cpu() - used):.1f} s of CPU"
        f" with the service); longest step under the lock {done.longest_step * 1e3:.1f} ms;"
        f" write-ahead log at most {largest[0] / 1e6:.0f} MB"
    )


async def raced(kit: Kit, people: int) -> None:
    """Holds placed while a purge takes their rows."""
    begun = time.monotonic()
    found = await races.run(kit.database, kit.logs, kit.objects, people, now=int(time.time()))
    print(
        f"races: {people} in {time.monotonic() - begun:.0f} s: the hold came first {found.won} times, the purge {found.late}; lost: {len(found.lost)}"
    )
    assert not found.lost
    assert found.won


async def logs(kit: Kit, count: int) -> None:
    """A log of 50 lines saved and shown."""
    said = Transcript(
        "text", "en", 0, tuple(Line(i & 1, i, "a line of about fifty bytes, as people write them") for i in range(50))
    )
    links, times = [], []
    for _ in range(count):
        start = time.perf_counter()
        links.append((await kit.logs.save(said, (Party(0, 5, "8.8.8.8"), Party(1, 6, "8.8.4.4")))).log)
        times.append(time.perf_counter() - start)
    shown = []
    for link in links:
        start = time.perf_counter()
        assert await kit.logs.show(link) == said
        shown.append(time.perf_counter() - start)
    for name, found in (("saved", times), ("shown", shown)):
        found.sort()
        print(
            f"logs: {name}: median {found[count // 2] * 1e3:.2f} ms, p99 {found[int(count * 0.99)] * 1e3:.2f} ms ({count} logs of 50 lines)"
        )


async def guesses(kit: Kit, count: int) -> None:
    """Wrong addresses, past the limit on guessing: nothing is found, and each costs the same among few logs and many."""
    from server.saved.guesses import Guesses

    for _ in range(20):
        await kit.logs.save(Transcript("text", "en", 0, (Line(0, 0, "x"),)), ())
    some = min(count, 5000)
    used = cpu()
    for index in range(some):
        assert await kit.logs.show(f"{index:022}") is None
    each = (cpu() - used) / some
    limit, looked_up, now = Guesses(), 0, 0.0
    used = cpu()
    for _ in range(count):
        now += 0.001  # a thousand a second from one network
        if not limit.wait("8.8.8.8", now):
            looked_up += 1
            limit.missed("8.8.8.8", now)
    spent = (cpu() - used) / count
    print(
        f"guesses: a look-up that finds nothing {each * 1e6:.0f} us of CPU ({some} tried); of {count} guesses of one network at 1,000 a second"
        f" {looked_up} are looked up, the rest cost {spent * 1e6:.2f} us each"
    )


async def main(arguments: argparse.Namespace) -> None:
    """One measurement over a fresh database."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        data = Path(folder)
        kit = Kit(arguments.database, data)
        await migrate.migrate(kit.database)
        what, usual = {
            "record": (record, 50_000),
            "purge": (purge, 100_000),
            "races": (raced, 1_000),
            "logs": (logs, 500),
            "guesses": (guesses, 1_000_000),
        }[arguments.what]
        await what(kit, arguments.chats or usual)
        await kit.database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "purge", "races", "logs", "guesses"))
    parser.add_argument(
        "--database", default="", help="postgresql+asyncpg://…, an empty one; default: SQLite in a temporary folder"
    )
    parser.add_argument("--chats", type=int, default=0, help="how many")
    asyncio.run(main(parser.parse_args(sys.argv[1:])))
