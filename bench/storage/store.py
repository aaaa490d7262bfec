"""Measure the cost of storing: `python -m bench store [record|purge|races|logs|guesses] [--database URL] [--chats N]`.

It measures the parts that the server runs, asserts the result, and prints the size of the run. CPU is that of the process (`getrusage`), with
SQLite's threads, without PostgreSQL's server. Stalls are measured too: of an event loop that turns every millisecond in the same process, and of a
writer beside the purge.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.storage import hold_races
from bench.storage.purge_load import purge
from bench.storage.store_kit import CHATS_A_PERSON, Kit, cpu, ended
from server.data.database import schema_migration
from server.data.records.chat_rows import Party
from server.data.records.transcript import Line, Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose measurement, database and size."""
    parser.add_argument("what", choices=("record", "purge", "races", "logs", "guesses"))
    parser.add_argument(
        "--database", default="", help="postgresql+asyncpg://…, an empty one; default: SQLite in a temporary folder"
    )
    parser.add_argument("--chats", type=int, default=0, help="how many")


def main(chosen: argparse.Namespace) -> int:
    """Run one measurement."""
    asyncio.run(measured(chosen.what, chosen.database, chosen.chats))
    return 0


async def measured(what: str, url: str, chats: int) -> None:
    """Run one measurement over a new database; `chats`: 0 for the usual number."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        kit = Kit(url, Path(folder))
        await schema_migration.migrate(kit.database)
        measure, usual = {
            "record": (record, 50_000),
            "purge": (purge, 100_000),
            "races": (raced, 1_000),
            "logs": (logs, 500),
            "guesses": (guesses, 1_000_000),
        }[what]
        await measure(kit, chats or usual)
        await kit.database.close()


async def record(kit: Kit, chats: int) -> None:
    """Measure CPU of a chat's record, from the tuple to the commit."""
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


async def raced(kit: Kit, people: int) -> None:
    """Race holds against a purge of their rows."""
    begun = time.monotonic()
    found = await hold_races.run(kit.database, kit.logs, kit.objects, people, now=int(time.time()))
    print(
        f"races: {people} in {time.monotonic() - begun:.0f} s: the hold came first {found.won} times, the purge {found.late}; lost: {len(found.lost)}"
    )
    assert not found.lost
    assert found.won


async def logs(kit: Kit, count: int) -> None:
    """Measure saving and showing a log of 50 lines."""
    said = Transcript(
        "text", 0, tuple(Line(i & 1, i, "a line of about fifty bytes, as people write them") for i in range(50))
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
    """Measure wrong addresses, past the limit on guessing: nothing is found, and each costs the same among few logs and many."""
    from server.data.chat_logs.guess_limit import GuessLimit

    for _ in range(20):
        await kit.logs.save(Transcript("text", 0, (Line(0, 0, "x"),)), ())
    some = min(count, 5000)
    used = cpu()
    for index in range(some):
        assert await kit.logs.show(f"{index:022}") is None
    each = (cpu() - used) / some
    limit, looked_up, now = GuessLimit(), 0, 0.0
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
