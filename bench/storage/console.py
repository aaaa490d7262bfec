"""Measure the console's pages: `python -m bench console [--cases N] [--database URL] [--keep]`.

Pages are requested over HTTP from the application as the server builds it, by a signed-in moderator; each is read whole and asserted. All cases are
in one queue, the worst distribution; their reporters have a history. Goal: 100 ms, by the median and by the CPU time of this process (store and
client in it), which other processes do not change.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import socket
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
from aiohttp import web
from sqlalchemy import insert

from bench.storage.store_kit import Kit, cpu
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.results import ROOT, read, write
from server.data.database import schema_migration
from server.data.database.key_fingerprints import KeyFingerprints
from server.data.objects.sealed_objects import Sealed
from server.data.schema.moderation_schema import case, case_subject, report
from server.data.store.store_runner import Parts
from server.ops.config import moderation_policy
from server.ops.config.settings import Settings
from server.trust.cases.report_cases import Cases, due
from server.trust.console.console_app import build
from server.trust.evidence.chat_evidence import LINES, ChatLine, Evidence
from server.trust.evidence.reported_chat import Person, Reported
from server.trust.moderators.console_sessions import COOKIE, Sessions
from server.trust.moderators.moderator_accounts import Accounts

GOAL = 0.100  # seconds
PAGES = 60  # of each kind
PEOPLE = 3_000  # reporters
REASONS = ("threat", "nudity", "hate", "other")
SPAN = 30 * 86_400  # seconds over which the cases came
AT_ONCE = 2_000  # rows of an insert
LABELS = {"list": "list of a queue", "case": "case, with 100 lines of text", "next": "taking the next case"}
DOCUMENT = ROOT / "docs" / "performance.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of cases and the database."""
    parser.add_argument("--cases", type=int, default=10_000, help="open cases")
    parser.add_argument("--database", default="", help="postgresql+asyncpg://…, an empty one; default: SQLite")
    parser.add_argument("--keep", action="store_true", help="write bench/results/console.json and the document")


def main(chosen: argparse.Namespace) -> int:
    """Return 0 if every page met the goal."""
    found = asyncio.run(measured(chosen.cases, chosen.database))
    for name, times in found.items():
        print(f"{LABELS[name]}: " + ", ".join(f"{kind} {seconds * 1e3:.1f} ms" for kind, seconds in times.items()))
    if chosen.keep:
        write({"cases": chosen.cases, "pages": PAGES, "machine": machine(), "seconds": found}, "console")
        documents()
    return 0 if all(max(times["median"], times["cpu"]) <= GOAL for times in found.values()) else 1


def documents() -> None:
    """Write the figures into the document."""
    kept = read("console")
    rows = [
        (LABELS[name], *(f"{times[kind] * 1e3:.0f} ms" for kind in ("median", "p99", "cpu")))
        for name, times in kept["seconds"].items()
    ]
    fill(DOCUMENT, "console", table((f"page, {kept['cases']:,} open cases in one queue", "median", "p99", "CPU"), rows))


async def measured(cases: int, url: str) -> dict[str, dict[str, float]]:
    """Return seconds of each kind of page."""
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        kit = Kit(url, Path(folder))
        await schema_migration.migrate(kit.database)
        await filled(kit, cases)
        idents = await told(kit)
        runner, origin = await served(kit)
        try:
            return await asked(kit, origin, idents)
        finally:
            await runner.cleanup()
            await kit.database.close()


