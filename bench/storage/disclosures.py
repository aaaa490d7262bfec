"""Measure disclosures: `python -m bench disclosures [--lines N] [--mail] [--keep]`; `--keep` writes bench/results/disclosures.json and docs/store.md.

A line of the ledger is timed alone, and beside a busy process: chats that are recorded, and an event loop whose turns last BUSY_S. Then a ledger of N
lines is verified, and a package of RECORDS records is produced. MAILS mails are piped to `serendip privacy mail`, each a process of its own, and
answered through a real relay; `--mail` measures them alone, and keeps the other figures. SQLite in a folder of `--folder`, whose disk decides what an
fsync costs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from sqlalchemy import insert

from bench.storage.store_kit import Kit, cpu, ended
from bench.support import results
from bench.support.documents import fill, short
from bench.support.documents import table as markdown
from bench.support.machine import machine
from bench.support.process_inspection import free_port
from server.data.database import schema_migration
from server.data.keys.epoch_keys import epoch_of
from server.data.objects.sealed_objects import Sealed
from server.data.privacy.disclosure_ledger import FIRST, Disclosure, DisclosureLedger, line_hash
from server.data.privacy.registry_model import Category, What
from server.data.records.chat_rows import EndedChat, Party
from server.data.retention.legal_holds import Selector
from server.data.schema.disclosure_schema import disclosure
from server.trust.legal_orders.law_orders import LawOrders, NewOrder
from server.trust.legal_orders.order_production import OrderProduction
from server.trust.legal_orders.order_records import OrderRecords
from server.trust.moderators.approvals import Approvals
from server.trust.moderators.moderator_accounts import Accounts

ONE: Final = Disclosure(What.TOLD, "Hosting Ltd", "GDPR 19", (Category.A,), 1)
CALLS: Final = 300
RECORDS: Final = 10_000
BUSY_S: Final = 0.005  # a turn of a busy worker's event loop, and the pause after it: half a core
RECORDED: Final = 500  # chats a second
MAILS: Final = 9
MAIN: Final = "from server.main.cli import main; main()"
SOUGHT: Final = 10**9  # the person whom the order names
STORE = results.ROOT / "docs" / "store.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the sizes."""
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the ledger that is verified")
    parser.add_argument(
        "--folder", type=Path, default=None, help="on the disk to measure; default: the temporary folder"
    )
    parser.add_argument("--mail", action="store_true", help="measure mails alone")
    parser.add_argument("--keep", action="store_true", help="write the results and the document")


def main(chosen: argparse.Namespace) -> int:
    """Run all of it."""
    before = machine()
    if chosen.mail:
        found = results.read("disclosures")
    else:
        found = {"machine": before, **asyncio.run(measured(chosen.folder, chosen.lines))}
    found["mail"] = mailed(chosen.folder) | {"load": round(before["load"], 1)}
    if chosen.keep:
        results.write(found, "disclosures")
        documents()
    print(table(found))
    return 0


def documents() -> None:
    """Write the last results into docs/store.md."""
    fill(STORE, "disclosures", table(results.read("disclosures")))


async def measured(folder: Path | None, lines: int) -> dict[str, Any]:
    """Return the figures, each of a new database."""
    found: dict[str, Any] = {}
    async with kit_in(folder) as kit:
        found["fsync_ms"] = await asyncio.to_thread(fsync, kit.data)
        found["alone"] = await timed(kit)
        async with busy(kit):
            found["busy"] = await timed(kit)
        found["package"] = await package(kit)
    async with kit_in(folder) as kit:
        found["verify"] = await verified(kit, lines)
    return found


