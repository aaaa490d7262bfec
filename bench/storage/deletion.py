"""What a deletion costs: `python -m bench deletion [--rows N] [--walked N] [--database URL]`.

Rule: the answer, the removal and the walk after a restore are the product's own; 500 records and 40 saves a second go on beside them.
The figures are printed and, with `--write`, kept in bench/results/deletion.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from bench.storage.beside import Service
from bench.storage.kit import Kit, cpu, ended
from bench.storage.purging import SERIES
from bench.support import results
from server.data.database import daily_partitions, schema_migration
from server.data.database.key_fingerprints import Fingerprints
from server.data.keys.epoch_keys import epoch_of
from server.data.retention import legal_holds
from server.data.retention.requested_deletion import Removal
from server.data.schema.chat_ids import DAY
from server.data.schema.chat_schema import party
from server.data.schema.deletion_schema import deletion, erased
from server.data.store.service import Parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.trust.rights.deletion import Deletion
from server.trust.rights.deletion_receipt import Receipts

PERSON = 1
PEOPLE = 1_000
VALUES = 7  # under which a person's rows may lie; the erasure list names each
# 20 rows a person, spread as a keyed hash is; a person has one address in them
OTHERS = {
    True: "unhex(printf('%08x%026x', (i / 20 * 2654435761) & 4294967295, i / 20))",
    False: "'\\x01'::bytea || decode(md5((i / 20)::text), 'hex')",
}
HOURS = 72 * 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much, over which database."""
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the one person")
    parser.add_argument("--walked", type=int, default=1_000_000, help="rows that come back with a backup")
    parser.add_argument("--database", default="", help="postgresql+asyncpg://…, an empty one; default: SQLite")
    parser.add_argument("--write", action="store_true", help="keep the result")


def main(chosen: argparse.Namespace) -> int:
    """All of it."""
    found = asyncio.run(measured(chosen.database, chosen.rows, chosen.walked))
    for name, value in found.items():
        print(f"{name}: {value}")
    if chosen.write:
        results.write(found, "deletion")
    return 0