async def filled(kit: Kit, cases: int) -> None:
    """Insert open cases of all ages, each reported once to three times, and the outcomes of their reporters' earlier reports."""
    dice, now = random.Random(4), int(time.time())
    people = [kit.pseudonyms.safety_identity(number + 1) for number in range(PEOPLE)]
    rows: dict[object, list[dict[str, object]]] = {case: [], case_subject: [], report: []}
    for number in range(cases):
        ident, reason, opened = secrets.token_bytes(16), dice.choice(REASONS), now - dice.randrange(SPAN)
        points = moderation_policy.reason(reason).points
        rows[case].append(
            {
                "id": ident, "queue": "people", "state": "open", "mode": "text", "opened": opened, "reasons": reason,
                "priority": points, "due": due(opened, points), "machine": False,
            }
        )  # fmt: skip
        subject = kit.pseudonyms.safety_identity(PEOPLE + number + 1)
        rows[case_subject].append({"case": ident, "identity": subject, "country": "DE"})
        for _ in range(dice.randint(1, 3)):
            rows[report].append(_report(ident, opened, reason, dice.choice(people), None))
    for person in people:
        for _ in range(dice.randint(0, 12)):
            rows[report].append(
                _report(secrets.token_bytes(16), now - 1, "spam", person, dice.choice(("acted", "none")))
            )
    async with kit.database.write() as connection:
        for place, made in rows.items():
            for first in range(0, len(made), AT_ONCE):
                await connection.execute(insert(place), made[first : first + AT_ONCE])  # type: ignore[arg-type]


def _report(ident: bytes, at: int, reason: str, who: bytes, outcome: str | None) -> dict[str, object]:
    closed = None if outcome is None else at
    return {
        "id": secrets.token_bytes(16), "case": ident, "at": at, "reason": reason, "identity": who,
        "receipt": secrets.token_bytes(16), "outcome": outcome, "closed": closed,
    }  # fmt: skip


async def told(kit: Kit) -> list[str]:
    """Insert cases with the text of a long chat, as a server does."""
    takes = Cases(
        kit.database, Sealed(kit.database, kit.objects, kit.pseudonyms), kit.pseudonyms, lambda _address: "DE"
    )
    now = int(time.time())
    said = tuple(
        ChatLine(number, number & 1, now, "a line of about fifty bytes, as people write them")
        for number in range(LINES)
    )
    found = []
    for number in range(PAGES):
        who, about = Person(number + 1, "81.2.69.160"), Person(5_000_000 + number, f"81.2.69.{number}")
        text = Evidence("text", now - 60, now, 1, said, False)
        one = Reported(secrets.token_bytes(16), "threat", "look at this", now, "text", who, about, 1, text)
        found.append((await takes.take(one)).hex())
    return found


async def served(kit: Kit) -> tuple[web.AppRunner, str]:
    """Serve the console on a free port, and return its URL."""
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, KeyFingerprints.__new__(KeyFingerprints))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    origin = f"http://localhost:{port}"
    app = await asyncio.to_thread(build, parts, Settings(), origin, lambda _request: "127.0.0.1")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, origin


async def asked(kit: Kit, origin: str, idents: list[str]) -> dict[str, dict[str, float]]:
    """Request each page PAGES times."""
    await Accounts(kit.database, kit.pseudonyms).invite("ada", ["moderator"], "bench")
    sessions = Sessions(kit.database, kit.pseudonyms)
    cookie = await sessions.begin("ada")
    session = await sessions.find(cookie)
    assert session is not None
    headers = {"Cookie": f"{COOKIE}={cookie}", "Origin": origin}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in LABELS}

    async def ask(name: str, method: str, path: str, holds: str, **data: str) -> None:
        begun, used = time.perf_counter(), cpu()
        async with http.request(method, origin + path, data=data or None, allow_redirects=False) as answer:
            body = await answer.text()
            times[name].append((time.perf_counter() - begun, cpu() - used))
            assert holds in body or holds in answer.headers.get("Location", ""), (answer.status, path)

    async with aiohttp.ClientSession(headers=headers) as http:
        await ask("list", "GET", "/cases?queue=people", "The first 100 of")
        for name in times:
            times[name].clear()  # what is compiled and connected once
        for ident in idents:
            await ask("list", "GET", "/cases?queue=people", "The first 100 of")
            await ask("case", "GET", f"/case/{ident}", "a line of about fifty bytes")
            await ask("next", "POST", "/cases/next", "/case/", token=session.token, queue="people")
    return {name: _of(found) for name, found in times.items()}


def _of(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return median and 99th percentile of the seconds, and the mean of the CPU seconds."""
    ordered = sorted(seconds for seconds, _ in times)
    return {
        "median": statistics.median(ordered),
        "p99": ordered[int(len(ordered) * 0.99)],
        "cpu": statistics.fmean(used for _, used in times),
    }
