"""Measure access requests: `python -m bench know [--parties N]`; writes bench/results/know.json and its lines in docs/store.md.

A person's rows are made with real keys among rows of strangers made in bulk, in SQLite in a temporary folder; each answer is asserted. Times are of
this process on a possibly busy machine; memory is the growth of the process, from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.support import results
from bench.support.documents import fill, short
from bench.support.documents import table as markdown
from bench.support.machine import machine
from server.data.database import schema_migration
from server.data.keys.epoch_keys import epoch_of
from server.data.records.chat_rows import Party
from server.data.records.transcript import Line, Transcript
from server.data.schema.chat_id_format import DAY, chat_ids
from server.data.statement.current_statement import PublishedStatement
from server.data.store.store_runner import Parts, open_parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.trust.data_export.person_export import PersonExports

SMALL, MANY, HUGE = 10, 2_000, 100_000  # own rows of a person
PEOPLE = 100  # who have SMALL
BUSY, BOT, SAVER = 1_001, 1_002, 1_003  # who has MANY, HUGE, and LOGS
LOGS = 100
LINES = 50
SPAN = 118 * DAY  # seconds over which the rows lie
STORE = results.ROOT / "docs" / "store.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of rows."""
    parser.add_argument("--parties", type=int, default=10_000_000, help="rows of everybody")
    parser.add_argument("--calls", type=int, default=300, help="answers that are timed")


