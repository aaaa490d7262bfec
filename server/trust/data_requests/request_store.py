"""Store data requests with their states in the database.

**Invariant:** every change is one transaction under the lock of holds and purges (`Database.guard`), and a transition of `request_states`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.retention import notice_and_request_expiry
from server.data.schema.data_request_schema import (
    agent_use,
    request,
    request_answer,
    request_contact,
    request_text,
)
from server.data.schema.deletion_schema import deletion, deletion_notice
from server.ops.security.reference_numbers import number
from server.ops.security.reference_numbers import read as read_number
from server.ops.security.url_token_generator import SECRET
from server.trust.data_requests import request_states
from server.trust.data_requests.identity_proof import Proof
from server.trust.data_requests.request_states import RUNNING, RequestState
from server.trust.data_requests.rights_ports import NoSuchRequest, QueueFull, Request, Step, Used

QUEUE = 10_000  # waiting requests without a proof; beyond it, only mail or a letter is accepted
TEXT = 2_000  # characters of a request, and of an answer
CONTACT = 254
NOWHERE = "0" * 13  # no request has this number
TICKET = b"request.secret"
WORDS, WHERE, ANSWER = b"request.text", b"request.contact", b"request.answer"
_STANDING = tuple(RequestState.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A new request. `identity`: 0 without a proof; `secret`: of a ticket, known to its author alone; `code`: an agent's, as stored.

    `number`: of the deletion that it belongs to, if that has begun; else one is drawn.
    """

    kind: str
    by: str
    level: int
    identity: int = 0
    text: str = ""
    contact: str = ""
    secret: bytes = b""
    code: bytes = b""
    number: str = ""


