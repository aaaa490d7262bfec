"""What keeping costs: `python -m bench.store [record|purge|logs|guesses] [--database URL] [--chats N]`.

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

from sqlalchemy import text

from server import keys
from server.privacy.purge import Purge
from server.settings import Objects as ObjectSettings
from server.settings import Retention
from server.store import kept, migrate, partitions
from server.store.country import Countries
from server.store.database import Database
from server.store.ids import DAY, bound
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


async def fill(kit: Kit, chats: int, now: float) -> None:
    """`chats` chats that have run out, over 10 days, and a tenth as many of yesterday; written by the database where it can."""
    if kit.database.sqlite:
        writer = kit.writer(batch=5000)
        writer.start()
        for index in range(chats + chats // 10):
            day = 121 + index % 10 if index < chats else 1
            writer.record(ended(index, now - day * DAY - index % 80_000))
            if index % 5000 == 0:
                await writer.flush()
        await writer.flush()
        await writer.close(60)
        return
    # A server-side series: what is purged is the same, and ten million rows are there in minutes.
    days = [int(now) // DAY - 121 - day for day in range(10)] + [int(now) // DAY - 1]
    for day in days:
        count = chats // 10
        prefix = bound(day * DAY + 3600)[:6].hex()
        async with kit.database.write() as connection:
            await partitions.ensure(connection, day)
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            series = f"FROM generate_series(1, {count}) i"
            ident = f"decode('{prefix}' || md5(i::text || '{day}'), 'hex')::bytea"
            ident = f"substring({ident} from 1 for 16)"
            at = day * DAY + 3600
            await connection.exec_driver_sql(
                f"INSERT INTO chat SELECT {ident}, 'text', {at - 60}, {at}, 'stranger' {series}"
            )
            for side in (0, 1):
                key = f"'\\x01'::bytea || decode(md5((i / 20)::text || '{side}{day}'), 'hex')"
                await connection.exec_driver_sql(
                    f"INSERT INTO party SELECT {ident}, {side}, {at}, {key},"
                    f" '\\x00'::bytea || decode(repeat(md5(i::text), 2), 'hex'), {key}, 'NO' {series}"
                )


async def purge(kit: Kit, chats: int) -> None:
    """A purge of so many chats, beside a writer and saves, and what both felt."""
    now = time.time()
    begun = time.monotonic()
    await fill(kit, chats, now)
    print(f"purge: filled {chats} expired chats and {chats // 10} fresh ones in {time.monotonic() - begun:.0f} s")
    writer = kit.writer()
    writer.start()
    lag = Lag()
    saves: list[float] = []
    stop = False

    async def service() -> None:
        index = 0
        while not stop:
            for _ in range(10):
                writer.record(ended(50_000_000 + index, time.time()))
                index += 1
            start = time.perf_counter()
            saved = await kit.logs.save(Transcript("text", "en", 0, (Line(0, 0, "hello"),)), ())
            saves.append(time.perf_counter() - start)
            assert await kit.logs.show(saved.log)
            await asyncio.sleep(0.02)

    beside = asyncio.create_task(service())
    started, used = time.monotonic(), cpu()
    done = await Purge(kit.database, kit.logs, kit.objects, Retention()).run()
    took = time.monotonic() - started
    stop = True
    await beside
    await writer.flush()
    await writer.close(5)
    assert done.proved
    assert done.deleted["chat"] == chats // 10 * 10 if not kit.database.sqlite else chats
    saves.sort()
    print(
        f"purge: {done.deleted['chat']} chats, {done.deleted['party']} parties in {took:.1f} s"
        f" ({(cpu() - used):.1f} s of CPU with the load);"
        f" longest step {done.longest_step * 1e3:.0f} ms; loop's longest stall {lag.stop() * 1e3:.1f} ms;"
        f" a save beside it: median {saves[len(saves) // 2] * 1e3:.1f}, p99 {saves[int(len(saves) * 0.99)] * 1e3:.1f},"
        f" longest {saves[-1] * 1e3:.1f} ms ({len(saves)} saves);"
        f" records' slowest batch {writer.counts.longest * 1e3:.0f} ms, lost {writer.counts.lost}"
    )


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
    from server.savedlog.guesses import Guesses

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
            "logs": (logs, 500),
            "guesses": (guesses, 1_000_000),
        }[arguments.what]
        await what(kit, arguments.chats or usual)
        await kit.database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "purge", "logs", "guesses"))
    parser.add_argument(
        "--database", default="", help="postgresql+asyncpg://…, an empty one; default: SQLite in a temporary folder"
    )
    parser.add_argument("--chats", type=int, default=0, help="how many")
    asyncio.run(main(parser.parse_args(sys.argv[1:])))
