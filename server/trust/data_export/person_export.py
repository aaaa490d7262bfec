"""Export all stored data about one person, to that person: as one JSON document, or as a streamed ZIP archive.

**Invariant:** everything is read in one snapshot of the database, and a missing record fails the whole export.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import orjson

from server.data.chat_logs.chat_log_rendering import as_json, as_text
from server.data.errors import Crowded, ObjectsAway
from server.data.objects.sealed_objects import Sealed
from server.data.records.transcript import Transcript
from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import said as spoken
from server.ops.config.settings import Retention
from server.trust.data_export import archive_readme, export_document, person_rows
from server.trust.data_export.csv_tables import as_csv
from server.trust.data_export.export_parts import PARTS, PROVIDED, Part, Row
from server.trust.data_export.export_schemas import SCHEMAS
from server.trust.data_export.past_requests import asked
from server.trust.data_export.person_pictures import as_picture, pictures
from server.trust.data_export.person_row_keys import person
from server.trust.data_export.person_rows import Rows, View
from server.trust.data_export.zip_stream import Archive

Given = ParamSpec("Given")
Made = TypeVar("Made")

SHOWN = 2_000  # records of a part in the document; the archive has them all
PAGE = 5_000  # chats in memory at once while an archive is made: 8 MB
# exports that read at the same time; others wait, so that the store's other connections stay free
READING = 4
TRIES = 40  # to get a slot for unpacking a log,
AGAIN = 0.25  # seconds apart
START = (b"", -1)  # before every chat


class Incomplete(ObjectsAway):
    """An object named by a row is missing: no export, rather than an incomplete one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Content of one snapshot. `chats`: number in the daily tables; `newest`, `first`: those of the document, and of the archive's first page."""

    view: View
    chats: int
    newest: Rows
    first: Rows
    held: Rows
    logs: Rows
    pictures: Rows
    rest: dict[str, list[Row]]