class Requests:
    """Requests in one store. Every method raises StoreAway; times are Unix seconds.

    One open request per person and kind: a second one joins the first only if both were proved, so that a stranger can neither block nor imitate a
    person. The text of a request, and the address for the answer, are deleted when it closes, at the latest 90 days after it came.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._pseudonyms = pseudonyms

    def only_letter_writer(self) -> AbstractAsyncContextManager[None]:
        """Hold the lock of the only process that mails people whose requests it closes. Raises Busy, StoreAway."""
        return self._database.only_letter_writer()

    async def open(self, asked: NewRequest, now: int, received: int | None = None) -> str:
        """Store a request. Return its number, or that of the one that it joins. `received`: when a letter came. Raises QueueFull, Used."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            return await self.open_within(connection, asked, now, received)

    async def open_within(
        self, connection: AsyncConnection, asked: NewRequest, now: int, received: int | None = None
    ) -> str:
        """Do the same within a transaction under the guard."""
        ready = asked.level == 3 or asked.kind in request_states.UNPROVED_KINDS
        standing = request_states.begin(now if received is None else received, proved=ready, kind=asked.kind)
        if asked.level == 3:
            found = await self._running(connection, asked)
            if found is not None:
                await self._use(connection, asked.code, found, now)
                return found
        elif await self._unproved(connection, asked.by) >= QUEUE:
            raise QueueFull
        return await self._add(connection, asked, standing, now)

    async def add_text(self, connection: AsyncConnection, ident: str, text: str, contact: str) -> bool:
        """Append to the text of an open request without a proof, as far as there is room; False if it is closed or proved.

        `contact`: kept if it has none yet. Call within a transaction under the guard.
        """
        running = select(request.c.number).where(
            request.c.number == ident, request.c.level < 3, request.c.state.in_(RUNNING)
        )
        if (await connection.execute(running)).scalar() is None:
            return False
        await self._append(connection, ident, text)
        where = select(request_contact.c.request).where(request_contact.c.request == ident)
        if contact and (await connection.execute(where)).scalar() is None:
            await self._add_contact(connection, ident, contact)
        return True

    async def draw_secret(self, connection: AsyncConnection, ident: str, secret: bytes) -> tuple[str, int]:
        """Replace the secret of a request, unless a person proved it meanwhile. Return its kind, and when it came. Call within a transaction."""
        hashed = self._pseudonyms.secret_hash(TICKET, secret)
        unproved = update(request).where(request.c.number == ident, request.c.level < 3)
        await connection.execute(unproved.values(secret=hashed))
        row = (await connection.execute(select(request).where(request.c.number == ident))).one()
        return row.kind, row.received

    async def claim(self, text: str, secret: bytes, identity: int, now: int) -> str | None:
        """Attach a request without a proof, known by its secret, to the person who proved themselves. Return its number, or None.

        It joins their open request of the same kind, if there is one, with its text.

        From then on the person alone can read it: the secret is void, and the address for an answer is deleted, since another user may have
        sent the mail. Raises NotAllowed.
        """
        hashed = self._pseudonyms.secret_hash(TICKET, secret)
        wanted = select(request).where(request.c.number == (read_number(text) or NOWHERE), request.c.secret == hashed)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            standing = request_states.verified(_standing(row))
            joined = await self._running(connection, NewRequest(row.kind, row.by, 3, identity))
            if joined is not None:
                if text := await self._text(connection, row.number):
                    await self._append(connection, joined, text)
                await self._keep(connection, row.number, request_states.move(standing, request_states.REVOKED, now))
                return joined
            after = asdict(standing)
            theirs = {"level": 3, "who": self._pseudonyms.request_identity(identity), "secret": None}
            await connection.execute(update(request).where(request.c.number == row.number).values(after | theirs))
            await connection.execute(delete(request_contact).where(request_contact.c.request == row.number))
            return str(row.number)

    async def answered(self, asked: NewRequest, now: int) -> str:
        """Store a request that was answered at once: one row per person, kind and day. Return its number. Raises Used.

        It answers the person's open request of the same kind, if there is one: a mail that was proved by its link.
        """
        standing = request_states.move(request_states.begin(now, proved=True), request_states.FULFILLED, now)
        who = self._pseudonyms.request_identity(asked.identity)
        same = (request.c.who == who, request.c.kind == asked.kind, request.c.state == request_states.FULFILLED)
        today = select(request.c.number).where(*same, request.c.received > now - request_states.DAY).limit(1)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            waiting = await self._running(connection, asked)
            if waiting is not None:
                row = await self._row(connection, waiting)
                await self._keep(
                    connection, waiting, request_states.move(_standing(row), request_states.FULFILLED, now)
                )
            found = waiting or (await connection.execute(today)).scalar()
            if found is None:
                return await self._add(connection, asked, standing, now)
            await self._use(connection, asked.code, found, now)
            return str(found)

    async def find(self, text: str, proved: Proof | None, secret: bytes | None) -> Request | None:
        """Return a request to its person, to the agent whose code it used, or by the ticket's secret; else None, after the same work."""
        wanted = read_number(text) or NOWHERE
        hashed = self._pseudonyms.secret_hash(TICKET, secret or bytes(SECRET))
        who = self._pseudonyms.request_identity(proved.identity if proved is not None else 0)
        async with self._database.read() as connection:
            row = (await connection.execute(select(request).where(request.c.number == wanted))).first()
            whose = (row.who or b"", row.secret or b"") if row is not None else (b"", b"")
            theirs = hmac.compare_digest(whose[0], who) and proved is not None
            theirs = theirs and (proved is None or not proved.code or proved.number == wanted)
            known = hmac.compare_digest(whose[1], hashed) and secret is not None
            if row is None or not (theirs or known):
                return None
            return await self._whole(connection, row)

    async def of(self, identity: int) -> Sequence[tuple[str, str, str]]:
        """Return (number, kind, state) of a person's open requests."""
        who = self._pseudonyms.request_identity(identity)
        wanted = select(request.c.number, request.c.kind, request.c.state)
        wanted = wanted.where(request.c.who == who, request.c.state.in_(RUNNING)).order_by(request.c.received)
        async with self._database.read() as connection:
            return [(row.number, row.kind, row.state) for row in (await connection.execute(wanted)).all()]

    async def running(self, identity: int, kind: str) -> str | None:
        """Return the number of a person's open request of a kind, or None."""
        return next((ident for ident, what, _ in await self.of(identity) if what == kind), None)

    async def read(self, text: str) -> Request:
        """Return a request with its text, for an operator. Raises NoSuchRequest."""
        async with self._database.read() as connection:
            row = await self._row(connection, text)
            said = select(request_text.c.text).where(request_text.c.request == row.number)
            where = select(request_contact.c.contact).where(request_contact.c.request == row.number)
            return await self._whole(
                connection, row, (await connection.execute(said)).scalar(), (await connection.execute(where)).scalar()
            )

    async def who(self, text: str) -> bytes | None:
        """Return the stored value of a request's person, for the audit log: before anything is shown. Raises NoSuchRequest."""
        async with self._database.read() as connection:
            return (await self._row(connection, text)).who  # type: ignore[no-any-return]

    async def listed(self, every: bool) -> Sequence[Request]:
        """Return the open requests, or all, soonest due first; without their texts."""
        wanted = select(request).order_by(request.c.due, request.c.number)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted if every else wanted.where(request.c.state.in_(RUNNING)))).all()
        return [Request(row.number, row.kind, row.by, row.level, _standing(row), "", ()) for row in rows]

    async def move(self, text: str, state: str, now: int, reason: str = "", answer: str = "") -> RequestState:
        """Move a request to a state, with the words of an answer. Raises NoSuchRequest, NotAllowed."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._row(connection, text)
            after = request_states.move(_standing(row), state, now, reason)
            await self._keep(connection, row.number, after)
            if answer:
                await connection.execute(delete(request_answer).where(request_answer.c.request == row.number))
                sealed = self._pseudonyms.seal_text(ANSWER, answer[:TEXT])
                await connection.execute(insert(request_answer).values(request=row.number, answer=sealed, at=now))
            return after

    async def clear(self, since: int, until: int, now: int, reason: str, *, by: str = "page", dry: bool = False) -> int:
        """Refuse all open, unproved requests that came by page or mail in `since <= Unix seconds < until`. Return their number.

        `dry`: count only.
        """
        chosen = (
            request.c.level < 3, request.c.by == by, request.c.state.in_(RUNNING),
            request.c.received >= since, request.c.received < until,
        )  # fmt: skip
        async with self._database.write() as connection:
            await self._database.guard(connection)
            rows = (await connection.execute(select(request).where(*chosen))).all()
            for row in () if dry else rows:
                await self._keep(
                    connection, row.number, request_states.move(_standing(row), request_states.DENIED, now, reason)
                )
            return len(rows)

    async def extend(self, text: str, now: int, why: str) -> RequestState:
        """Extend the time of a request. Raises NoSuchRequest, NotAllowed."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._row(connection, text)
            after = request_states.extend(_standing(row), now, why)
            await self._keep(connection, row.number, after)
            return after

    async def unproved_mails(self, now: int, most: int) -> Sequence[Request]:
        """Return requests by mail that were not proved by their outer day and whose sender is not told yet, with text and contact."""
        wanted = select(request.c.number).where(*_late(now), _told_by_letter()).order_by(request.c.outer).limit(most)
        async with self._database.read() as connection:
            numbers = (await connection.execute(wanted)).scalars().all()
        return [await self.read(ident) for ident in numbers]

    async def tick(self, now: int, *, letters: bool = False) -> None:
        """Apply the clocks: answer finished deletions, and expire requests that were not proved by their outer day.

        A request that needs no proof never expires: it is due until an operator answers. Its text is deleted at the end, or after 90 days.
        `letters`: those of `unproved_mails` stay open, since their senders get a letter first.
        """
        waits = (request.c.state == request_states.IN_PROGRESS, request.c.reason == request_states.VERIFY)
        late = (*_late(now), not_(_told_by_letter())) if letters else _late(now)
        # Of an earlier release, which required a proof of everything.
        asked_in_vain = update(request).where(*waits, request.c.kind.in_(request_states.UNPROVED_KINDS))
        done = select(deletion.c.number).where(deletion.c.done.is_not(None))
        gone = (request.c.kind == "delete", request.c.state.in_(RUNNING), request.c.number.in_(done))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await connection.execute(asked_in_vain.values(state=request_states.OPEN, reason=""))
            await connection.execute(
                update(request).where(*late).values(state=request_states.EXPIRED, reason="", closed=now)
            )
            fulfilled = {"state": request_states.FULFILLED, "reason": "", "answered": now, "closed": now}
            await connection.execute(update(request).where(*gone).values(fulfilled))
            await notice_and_request_expiry.delete_words(connection, now, QUEUE)

    async def counts(self) -> tuple[dict[str, int], int | None]:
        """Return the number of requests by state, and the earliest due time of the open ones."""
        by_state = select(request.c.state, func.count()).group_by(request.c.state)
        nearest = select(func.min(request.c.due)).where(request.c.state.in_(RUNNING))
        async with self._database.read() as connection:
            found = {str(state): int(count) for state, count in (await connection.execute(by_state)).all()}
            return found, (await connection.execute(nearest)).scalar()

    async def _running(self, connection: AsyncConnection, asked: NewRequest) -> str | None:
        who = self._pseudonyms.request_identity(asked.identity)
        same = (request.c.who == who, request.c.kind == asked.kind, request.c.level == 3, request.c.state.in_(RUNNING))
        return (await connection.execute(select(request.c.number).where(*same).limit(1))).scalar()

    async def _unproved(self, connection: AsyncConnection, by: str) -> int:
        """Return the number of open requests without a proof that came by the same way: a flood of mails does not close the page."""
        waiting = select(func.count()).where(request.c.level < 3, request.c.by == by, request.c.state.in_(RUNNING))
        return int((await connection.execute(waiting)).scalar_one())

    async def _add(self, connection: AsyncConnection, asked: NewRequest, standing: RequestState, now: int) -> str:
        drawn = asked.number or number()
        row = {
            "number": drawn,
            "kind": asked.kind,
            "by": asked.by,
            "level": asked.level,
            "who": self._pseudonyms.request_identity(asked.identity) if asked.identity else None,
            "secret": self._pseudonyms.secret_hash(TICKET, asked.secret) if asked.secret else None,
            "acknowledged": now,
        }
        await connection.execute(insert(request).values(row | asdict(standing)))
        if asked.text:
            sealed = self._pseudonyms.seal_text(WORDS, asked.text[:TEXT])
            await connection.execute(insert(request_text).values(request=drawn, text=sealed))
        if asked.contact:
            await self._add_contact(connection, drawn, asked.contact)
        await self._use(connection, asked.code, drawn, now)
        return drawn

    async def _text(self, connection: AsyncConnection, ident: str) -> str:
        kept = select(request_text.c.text).where(request_text.c.request == ident)
        return self._words(WORDS, (await connection.execute(kept)).scalar())

    async def _append(self, connection: AsyncConnection, ident: str, text: str) -> None:
        """Append to the text of a request, as far as there is room."""
        whole = f"{await self._text(connection, ident)}\n\n{text}".strip()[:TEXT]
        await connection.execute(delete(request_text).where(request_text.c.request == ident))
        sealed = self._pseudonyms.seal_text(WORDS, whole)
        await connection.execute(insert(request_text).values(request=ident, text=sealed))

    async def _add_contact(self, connection: AsyncConnection, ident: str, contact: str) -> None:
        sealed = self._pseudonyms.seal_text(WHERE, contact[:CONTACT])
        await connection.execute(insert(request_contact).values(request=ident, contact=sealed))

    async def _use(self, connection: AsyncConnection, code: bytes, ident: str, now: int) -> None:
        if not code:
            return
        if (await connection.execute(select(agent_use.c.at).where(agent_use.c.code == code))).first() is not None:
            raise Used
        await connection.execute(insert(agent_use).values(code=code, request=ident, at=now))

    async def _keep(self, connection: AsyncConnection, ident: str, after: RequestState) -> None:
        await connection.execute(update(request).where(request.c.number == ident).values(asdict(after)))
        if after.closed is not None:
            for table in (request_text, request_contact):
                await connection.execute(delete(table).where(table.c.request == ident))

    @staticmethod
    async def _row(connection: AsyncConnection, text: str) -> Row[Any]:
        wanted = select(request).where(request.c.number == (read_number(text) or NOWHERE))
        row = (await connection.execute(wanted)).first()
        if row is None:
            raise NoSuchRequest(f"{text}: there is no such request")
        return row

    async def _whole(
        self, connection: AsyncConnection, row: Row[Any], text: bytes | None = None, contact: bytes | None = None
    ) -> Request:
        said = select(request_answer.c.answer).where(request_answer.c.request == row.number)
        answer = (await connection.execute(said)).scalar()
        steps = await notices_of(connection, row.number)
        return Request(
            row.number, row.kind, row.by, row.level, _standing(row), self._words(ANSWER, answer), steps,
            self._words(WORDS, text), self._words(WHERE, contact),
        )  # fmt: skip

    def _words(self, domain: bytes, sealed: bytes | None) -> str:
        try:
            return "" if sealed is None else self._pseudonyms.open_text(domain, sealed)
        except KeyGone:
            return ""


async def notices_of(connection: AsyncConnection, ident: str) -> tuple[Step, ...]:
    """Return the notices of a deletion to recipients, by its number. Raises StoreAway."""
    of = select(deletion_notice).where(deletion_notice.c.number == ident).order_by(deletion_notice.c.recipient)
    return tuple(Step(one.recipient, one.state, one.at) for one in (await connection.execute(of)).all())


def _late(now: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the requests that were not proved by their outer day."""
    return (
        request.c.state == request_states.IN_PROGRESS, request.c.reason == request_states.VERIFY,
        request.c.kind.not_in(request_states.UNPROVED_KINDS), request.c.outer <= now,
    )  # fmt: skip


def _told_by_letter() -> ColumnElement[bool]:
    """Match requests by mail with an address for an answer."""
    address = select(request_contact.c.request).where(request_contact.c.request == request.c.number)
    return and_(request.c.by == "mail", address.exists())


def _standing(row: Row[Any]) -> RequestState:
    """Return the part of a row that the state machine changes."""
    return RequestState(**{name: getattr(row, name) for name in _STANDING})
