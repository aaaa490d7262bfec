"""Delete, restrict and restore a person's data.

**Invariant:** one transaction hides all of the person's data at once, however much it is; the rows are removed later, at a date that is stored.
Data under a legal hold stays hidden and is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.keys.epoch_keys import epoch_of
from server.data.retention import deletion_notices, legal_holds
from server.data.schema.data_request_schema import request
from server.data.schema.deletion_schema import OBJECTED, deletion, erased
from server.data.schema.record_schema import hold
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.ops.security.reference_numbers import number
from server.trust.data_requests import deletion_exemptions
from server.trust.data_requests.deletion_exemptions import Exempted
from server.trust.data_requests.request_states import FULFILLED
from server.trust.data_requests.request_store import notices_of
from server.trust.data_requests.rights_ports import Step as Recipient
from server.trust.rights.deletion_receipt import Receipts
from server.trust.rights.deletion_receipt_text import receipt_text

HOUR, DAY = 3_600, 86_400
DISPUTES = ("restrict", "object")  # kinds that hide and keep data until their request is closed


class State(Enum):
    """State of a step."""

    DONE = "done"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a deletion. `what`: hidden, records, logs, backups; `at`: its time, past or planned, in Unix seconds."""

    what: str
    state: State
    at: int


@dataclass(frozen=True, slots=True)
class DeletionState:
    """A deletion as its person sees it. Times in Unix seconds; `receipt`: a signed note, once it is done."""

    number: str
    asked: int
    due: int
    done: int | None
    steps: tuple[Step, ...]
    kept: tuple[Exempted, ...]
    receipt: bytes | None
    statement: str = ""
    recipients: tuple[Recipient, ...] = ()


