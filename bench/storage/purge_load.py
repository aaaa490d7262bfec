"""Compare a service alone with the same service while expired chats are purged beside it."""

from __future__ import annotations

import asyncio
import time

from bench.storage.service_slowdown import Service
from bench.storage.store_kit import Kit, cpu
from server.data.database import daily_partitions
from server.data.retention.purge import Purge
from server.data.schema.chat_id_format import DAY
from server.ops.config.settings import Retention

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
    """Insert `chats` expired chats of ten days, and a tenth as many of yesterday, by the database itself."""
    head, ident, mac, sealed, source = SERIES[kit.database.sqlite]
    days = [(int(now) // DAY - 122 - day, chats // 10) for day in range(10)] + [(int(now) // DAY - 1, chats // 10)]
    number = 0
    for day, count in days:
        for first in range(number, number + count, A_STEP):
            end = min(first + A_STEP, number + count)
            at = f"{day * DAY} + (i - {number}) * 86000 / {count}"
            async with kit.database.write() as connection:
                if not kit.database.sqlite:
                    await daily_partitions.ensure(connection, day)
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


async def purge(kit: Kit, chats: int) -> None:
    """Purge chats beside a service, and print its effect; before it the same without a purge."""
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
