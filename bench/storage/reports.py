"""Send a hundred reports a second: time to the answer, time to the stored row, and the effect on two users who chat.

    python -m bench reports [--rate N] [--seconds N]

The real server with SQLite; each report is of another chat, by another user, with the text of LINES lines. A row's time is from sending the report
until a reader of the database sees it. Goals: answered within 5 ms, the row within 100 (the slowest of a hundred), and lines as fast as without.
Each time includes the effect of other load on the machine; the times of lines without reports show how large it is. CPU does not depend on it.
Each figure is the median of ROUNDS servers. The server has one core, all others another.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.attacks.bystanders import Bystanders, Person, in_ms
from bench.load.websocket_client import HEAD
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.process_inspection import spent
from bench.support.results import ROOT, write
from bench.support.serving import LOAD_CPU, SERVER_CPU, Serving

ROUNDS = 5
LINES = 20  # that each side says before: of fifty bytes, as evidence has them
COMING = 50  # pairs that come at the same time
LOOK = 0.002  # seconds between two looks at the rows
PATIENCE = 60.0  # seconds for the last row
ANSWER, ROW = 5.0, 100.0  # ms: the goals
SAY = b'{"type":"message","text":"a line of about fifty bytes, as people write them"}'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose rate and duration."""
    parser.add_argument("--rate", type=int, default=100, help="reports a second")
    parser.add_argument("--seconds", type=int, default=10)


def main(chosen: argparse.Namespace) -> int:
    """Measure ROUNDS times, and print the median of each figure; return 1 if a goal is missed. Results of a usual run are kept."""
    about = machine()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {int(LOAD_CPU)})
    rows = []
    for _ in range(ROUNDS):
        with Serving(core=SERVER_CPU) as server:
            rows.append(asyncio.run(measured(server, chosen.rate, chosen.seconds)))
        print(lines(rows[-1]).splitlines()[-1], flush=True)
    row = {name: statistics.median(each[name] for each in rows) for name in rows[0]}
    print(lines(row))
    if (chosen.rate, chosen.seconds) == (100, 10):
        write({"machine": about, **row, "rounds": rows}, "reports", ordered=False)
        fill(ROOT / "docs" / "performance.md", "reports", lines(row))
    return 0 if row["answer_p99_ms"] <= ANSWER and row["row_p99_ms"] <= ROW else 1


async def measured(server: Serving, rate: int, seconds: int) -> dict[str, Any]:
    """Return the figures; times in ms."""
    people = await chatting(server.port, rate * seconds // 2)
    alone, beside = Bystanders(server.port), Bystanders(server.port)
    await alone.meet()
    await alone.watch(seconds)
    await beside.meet()
    rows = Rows(server.data / "serendip.db")
    watching = asyncio.create_task(beside.watch(seconds))
    used = spent(server.pid), server.cpu()
    answers: list[float] = []
    sent: list[float] = []
    begun = time.perf_counter()
    asked = []
    for number, person in enumerate(people):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        sent.append(time.perf_counter())
        person.send(b'{"type":"report","reason":"spam"}')
        asked.append(asyncio.create_task(answered(person, sent[-1], answers)))
    await asyncio.gather(*asked)
    await watching
    took = await asyncio.to_thread(rows.took, sent)
    for person in people:
        person.go()
    loop, whole = (
        (now - before) / len(sent) * 1e3 for now, before in zip((spent(server.pid), server.cpu()), used, strict=True)
    )
    return {
        "rate": rate, "cpu_loop_ms": round(loop, 2), "cpu_ms": round(whole, 2), "reports": len(sent), "stored": len(took),
        "answer_p50_ms": in_ms(answers, 0.5), "answer_p99_ms": in_ms(answers, 0.99),
        "row_p50_ms": in_ms(took, 0.5), "row_p99_ms": in_ms(took, 0.99),
        "line_alone_p99_ms": in_ms(alone.lines, 0.99), "line_beside_p99_ms": in_ms(beside.lines, 0.99), "lines_lost": beside.lost,
    }  # fmt: skip


async def chatting(port: int, pairs: int) -> list[Person]:
    """Return pairs who have sent their lines; each user has their own cookie."""
    room = asyncio.Semaphore(COMING)

    async def pair(number: int) -> list[Person]:
        async with room:
            found = [Person(cookie(number, side)) for side in (0, 1)]
            for person in found:
                await person.come(port)
                person.send(b'{"type":"find","interests":["pair %d"],"language":"en"}' % number)
            for person in found:
                await person.until("matched")
            for one, other in (found, found[::-1]):
                for _ in range(LINES):
                    one.send(SAY)
                for _ in range(LINES):
                    await other.until("message")
            return found

    made = await asyncio.gather(*(pair(number) for number in range(pairs)))
    return [person for two in made for person in two]


def cookie(number: int, side: int) -> bytes:
    """Return a request with a cookie."""
    return HEAD.replace(b"\r\n\r\n", b"\r\nCookie: id=%s\r\n\r\n" % f"{number}x{side}".rjust(22, "A").encode())


async def answered(person: Person, sent: float, answers: list[float]) -> None:
    """Wait for the answer to a report, and record the time."""
    answers.append((await person.until("reported"))[0] - sent)


class Rows:
    """Counts the reports in the database, from its own thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: list[float] = []  # when the n-th row was there first
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as base:
            while not self._over.wait(LOOK):
                number = base.execute("SELECT count(*) FROM report").fetchone()[0]
                self._seen += [time.perf_counter()] * (number - len(self._seen))

    def took(self, sent: list[float]) -> list[float]:
        """Return seconds of each stored report, in the order in which they were sent."""
        end = time.monotonic() + PATIENCE
        while len(self._seen) < len(sent) and time.monotonic() < end:
            time.sleep(LOOK)  # a poll: a database of another process tells nobody
        self._over.set()
        self._thread.join()
        return [seen - at for at, seen in zip(sent, self._seen, strict=False)]


def lines(row: dict[str, Any]) -> str:
    """Return the figures as a table of Markdown."""
    return table(
        (
            "reports a second",
            "CPU of one, the loop's and all, ms",
            "answered p50, p99 ms",
            "row p50, p99 ms",
            "stored",
            "line p99 ms, alone, beside",
            "lines lost",
        ),
        [
            (
                str(row["rate"]),
                f"{row['cpu_loop_ms']} / {row['cpu_ms']}",
                f"{row['answer_p50_ms']:,} / {row['answer_p99_ms']:,}",
                f"{row['row_p50_ms']:,} / {row['row_p99_ms']:,}",
                f"{row['stored']:,} of {row['reports']:,}",
                f"{row['line_alone_p99_ms']:,} / {row['line_beside_p99_ms']:,}",
                str(row["lines_lost"]),
            )
        ],
    )