class Deletion:
    """Deletions in one store. `version`: returns the statement's version. All methods raise StoreAway; after a return, a change is durable.

    A request stores the values under which the person's rows are found, and a time (`erased`): every reader checks that table, so rows still on
    their way are hidden when they arrive. Until `due` a report may still keep the rows that it names, and the person may cancel. Of data under a
    hold the answer names what may be disclosed, and is the same in words, states and work if something may not.
    """

    def __init__(self, parts: Parts, settings: Settings, receipts: Receipts, version: Callable[[], str]) -> None:
        self._database = parts.database
        self._pseudonyms = parts.pseudonyms
        self._hours = settings.rights.delete_hours
        self._backups = settings.retention.backup_days
        self._receipts = receipts
        self._version = version
        self._ways = deletion_notices.ways(settings)

    @property
    def receipt_key(self) -> str:
        """The public key of receipts, as it is published."""
        return self._receipts.public

    async def ask(
        self, identity: int, now: int, *, records: bool = True, logs: bool = True, ident: str = ""
    ) -> DeletionState:
        """Hide what is chosen from now on, and remove it at `due`; a second call joins a waiting one. Raises ValueError if nothing is chosen.

        `ident`: the number of its request, if there is one; else one is drawn.
        """
        if not (records or logs):
            raise ValueError("nothing is chosen")
        values = await self._values(identity, now, records=records, logs=logs)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await self._end(connection, identity, now)
            row = await self._waiting(connection, identity)
            if row is None:
                ident = ident or number()
                await self._put(connection, ident, "delete", identity, now, self._hours, records=records, logs=logs)
            else:
                ident = row.number
                if (records and not row.records) or (logs and not row.logs):
                    more = {
                        "records": records or row.records,
                        "logs": logs or row.logs,
                        "due": now + self._hours * HOUR,
                    }
                    await connection.execute(update(deletion).where(deletion.c.number == ident).values(more))
            await _hide(connection, ident, values, now)
            return await self._shown(connection, ident, now)

    async def cancel(self, identity: int, now: int) -> bool:
        """Cancel a deletion and show everything again. False: none waits, or its date has come."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._waiting(connection, identity)
            if row is None or row.due <= now:
                return False
            await _drop(connection, row.number)
        return True

    async def state(self, identity: int, now: int) -> DeletionState | None:
        """Return the newest deletion, or None."""
        newest = self._of(identity, "delete").order_by(deletion.c.asked.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(newest)).first()
            return None if row is None else await self._shown(connection, row.number, now)

    async def restrict(self, identity: int, now: int, *, why: str, ident: str = "") -> None:
        """Hide a person's data and keep it during a dispute; no effect if it is restricted already.

        `ident`: the number of its request, which `settle` follows; else one is drawn.
        """
        await self._restrict("restrict", identity, now, why, ident)

    async def object(self, identity: int, now: int, *, why: str, ident: str = "") -> None:
        """Restrict in the same way until an objection is answered."""
        await self._restrict("object", identity, now, why, ident)

    async def release(self, identity: int, now: int) -> bool:
        """End restriction and objection: all is shown again, and is deleted at its usual time. False: there was neither."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            return await self._end(connection, identity, now)

    async def settle(self, now: int) -> int:
        """End restrictions and objections whose requests are closed. Return their number.

        After a granted objection the data stays hidden and is removed, as by a deletion; after any other answer it is shown again.
        """
        over = (
            select(deletion.c.number, deletion.c.kind, deletion.c.hold, request.c.state)
            .join(request, request.c.number == deletion.c.number)
            .where(deletion.c.kind.in_(DISPUTES), request.c.closed.is_not(None))
        )
        async with self._database.read() as connection:
            if (await connection.execute(over.limit(1))).first() is None:
                return 0
        async with self._database.write() as connection:
            await self._database.guard(connection)
            rows = (await connection.execute(over)).all()
            for row in rows:
                await _release(connection, row.hold, now)
                if (row.kind, row.state) == ("object", FULFILLED):
                    goes = {"kind": OBJECTED, "due": now + self._hours * HOUR, "hold": None}
                    await connection.execute(update(deletion).where(deletion.c.number == row.number).values(goes))
                else:
                    await _drop(connection, row.number)
        return len(rows)

    async def _restrict(self, kind: str, identity: int, now: int, why: str, ident: str) -> None:
        values = await self._values(identity, now, records=True, logs=True)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = (await connection.execute(self._of(identity, kind))).first()
            if row is not None:
                await _rename(connection, row.number, ident or row.number)
                return
            kept = await legal_holds.restrict(connection, self._pseudonyms, identity, why, now)
            ident = ident or number()
            await self._put(
                connection, ident, kind, identity, now, legal_holds.RESTRICTED * 24, records=True, logs=True
            )
            await connection.execute(update(deletion).where(deletion.c.number == ident).values(hold=kept))
            await _hide(connection, ident, values, now)

    async def _end(self, connection: AsyncConnection, identity: int, now: int) -> bool:
        rows = (await connection.execute(self._of(identity, *DISPUTES))).all()
        for row in rows:
            await _release(connection, row.hold, now)
            await _drop(connection, row.number)
        return bool(rows)

    async def _values(self, identity: int, now: int, *, records: bool, logs: bool) -> list[bytes]:
        """Return the values under which rows of the person are stored, or may still arrive."""
        pseudonyms = self._pseudonyms
        await asyncio.to_thread(pseudonyms.epochs.make, epoch_of(now))
        mine = [*pseudonyms.live_identities(identity), pseudonyms.safety_identity(identity)] if records else []
        return [*mine, pseudonyms.kept_identity(identity)] if logs else mine

    def _of(self, identity: int, *kinds: str) -> Any:
        who = self._pseudonyms.deletion_subject(identity)
        return select(deletion).where(deletion.c.who == who, deletion.c.kind.in_(kinds))

    async def _waiting(self, connection: AsyncConnection, identity: int) -> Row[Any] | None:
        found: Row[Any] | None = (
            await connection.execute(self._of(identity, "delete").where(deletion.c.done.is_(None)))
        ).first()
        return found

    async def _put(
        self, connection: AsyncConnection, ident: str, kind: str, identity: int, now: int, hours: int, *,
        records: bool, logs: bool,
    ) -> None:  # fmt: skip
        await connection.execute(
            insert(deletion).values(
                number=ident, who=self._pseudonyms.deletion_subject(identity), kind=kind, records=records, logs=logs,
                asked=now, due=now + hours * HOUR, done=None, statement=self._version(), hold=None,
            )
        )  # fmt: skip

    async def _shown(self, connection: AsyncConnection, ident: str, now: int) -> DeletionState:
        row = (await connection.execute(select(deletion).where(deletion.c.number == ident))).one()
        values = (await connection.execute(select(erased.c.value).where(erased.c.number == ident))).scalars().all()
        kept = await deletion_exemptions.kept(connection, values, row.asked, now)
        steps = self._steps(row, now)
        recipients = await notices_of(connection, ident) or self._planned(row)
        made = DeletionState(ident, row.asked, row.due, row.done, steps, kept, None, row.statement, recipients)
        if row.done is None:
            return made
        lines = [(step.what, step.at) for step in steps]
        text = receipt_text(
            ident, row.asked, row.done, row.statement, lines, [(one.exemption.value, one.until) for one in kept]
        )
        return replace(made, receipt=self._receipts.sign(text))

    def _planned(self, row: Row[Any]) -> tuple[Recipient, ...]:
        """Return the recipients of a deletion whose date has not come; none for one that had no notices."""
        if row.done is not None or not row.records:
            return ()
        return tuple(
            Recipient(one.name, deletion_notices.first_state(one, way, has_address=True), row.due)
            for one, way in self._ways
        )

    def _steps(self, row: Row[Any], now: int) -> tuple[Step, ...]:
        end = row.done or row.due
        removed = State.WAITING if row.done is None else State.DONE
        backups = end + self._backups * DAY
        chosen = [name for name, wanted in (("records", row.records), ("logs", row.logs)) if wanted]
        return (
            Step("hidden", State.DONE, row.asked),
            *(Step(name, removed, end) for name in chosen),
            Step("backups", State.DONE if row.done is not None and backups <= now else State.WAITING, backups),
        )


async def _hide(connection: AsyncConnection, ident: str, values: list[bytes], now: int) -> None:
    known = select(erased.c.value).where(erased.c.number == ident)
    there = set((await connection.execute(known)).scalars())
    rows = [{"value": value, "number": ident, "before": now} for value in values if value not in there]
    if rows:
        await connection.execute(insert(erased), rows)


async def _release(connection: AsyncConnection, held: int | None, now: int) -> None:
    over = update(hold).where(hold.c.id == held, hold.c.released.is_(None))
    await connection.execute(over.values(released=now))


async def _rename(connection: AsyncConnection, old: str, new: str) -> None:
    """Give a restriction the number of the newer request."""
    if old != new:
        for table in (erased, deletion):
            await connection.execute(update(table).where(table.c.number == old).values(number=new))


async def _drop(connection: AsyncConnection, ident: str) -> None:
    for table in (erased, deletion):
        await connection.execute(delete(table).where(table.c.number == ident))