@contextlib.asynccontextmanager
async def kit_in(folder: Path | None) -> AsyncIterator[Kit]:
    """Open a migrated store in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-", dir=folder) as made:
        kit = Kit("", Path(made))
        kit.pseudonyms.epochs.make(epoch_of(time.time()))
        await schema_migration.migrate(kit.database)
        yield kit
        await kit.database.close()


def fsync(folder: Path) -> dict[str, float]:
    """Return milliseconds of an fsync of 4 KiB on this disk, which a durable line needs once."""
    times = []
    with (folder / "probe").open("wb") as probe:
        for _ in range(CALLS):
            probe.write(os.urandom(4096))
            probe.flush()
            begun = time.perf_counter()
            os.fsync(probe.fileno())
            times.append((time.perf_counter() - begun) * 1e3)
    return quantiles(times)


def quantiles(times: list[float]) -> dict[str, float]:
    """Return median and 99th percentile."""
    times = sorted(times)
    return {"median": round(times[len(times) // 2], 2), "p99": round(times[int(len(times) * 0.99)], 2)}


async def timed(kit: Kit) -> dict[str, float]:
    """Return milliseconds of a durable line about one person, one after the other."""
    ledger, times = DisclosureLedger(kit.database), []
    for _ in range(CALLS):
        begun = time.perf_counter()
        await ledger.intent(ONE, [b"s" * 17])
        times.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(0)
    return quantiles(times)


@contextlib.asynccontextmanager
async def busy(kit: Kit) -> AsyncIterator[None]:
    """Record chats, and keep the event loop at work: each of its turns lasts BUSY_S."""
    writer, ends = kit.writer(), asyncio.Event()
    writer.start()

    async def work() -> None:
        made = 0
        while not ends.is_set():
            until = time.perf_counter() + BUSY_S
            for _ in range(int(RECORDED * 2 * BUSY_S)):
                made += 1
                writer.record(ended(made, time.time()))
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(BUSY_S)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        ends.set()
        await task
        await writer.close(5)


async def verified(kit: Kit, lines: int) -> dict[str, float]:
    """Return the seconds of a walk over a ledger of so many lines."""
    prev, now = FIRST, int(time.time())
    row = ONE.row() | {"phase": "intent", "intent": None, "who": bytes(32), "at": now}
    for first in range(1, lines + 1, 10_000):
        some = []
        for number in range(first, min(lines, first + 9_999) + 1):
            some.append(row | {"number": number, "prev": prev})
            prev = line_hash(some[-1])
        async with kit.database.write() as connection:
            await connection.execute(insert(disclosure), some)
    begun, used = time.perf_counter(), cpu()
    walked = await DisclosureLedger(kit.database).verify()
    took, used = time.perf_counter() - begun, cpu() - used
    assert (walked.head.lines, walked.problems) == (lines, ())
    return {"lines": lines, "seconds": round(took, 2), "cpu_seconds": round(used, 2)}


async def package(kit: Kit) -> dict[str, float]:
    """Return the seconds in which an order about a person with RECORDS records is answered, from the call to the folder."""
    writer, now = kit.writer(), time.time()
    writer.start()
    for index in range(RECORDS // 2):  # a chat and an address each
        people = (Party(0, SOUGHT, "81.2.69.142"), Party(1, 7_000 + index, "81.2.69.143"))
        writer.record(EndedChat("text", "stranger", now - 60 - index, now - index, people))
    await writer.flush()
    await writer.close(5)
    orders = LawOrders(kit.database, kit.pseudonyms)
    asked = (Category.A, Category.F)
    selector = Selector("identity", str(SOUGHT))
    number = await orders.new(NewOrder("emergency", "A court", "no", asked, selector, "Order 7", int(now)), "ada")
    accounts = Accounts(kit.database, kit.pseudonyms)
    records = OrderRecords(kit.database, kit.logs, Sealed(kit.database, kit.objects, kit.pseudonyms), kit.pseudonyms)
    making = OrderProduction(orders, records, accounts, Approvals(kit.database, accounts))
    begun = time.perf_counter()
    found = await making.produce(number, "ada", kit.data / "answer")
    took = time.perf_counter() - begun
    assert sum(found.counts.values()) == RECORDS, found.counts
    return {"records": RECORDS, "seconds": round(took, 2)}


class Relay:
    """A mail server that takes every mail. `taken`: how many."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(self, *_: object) -> str:
        """Take a mail."""
        self.taken += 1
        return "250 OK"


