"""Measure the cost of bans per connection, and their memory: `python -m bench bans [--bans N] [--keep]`.

The look-ups of each connection are timed without bans and with N, in turn in one run, all loaded from database rows; a banned user among them must
be refused. `--keep` writes bench/results/bans.json and the figures of docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import secrets
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from bench.storage.store_kit import Kit
from bench.support import documents, results
from bench.support.machine import machine
from server.data.database import schema_migration
from server.data.schema.moderation_schema import ban, case_subject
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.notice_loader import Notices, warn
from server.trust.sanctions.sanction_scale import Decision

BANS = 200_000
CONNECTS = 20_000  # a round
ROUNDS = 15
GOAL = 4.0  # microseconds that a connection may cost more
BATCH = 20_000  # rows of one insert
DOCUMENT = results.ROOT / "docs" / "performance.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of bans, and whether to keep the figures."""
    parser.add_argument("--bans", type=int, default=BANS, help="how many are banned")
    parser.add_argument("--keep", action="store_true", help="write bench/results/bans.json and the document")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print; return 1 if a connection costs more than allowed."""
    found = asyncio.run(measured(chosen.bans))
    print(sentence(found))
    if chosen.keep:
        results.write({"machine": machine(), **found}, "bans", ordered=False)
        documents.fill(DOCUMENT, "bans", "  " + sentence(found))
    return 0 if found["more_us"] <= GOAL else 1


async def measured(count: int) -> dict[str, Any]:
    """Return microseconds of CPU per connection and megabytes of the table."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        kit = Kit("", Path(folder))
        await schema_migration.migrate(kit.database)
        none, quiet = Bans(kit.database, kit.pseudonyms), Notices(kit.database, kit.pseudonyms)
        await fill(kit, count)
        bans, notices = Bans(kit.database, kit.pseudonyms), Notices(kit.database, kit.pseudonyms)
        await notices.refresh()
        gc.collect()
        tracemalloc.start()
        await bans.refresh()
        gc.collect()
        memory, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await kit.database.close()
    if bans.find(count // 2, "") is None or bans.find(count + 1, "81.0.0.1") is not None:
        raise RuntimeError("the wrong person is refused")
    times: dict[str, list[float]] = {"none": [], "bans": [], "notices": []}
    for _ in range(ROUNDS):
        times["none"].append(connects(none, quiet, count))
        times["bans"].append(connects(bans, quiet, count))
        times["notices"].append(connects(bans, notices, count))
    middle = {name: statistics.median(found) for name, found in times.items()}
    return {
        "bans": len(bans),
        "none_us": round(middle["none"], 2),
        "bans_us": round(middle["bans"], 2),
        "more_us": round(middle["bans"] - middle["none"], 2),
        "notices_us": round(middle["notices"] - middle["none"], 2),
        "table_mb": round(memory / 1e6, 1),
    }


def connects(bans: Bans, notices: Notices, count: int) -> float:
    """Return microseconds of CPU per connection of a user with a cookie who is not banned: all look-ups are made."""
    people = [(count + number, f"81.{number >> 8 & 255}.{number & 255}.7") for number in range(1, CONNECTS + 1)]
    begun = time.process_time()
    for identity, address in people:
        bans.find(identity, address)
        notices.unread(identity, identity)
    return (time.process_time() - begun) / CONNECTS * 1e6


async def fill(kit: Kit, count: int) -> None:
    """Insert bans of persons 1 to `count`, and one warning, as rows."""
    now = int(time.time())
    for first in range(1, count + 1, BATCH):
        rows = [
            {
                "id": secrets.token_bytes(16), "kind": "identity", "mac": kit.pseudonyms.safety_identity(person), "since": now,
                "until": now + 86_400, "rule": "R5", "case": secrets.token_bytes(16), "appeal": secrets.token_bytes(16),
                "lifted": None, "changed": now,
            }
            for person in range(first, min(first + BATCH, count + 1))
        ]  # fmt: skip
        async with kit.database.write() as connection:
            await connection.execute(ban.insert(), rows)
    case = secrets.token_bytes(16)
    about = {"case": case, "identity": kit.pseudonyms.safety_identity(1 << 60), "closed": now}
    async with kit.database.write() as connection:
        await connection.execute(case_subject.insert(), [about])
        await warn(connection, kit.pseudonyms, case, Decision("warning", "R4"), "ada", now)


def sentence(found: dict[str, Any]) -> str:
    """Return the figures in words, with a line break at the end."""
    return (
        f"With {found['bans']:,} bans a connection costs {found['more_us']} µs of CPU more than with none ({found['none_us']} µs), the table"
        f" {found['table_mb']} MB; {found['notices_us']} µs where somebody has a notice to read.\n"
    )
