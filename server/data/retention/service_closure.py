"""Close a service: remove all data that no legal hold keeps and no law wants recorded, then destroy the keys.

What stays: rows and objects under a hold in force, with the keys that open them, until a later call finds the hold ended; and the tables in
RECORDS, which prove what was done with the data and hold no words and no address of a user in plain.

**Invariant:** nothing is removed while a request, an order or a notice waits for an answer (`obligations`). Keys go after the rows and objects
that they open. Each step finds its rows anew, so an interrupted closure is finished by the next call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Select, Table, delete, func, not_, select

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database import key_fingerprints
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.data.privacy.registry_model import What
from server.data.retention.purge import OF_A_CASE, Purge
from server.data.schema.console_schema import answer_template, api_token, approval, console_session, operator, passkey
from server.data.schema.data_request_schema import (
    agent_use,
    request,
    request_answer,
    request_contact,
    request_mail,
    request_text,
    rights_key,
)
from server.data.schema.deletion_schema import deletion, deletion_notice, erased
from server.data.schema.disclosure_schema import disclosure, disclosure_subject
from server.data.schema.emergency_review_schema import emergency_review
from server.data.schema.hold_conditions import held_case, held_log
from server.data.schema.incident_schema import incident
from server.data.schema.law_order_schema import law_order
from server.data.schema.moderation_schema import OPEN, case, evidence
from server.data.schema.record_schema import (
    audit,
    chat,
    doomed,
    fingerprint,
    held_chat,
    held_party,
    hold,
    hold_match,
    log,
    log_party,
    party,
)
from server.data.schema.transparency_schema import law_notice, month_figure
from server.ops.config.settings import Retention

RECORDS: Final[tuple[Table, ...]] = (
    audit, disclosure, disclosure_subject, law_order, incident, emergency_review, approval, request, deletion, deletion_notice,
    month_figure,
)  # fmt: skip
HELD: Final[tuple[Table, ...]] = (
    hold, hold_match, held_chat, held_party, log, log_party, case, evidence, *OF_A_CASE,
)  # fmt: skip
WITH_HOLDS: Final[tuple[Table, ...]] = (erased, operator, passkey, fingerprint)  # they stay while a hold is in force
REMOVED: Final[tuple[Table, ...]] = (
    chat, party, doomed, request_text, request_contact, request_answer, request_mail, rights_key, agent_use,
    console_session, answer_template, api_token, law_notice,
)  # fmt: skip
COPIES: Final = ("upkeep", "erasures")  # objects that serve a restore; they are sealed with keys that go
OURS: Final = ("logs", "evidence", "snaps", "child")  # folders of objects that rows name
SHOWN: Final = 20  # names of objects that are listed at most
LOGS: Final = 200  # in one transaction
SWEPT: Final = 1000  # objects that one sweep removes at most


@dataclass(frozen=True, slots=True)
class HoldInForce:
    """A hold that keeps data beyond the closure."""

    number: int
    kind: str
    authority: str
    until: int


@dataclass(slots=True)
class Closure:
    """Outcome, which is the proof.

    `removed`: rows by table; `left`: rows that stay, by table, without empty tables; `unnamed`: removed objects that no row named, by folder;
    `objects`: names that stay, counted by folder; `foreign`: names of objects that are not this program's, which stay, some of them; `problems`:
    what should have gone and has not, empty if all is well; `whole`: no hold keeps anything, so that all keys may go.
    """

    removed: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    unnamed: dict[str, int] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    holds: tuple[HoldInForce, ...] = ()
    problems: tuple[str, ...] = ()
    whole: bool = False

    def add(self, table: Table, count: int) -> None:
        """Count removed rows."""
        if count:
            name = str(table.name)
            self.removed[name] = self.removed.get(name, 0) + count


class ServiceClosure:
    """The closure of one store, which no server uses. `clock`: Unix seconds. All methods raise StoreAway."""

    def __init__(
        self,
        database: Database,
        logs: SavedLogs,
        objects: Objects,
        retention: Retention,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._logs = logs
        self._objects = objects
        self._purge = Purge(database, logs, objects, retention, clock=clock)
        self._ledger = DisclosureLedger(database, clock)
        self._clock = clock

    @property
    def _now(self) -> int:
        return int(self._clock())

    async def obligations(self) -> list[str]:
        """Return what must be answered or done before the service may be closed, a sentence each with its command."""
        waiting: tuple[tuple[str, str, Select[int]], ...] = (
            ("requests of people wait for an answer", "serendip privacy request list", _count(request, request.c.closed.is_(None))),
            ("deletions are not carried out yet", "let the server run until the last is due", _count(
                deletion, deletion.c.done.is_(None), deletion.c.due.is_not(None))),
            ("recipients are not told of a deletion yet", "let the server run until they are", _count(
                deletion_notice, deletion_notice.c.next.is_not(None))),
            ("orders wait for an answer", "serendip privacy order list", _count(law_order, law_order.c.decided.is_(None))),
            ("incidents are open", "serendip privacy incident list", _count(incident, incident.c.closed.is_(None))),
            ("emergencies wait for a review", "serendip privacy emergency list", _count(
                emergency_review, emergency_review.c.reviewed.is_(None))),
            ("cases with apparent abuse of a child wait for a decision", "serendip safety cases --queue urgent", _count(
                case, case.c.state == OPEN, case.c.child.is_not(None))),
            ("notices of illegal content wait for a decision", "serendip safety notices list", _count(
                law_notice, law_notice.c.state == OPEN)),
        )  # fmt: skip
        found = []
        async with self._database.read() as connection:
            for what, remedy, wanted in waiting:
                if number := int((await connection.execute(wanted)).scalar_one()):
                    found.append(f"{number} {what}: {remedy}")
        # Other lines without an outcome are counted above, or were interrupted, which no command can undo: they stay, and say so.
        for line in (await self._ledger.verify()).unfinished:
            if await self._ledger.what_of(line) is What.TRANSFER:
                found.append(f"the handover of line {line} has no outcome: serendip privacy handover end {line}")
        return found

    async def outlook(self) -> Closure:
        """Return the rows and objects that are there, and the holds in force. Changes nothing."""
        found = Closure(holds=await self._holds())
        found.left, found.objects = await self._rows(), await self._names()
        found.whole = not found.holds
        return found

    async def run(self) -> Closure:
        """Remove all that may go, but no key. Raises ObjectsAway, Busy; completed steps stay."""
        done = Closure()
        for name, count in (await self._purge.clear()).deleted.items():
            if count:
                done.removed[name] = count
        done.add(log, await self._saved_logs())
        await self._cases(done)
        done.holds = await self._holds()
        for table in (*REMOVED, *(() if done.holds else WITH_HOLDS)):
            if table not in (chat, party, doomed):
                async with self._database.write() as connection:
                    done.add(table, (await connection.execute(delete(table))).rowcount)
        while await self._logs.sweep(SWEPT):
            pass
        for folder in ("erasures",) if done.holds else COPIES:
            await self._remove_objects(folder)
        for folder in OURS:
            await self._remove_unnamed(folder, done)
        await self._database.rewrite()
        await self._prove(done)
        return done

    async def _saved_logs(self) -> int:
        """Remove the saved logs that no hold keeps."""
        gone = 0
        while True:
            free = select(log.c.id).where(not_(held_log(self._now))).limit(LOGS)
            async with self._database.write() as connection:
                await self._database.guard(connection)
                idents = (await connection.execute(free)).scalars().all()
                for ident in idents:
                    await self._logs.take_away(connection, ident)
            gone += len(idents)
            if len(idents) < LOGS:
                return gone

    async def _cases(self, done: Closure) -> None:
        """Remove the cases that no hold keeps, with their evidence. A case is held through its rows, so they go together."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            held = (await connection.execute(select(case.c.id).where(held_case(self._now, case.c.id)))).scalars().all()
            pieces = evidence.c.case.not_in(held)
            objects = (await connection.execute(select(evidence.c.object).where(pieces))).scalars().all()
            for first in range(0, len(objects), SWEPT):
                rows = [
                    {"object": name, "since": self._now, "erasure": None} for name in objects[first : first + SWEPT]
                ]
                await connection.execute(doomed.insert(), rows)
            for table in (evidence, *OF_A_CASE):
                done.add(table, (await connection.execute(delete(table).where(table.c.case.not_in(held)))).rowcount)
            done.add(case, (await connection.execute(delete(case).where(case.c.id.not_in(held)))).rowcount)

    async def _holds(self) -> tuple[HoldInForce, ...]:
        active = select(hold).where(hold.c.released.is_(None), hold.c.until > self._now).order_by(hold.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(active)).all()
        return tuple(HoldInForce(row.id, row.kind, row.authority, row.until) for row in rows)

    async def _rows(self) -> dict[str, int]:
        """Return the number of rows by table, without empty ones."""
        found = {}
        async with self._database.read() as connection:
            for table in (*RECORDS, *HELD, *WITH_HOLDS, *REMOVED):
                if number := int((await connection.execute(_count(table))).scalar_one()):
                    found[str(table.name)] = number
        return found

    async def _names(self) -> dict[str, int]:
        """Return the number of objects by their first folder."""
        found: dict[str, int] = {}
        async for name in self._objects.names(""):
            folder = name.partition("/")[0]
            found[folder] = found.get(folder, 0) + 1
        return found

    async def _remove_objects(self, folder: str) -> None:
        for name in [name async for name in self._objects.names(folder)]:
            await self._objects.delete(name)

    async def _remove_unnamed(self, folder: str, done: Closure) -> None:
        """Remove the objects of a folder that no row names: of saves and reports that a kill interrupted."""
        named = await self._named()
        for name in [name async for name in self._objects.names(folder) if name not in named]:
            await self._objects.delete(name)
            done.unnamed[folder] = done.unnamed.get(folder, 0) + 1

    async def _named(self) -> set[str]:
        """Return the objects that rows name."""
        async with self._database.read() as connection:
            return {
                name
                for column in (log.c.object, evidence.c.object)
                for name in (await connection.execute(select(column))).scalars()
            }

    async def _prove(self, done: Closure) -> None:
        """Read what is left, and note what should not be."""
        done.left, done.objects = await self._rows(), await self._names()
        done.whole = not done.holds
        gone = (*REMOVED, *((*HELD, *WITH_HOLDS) if done.whole else ()))
        problems = [
            f"{table.name}: {done.left[str(table.name)]} rows" for table in gone if str(table.name) in done.left
        ]
        named, known = await self._named(), (*OURS, *COPIES)
        stray = [name async for name in self._objects.names("") if name not in named]
        done.foreign = tuple(name for name in stray if name.partition("/")[0] not in known)[:SHOWN]
        kept = () if done.whole else COPIES
        ours = [name for name in stray if (folder := name.partition("/")[0]) in known and folder not in kept]
        if ours:
            problems.append(f"{len(ours)} objects that no row names, such as {ours[0]}")
        done.problems = tuple(problems)

    async def destroy_epoch_keys(self) -> list[int]:
        """Destroy the keys of all epochs: held rows were sealed anew under the kept key. Return their numbers."""
        epochs = self._logs.pseudonyms.epochs
        gone = await asyncio.to_thread(_reloaded, epochs.reload, epochs.epochs)
        await key_fingerprints.forget(self._database, gone)
        for epoch in gone:
            await asyncio.to_thread(epochs.destroy, epoch)
        return gone


def _reloaded(reload: Callable[[], None], epochs: Callable[[], list[int]]) -> list[int]:
    reload()
    return epochs()


def _count(table: Table, *clauses: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(*clauses)