class PersonExports:
    """Exports over one store. `statement`: returns this deployment's answer of `server.data.statement.current_statement`.

    The snapshot is closed before the first byte is sent: a slow reader holds no transaction. Only chats beyond the first PAGE are read later, after
    the last one sent and up to the newest one of the snapshot; if one of them was deleted meanwhile, the archive ends unfinished and cannot be
    opened.
    """

    def __init__(self, parts: Parts, statement: Callable[[], dict[str, Any]]) -> None:
        self._parts = parts
        self._statement = statement
        self._sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
        self._reading = asyncio.Semaphore(READING)
        self._making = asyncio.Semaphore(1)

    async def know(self, identity: int, now: int) -> dict[str, Any]:
        """Return know.json: the newest SHOWN records of each part, and their numbers. Raises StoreAway; ValueError for identity 0."""
        found = await self._read(identity, now, page=0)
        return await self._made(self._document, found)

    async def export(self, identity: int, now: int) -> AsyncIterator[bytes]:
        """Stream the ZIP. Raises StoreAway, ObjectsAway, before the first piece or later; the archive then cannot be opened."""
        found = await self._read(identity, now, page=PAGE)
        document = await self._made(self._document, found)
        archive = Archive()
        async for name, body in self._files(found, document):
            yield await self._made(archive.add, name, body)
        yield archive.end()

    async def _files(self, found: Snapshot, document: dict[str, Any]) -> AsyncIterator[tuple[str, bytes]]:
        """Yield all files of an archive in order: those for people first, then those for programs."""
        yield "README.html", archive_readme.page(document).encode()
        yield "know.json", dumped(document)
        for name, schema in SCHEMAS.items():
            yield f"schemas/{name}.json", dumped(schema)
        for part in PARTS:
            async for rows, page in self._pages(part, found):
                for file in await self._made(files, part, rows, page):
                    yield file
        for row in found.logs:
            for file in (await self._log(found.view, row)).items():
                yield file
        for row in found.pictures:
            body = await self._sealed.get(row.object, row.object_key)
            if body is None:
                raise Incomplete("a picture is not there")
            yield str(as_picture(found.view, row)["file"]), body

    async def _made(self, make: Callable[Given, Made], *given: Given.args, **named: Given.kwargs) -> Made:
        """Run `make` in a thread, one at a time: it holds Python's lock, so more threads would not help."""
        async with self._making:
            return await asyncio.to_thread(make, *given, **named)

    async def _read(self, identity: int, now: int, *, page: int) -> Snapshot:
        who = person(self._parts.pseudonyms, identity)
        kept = self._statement()["retention"]
        retention = Retention(days=kept["days"], backup_days=kept["backup_days"])
        async with self._reading, self._parts.database.snapshot() as connection:
            view = View(connection, self._parts.pseudonyms, who, retention, now)
            newest = await person_rows.newest_chats(view, SHOWN)
            whole = len(newest) < SHOWN
            shown = await pictures(view)
            modes = Counter(row.mode for row in newest) if whole else await person_rows.chats_by_mode(view)
            return Snapshot(
                view=view,
                chats=modes.total(),
                newest=newest,
                first=newest if whole else await person_rows.chats(view, START, page) if page else (),
                held=await person_rows.held_chats(view),
                logs=await person_rows.saved_logs(view),
                pictures=shown,
                rest={
                    "reports_made": await person_rows.reports_made(view),
                    **await person_rows.moderation(view),
                    "pictures": [as_picture(view, row) for row in shown],
                    **await asked(view),
                    "looks": await person_rows.looks(view),
                    "holds": await person_rows.holds(view),
                    "addresses_shown": [{"video_chats": modes["video"]}] if modes["video"] else [],
                },
            )

    def _document(self, found: Snapshot) -> dict[str, Any]:
        whole = found.rest | {
            "chats": chats(found.view, found.held, found.newest),
            "saved_logs": [person_rows.as_log(found.view, row) for row in found.logs],
        }
        counts = {name: len(rows) for name, rows in whole.items()}
        counts["chats"] += found.chats - len(found.newest)
        shown = {name: rows[-SHOWN:] for name, rows in whole.items()}
        return export_document.document(self._statement(), shown, counts, found.view.now)

    async def _pages(self, part: Part, found: Snapshot) -> AsyncIterator[tuple[list[Row], int]]:
        """Yield (rows, page number) of a part; chats in pages from 1 if there are more than one, else with 0."""
        if part.name == "saved_logs":
            yield [person_rows.as_log(found.view, row) for row in found.logs], 0
        elif part.name != "chats":
            yield found.rest[part.name], 0
        else:
            held, rows, left, page = found.held, found.first, found.chats, int(found.chats > PAGE)
            while True:
                left -= len(rows)
                yield await self._made(chats, found.view, held, rows), page
                if not left:
                    return
                held, page = (), page + 1
                rows = await self._more(found.view, (rows[-1].chat, rows[-1].side), min(PAGE, left))
                if not rows:
                    raise Incomplete("chats went while they were read")

    async def _more(self, view: View, after: tuple[bytes, int], most: int) -> Rows:
        async with self._reading, self._parts.database.snapshot() as connection:
            return await person_rows.chats(dataclasses.replace(view, connection=connection), after, most)

    async def _log(self, view: View, row: Any) -> dict[str, bytes]:
        """Return the files of one saved log; waits while too many logs are unpacked. Raises Incomplete, ObjectsAway."""
        facts = person_rows.as_log(view, row)
        number = facts["number"]

        def shape(said: Transcript) -> dict[str, bytes]:
            document = {"number": number, "saved": facts["saved"], "you": facts["you"], **as_json(said)}
            return {
                f"saved_logs/{number}.json": dumped(document),
                f"saved_logs/{number}.txt": as_text(said, spoken()[ENGLISH]).encode(),
            }

        for _ in range(TRIES):
            try:
                made = await self._parts.logs.opened(row.object, row.object_key, shape)
            except Crowded:
                await asyncio.sleep(AGAIN)
                continue
            if made is None:
                raise Incomplete("the text of a saved log is not there")
            return made
        raise Incomplete("too many logs are read at the moment")


def chats(view: View, held: Rows, rows: Rows) -> list[Row]:
    """Return chats for an export, oldest first; a chat in both tables once."""
    made = [person_rows.as_chat(view, row) for row in rows]
    there = {row["number"] for row in made}
    older = [person_rows.as_chat(view, row, held=True) for row in held]
    return [row for row in older if row["number"] not in there] + made


def files(part: Part, rows: list[Row], page: int) -> list[tuple[str, bytes]]:
    """Return a part's files: JSON, and a CSV table of provided data. `page`: 0 for the only one."""
    name = f"{part.folder}/{part.name}" + (f"-{page:04}" if page else "")
    found = [(f"{name}.json", dumped(rows))]
    if part.folder == PROVIDED:
        found.append((f"{name}.csv", as_csv(tuple(part.fields), rows)))
    return found


def dumped(document: Any) -> bytes:
    """Return indented JSON."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