async def measured(url: str, rows: int, walked: int) -> dict[str, Any]:
    """The figures, over a fresh database."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        kit = Kit(url, Path(folder))
        await schema_migration.migrate(kit.database)
        now = int(time.time())
        kit.pseudonyms.epochs.make(epoch_of(now))
        await fill(kit, rows, walked, now)
        found: dict[str, Any] = {"rows": rows, "database": "SQLite" if kit.database.sqlite else "PostgreSQL"}
        found["load"] = round(os.getloadavg()[0], 1)  # of the machine, before: what others did on it
        found |= await answered(kit, now)
        found |= await removed(kit, rows, now)
        found |= await all_of_many(kit, now)
        found |= await replayed(kit, walked, now)
        await kit.database.close()
    return found


async def fill(kit: Kit, rows: int, walked: int, now: int) -> None:
    """Rows of one person, spread among those of others, made by the database; and a hold that may be told, of somebody else."""
    head, ident, _, sealed, source = SERIES[kit.database.sqlite]
    mine = kit.pseudonyms.live(epoch_of(now), PERSON, "81.0.0.1")[0] or b""
    literal = f"x'{mine.hex()}'" if kit.database.sqlite else f"'\\x{mine.hex()}'::bytea"
    day = now // DAY
    apart = max(1, walked // rows)  # each of the person's rows in a place of its own among the others'
    for first in range(0, max(rows, walked), 100_000):
        end = min(first + 100_000, max(rows, walked))
        at = f"{day * DAY - 86_400} + i * 80000 / {max(rows, walked)}"
        wanted = [(1, OTHERS[kit.database.sqlite])] + ([(0, literal)] if first < rows * apart else [])
        async with kit.database.write() as connection:
            if not kit.database.sqlite:
                await daily_partitions.ensure(connection, day - 1)
            for side, who in wanted:
                upto = min(end, rows * apart) if side == 0 else end
                columns = f"{ident}, {side}, {at}, {who}, {sealed}, {who}, 'NO'"
                made = f"INSERT INTO party {head} SELECT {columns} FROM {source} WHERE {side} = 1 OR i % {apart} = 0"  # noqa: S608 - constants of this module
                for name, value in {"at": at, "first": first, "end": upto}.items():
                    made = made.replace("{" + name + "}", str(value))
                await connection.exec_driver_sql(made)
        await kit.database.checkpoint()
    await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("address", "8.8.8.8"),
        authority="a court", reason="7", now=now, until=now + 90 * DAY, secret=False,
    )  # fmt: skip


def rights(kit: Kit) -> Deletion:
    """As the server has it."""
    secret = secret_keys.load(kit.data)
    settings = Settings()
    fingerprints = Fingerprints(kit.database, secret, kit.pseudonyms, settings.retention)
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, fingerprints)
    return Deletion(parts, settings, Receipts(secret.lasting[secret_keys.Purpose.RECEIPT]), lambda: "bench")


async def answered(kit: Kit, now: int) -> dict[str, Any]:
    """How long somebody waits for the answer, ten times."""
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        await rights(kit).ask(PERSON, now)
        took.append(time.perf_counter() - begun)
        assert await rights(kit).cancel(PERSON, now)
    await rights(kit).ask(PERSON, now)
    return {"answered_ms": {"median": round(sorted(took)[5] * 1e3, 1), "longest": round(max(took) * 1e3, 1)}}


async def removed(kit: Kit, rows: int, now: int) -> dict[str, Any]:
    """The removal beside a service; before it the same without one, to compare."""
    service = Service(kit)
    await asyncio.sleep(5)
    await service.stop("5 s without a removal")
    service = Service(kit)
    removal = Removal(kit.database, kit.logs, kit.objects, clock=lambda: now + HOURS)
    begun, used = time.monotonic(), cpu()
    gone = await removal.run()
    took = time.monotonic() - begun
    stall = await service.stop("while removing")
    assert gone["party"] == rows
    return {
        "removed_rows_a_second": round(rows / took),
        "removal_seconds": round(took, 1),
        "cpu_seconds_with_service": round(cpu() - used, 1),
        "longest_step_ms": round(removal.longest_step * 1e3, 1),
        "loop_stall_ms": round(stall * 1e3, 1),
    }


async def all_of_many(kit: Kit, now: int) -> dict[str, Any]:
    """The removal of many people who have a visit's rows each, beside the same service."""
    async with kit.database.write() as connection:
        theirs = select(party.c.identity).where(party.c.side == 1, party.c.ended <= now).distinct().limit(PEOPLE)
        values = list((await connection.execute(theirs)).scalars())
        for index, value in enumerate(values):
            row = {"number": str(index), "kind": "delete", "records": True, "logs": True, "asked": now, "due": now}
            await connection.execute(insert(deletion).values(**row, statement="bench"))
            stored = (value, *(secrets.token_bytes(17) for _ in range(VALUES - 1)))
            rows = [{"value": one, "number": str(index), "before": now} for one in stored]
            await connection.execute(insert(erased), rows)
    service = Service(kit)
    removal = Removal(kit.database, kit.logs, kit.objects, clock=lambda: now + HOURS)
    begun = time.monotonic()
    gone = await removal.run()
    took = time.monotonic() - begun
    stall = await service.stop("while removing many people")
    return {
        "people": {
            "people": len(values),
            "rows": gone["party"],
            "rows_a_second": round(gone["party"] / took),
            "people_a_second": round(len(values) / took),
            "longest_step_ms": round(removal.longest_step * 1e3, 1),
            "loop_stall_ms": round(stall * 1e3, 1),
        }
    }


async def replayed(kit: Kit, walked: int, now: int) -> dict[str, Any]:
    """The walk of values that came back, against a list that names none of them."""
    async with kit.database.write() as connection:
        for table in ("erased", "deletion"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - constants
    writer = kit.writer()
    writer.start()
    for index in range(1000):
        writer.record(ended(index + 10, now, 1))
    await writer.flush()
    await writer.close(5)
    begun = time.monotonic()
    back = await Removal(kit.database, kit.logs, kit.objects, clock=lambda: now + HOURS).replay()
    took = time.monotonic() - begun
    return {"walked_rows": walked, "walked_rows_a_second": round(walked / took), "values_that_came_back": back}