def mailed(folder: Path | None) -> dict[str, float]:
    """Return the seconds from a mail on standard input to the end of the command, which stored and answered it; and those of a bare interpreter."""
    relay = Relay()
    controller = Controller(relay, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with tempfile.TemporaryDirectory(prefix="serendip-bench-", dir=folder) as made:
            chosen = {
                "SERENDIP_DATA": made, "SERENDIP_MAIL__HOST": "127.0.0.1", "SERENDIP_MAIL__PORT": str(controller.port),
                "SERENDIP_MAIL__SECURITY": "none", "SERENDIP_MAIL__SENDER": "Serendip <privacy@chat.example>",
            }  # fmt: skip
            for words in ("init", "db migrate"):
                ran(chosen, b"", "-c", MAIN, *words.split())
            mails, bare = [], []
            for number in range(MAILS):
                sender = f"user{number}@example.org"
                mail = f"Return-Path: <{sender}>\nFrom: {sender}\nSubject: Serendip-Privacy know\n\nWhat do you hold?\n"
                mails.append(
                    ran(chosen, mail.encode(), "-c", MAIN, "privacy", "mail", "--site", "https://chat.example")
                )
                bare.append(ran(chosen, b"", "-c", ""))
    finally:
        controller.stop()
    assert relay.taken == MAILS, relay.taken
    (seconds, used), (_, start) = (tuple(map(middle, zip(*times, strict=True))) for times in (mails, bare))
    slowest = max(took for took, _ in mails)
    return {
        "seconds": round(seconds, 2),
        "slowest": round(slowest, 2),
        "cpu_seconds": round(used, 2),
        "start_cpu_seconds": round(start, 3),
    }


def ran(chosen: dict[str, str], sent: bytes, *words: str) -> tuple[float, float]:
    """Run an interpreter; return its seconds, and those of CPU."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *words], input=sent, env=os.environ | chosen, cwd=results.ROOT, capture_output=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def middle(times: Sequence[float]) -> float:
    """Return the median."""
    return sorted(times)[len(times) // 2]


def table(found: dict[str, Any]) -> str:
    """Return the table of the document."""
    alone, beside, disk = found["alone"], found["busy"], found["fsync_ms"]
    mail = found["mail"]
    rows = [
        (
            "a line of the ledger, durable: median; 99th percentile",
            f"{short(alone['median'])} ms; {short(alone['p99'])} ms",
            "p99 ≤ 10 ms",
        ),
        (
            f"the same beside {RECORDED} chats recorded a second and an event loop that is busy half of the time",
            f"{short(beside['median'])} ms; {short(beside['p99'])} ms",
            "",
        ),
        (
            "an fsync on the same disk, of which a line needs one",
            f"{short(disk['median'])} ms; {short(disk['p99'])} ms",
            "",
        ),
        (
            f"a ledger of {found['verify']['lines']:,} lines verified: time; CPU",
            f"{short(found['verify']['seconds'])} s; {short(found['verify']['cpu_seconds'])} s",
            "1,000,000 in ≤ 10 s",
        ),
        (
            f"an order answered with {found['package']['records']:,} records",
            f"{short(found['package']['seconds'])} s",
            "≤ 5 s",
        ),
        (
            f"a mail stored and answered by its own process, at a load of {mail['load']:.0f}: median, slowest; CPU; of it the start of Python",
            f"{short(mail['seconds'])} s, {short(mail['slowest'])} s; {short(mail['cpu_seconds'])} s; {short(mail['start_cpu_seconds'])} s",
            "≤ 2 s",
        ),
    ]
    return markdown(("", "figure", "goal"), rows)