def main(chosen: argparse.Namespace) -> int:
    """Run all of it."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        found = asyncio.run(measured(Path(folder), chosen.parties, chosen.calls))
    results.write(found, "know")
    documents()
    print(table(found))
    return 0


def documents() -> None:
    """Write the last results into docs/store.md."""
    fill(STORE, "know", table(results.read("know")))


async def measured(folder: Path, parties: int, calls: int) -> dict[str, Any]:
    """Return the figures of one database."""
    secret = await asyncio.to_thread(secret_keys.load, folder)
    parts = open_parts(Settings(data=folder), secret)
    now = int(time.time())
    for epoch in range(epoch_of(now - SPAN), epoch_of(now) + 1):
        parts.pseudonyms.epochs.make(epoch)
    await schema_migration.migrate(parts.database)
    begun = time.monotonic()
    await asyncio.to_thread(make, parts, now, parties)
    print(f"{parties:,} rows made in {time.monotonic() - begun:.0f} s")
    await save(parts, now)
    settings = Settings(data=folder)
    published = PublishedStatement(settings)
    known = PersonExports(parts, lambda: published.answer(published.version, "en"))
    before = machine()
    small = await know(known, now, [1 + call % PEOPLE for call in range(calls)], SMALL)
    many = await know(known, now, [BUSY] * max(1, calls // 3), MANY)
    bots = (await known.know(BOT, now))["counts"]["chats"]
    fifty = time.perf_counter()
    await asyncio.gather(*(known.know(1 + index, now) for index in range(50)))
    found = {
        "machine": before,
        "parties": parties,
        "know": {str(SMALL): small, str(MANY): many},
        "fifty_at_once_ms": round((time.perf_counter() - fifty) * 1e3, 1),
        "export": {"logs": await export(known, now, SAVER, LOGS), "chats": await export(known, now, BOT, bots)},
    }
    await parts.database.close()
    return found


def make(parts: Parts, now: int, parties: int) -> None:
    """Insert chats of two, in order of time; now and then one of the two is a measured person."""
    chats = parties // 2
    own = owners(chats)
    step = SPAN / chats
    connection = sqlite3.connect(parts.database.path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("DROP INDEX ix_party_identity")
    connection.execute("DROP INDEX ix_party_address_mac")
    for first in range(0, chats, 50_000):
        rows, people = [], []
        for index in range(first, min(chats, first + 50_000)):
            at = int(now - SPAN + index * step)
            ident = chat_ids([at])[0]
            rows.append((ident, "text", at - 60, at, "left"))
            for side in (0, 1):
                who = own.get(index) if side == 0 else None
                keyed = stranger(at) if who is None else parts.pseudonyms.live(epoch_of(at), who, "81.2.69.142")
                people.append((ident, side, at, *keyed, "GB"))
        with connection:
            connection.executemany("INSERT INTO chat (id, mode, started, ended, how) VALUES (?, ?, ?, ?, ?)", rows)
            connection.executemany(
                "INSERT INTO party (chat, side, ended, identity, address, address_mac, country) VALUES (?, ?, ?, ?, ?, ?, ?)",
                people,
            )
    connection.execute("CREATE INDEX ix_party_identity ON party (identity)")
    connection.execute("CREATE INDEX ix_party_address_mac ON party (address_mac)")
    connection.close()


def owners(chats: int) -> dict[int, int]:
    """Return the owners of chats: each person's rows are spread over the whole time."""
    found: dict[int, int] = {}
    wanted = [(BOT, min(HUGE, chats // 4)), (BUSY, MANY), *((person, SMALL) for person in range(1, PEOPLE + 1))]
    for person, count in wanted:
        for index in range(count):
            place = index * chats // count
            while place in found:
                place = (place + 1) % chats
            found[place] = person
    return found


def stranger(at: int) -> tuple[bytes, bytes, bytes]:
    """Return keyed values of a stranger: without a key they are random bytes of the same sizes."""
    key_id = bytes((epoch_of(at) & 255,))
    return key_id + secrets.token_bytes(16), key_id + secrets.token_bytes(39), key_id + secrets.token_bytes(16)


async def save(parts: Parts, now: int) -> None:
    """Save LOGS logs of one person."""
    lines = tuple(
        Line(line & 1, now + line, "a line of about fifty bytes, as people write them") for line in range(LINES)
    )
    for _ in range(LOGS):
        two = (Party(0, SAVER, "81.2.69.142"), Party(1, 7_000, "81.2.69.143"))
        await parts.logs.save(Transcript("text", now, lines), two)


async def know(known: PersonExports, now: int, people: list[int], rows: int) -> dict[str, float]:
    """Return milliseconds of an answer: median and 99th percentile, one after the other."""
    times = []
    for person in people:
        begun = time.perf_counter()
        answer = await known.know(person, now)
        times.append((time.perf_counter() - begun) * 1e3)
        assert answer["counts"]["chats"] == rows, answer["counts"]
    times.sort()
    return {
        "median_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1),
        "calls": len(times),
    }


async def export(known: PersonExports, now: int, person: int, pieces: int) -> dict[str, float]:
    """Write one archive: return times of its first and last bytes, and the process's growth meanwhile."""
    await asyncio.to_thread(Path("/proc/self/clear_refs").write_text, "5")  # the peak begins anew
    before, begun, first, size = memory("VmRSS"), time.perf_counter(), 0.0, 0
    async for some in known.export(person, now):
        first = first or time.perf_counter() - begun
        size += len(some)
    whole = time.perf_counter() - begun
    return {
        "pieces": pieces,
        "first_ms": round(first * 1e3, 1),
        "whole_ms": round(whole * 1e3, 1),
        "bytes": size,
        "grew_mib": round((memory("VmHWM") - before) / 1024, 1),
    }


def memory(name: str) -> int:
    """Return KiB, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def table(found: dict[str, Any]) -> str:
    """Return the table of the document."""
    small, many = (found["know"][str(rows)] for rows in (SMALL, MANY))
    logs, chats = found["export"]["logs"], found["export"]["chats"]
    rows = [
        (
            f"what is held of a person with {SMALL} chats; with {MANY:,}: 99th percentile",
            f"{short(small['p99_ms'])} ms; {short(many['p99_ms'])} ms",
            "≤ 50 ms; ≤ 300 ms",
        ),
        ("50 people who ask at once, all answered", f"{short(found['fifty_at_once_ms'])} ms", ""),
        (
            f"an archive with {logs['pieces']} saved logs of {LINES} lines: first byte; whole; memory",
            f"{short(logs['first_ms'])} ms; {short(logs['whole_ms'])} ms; {short(logs['grew_mib'])} MiB",
            "≤ 300 ms; ≤ 2 s; ≤ 64 MiB",
        ),
        (
            f"an archive with {chats['pieces']:,} chats: first byte; whole; memory",
            f"{short(chats['first_ms'])} ms; {short(chats['whole_ms'])} ms; {short(chats['grew_mib'])} MiB",
            "≤ 64 MiB",
        ),
    ]
    return markdown(("", f"figure, among {found['parties']:,} rows of everybody", "goal"), rows)
