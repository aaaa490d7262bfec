"""Offer data rights (access, export, deletion, restriction, objection, keys) to the rest of the server as one object over the store.

**Invariant:** every access, deletion, restriction and objection is stored as a request, with the deadlines of `request_states`. A request with a
proof of identity is answered at once; the others wait for the operators.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from server.data.errors import StoreAway
from server.data.records.transcript import Transcript
from server.data.statement.current_statement import PublishedStatement
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.metric_type import Reading
from server.ops.process import mail_relay
from server.ops.security.secret_keys import Keys, Purpose
from server.ops.security.url_token_generator import SECRET, decode, draw, encode
from server.trust.data_export.person_export import PersonExports
from server.trust.data_requests import request_states
from server.trust.data_requests.form_tokens import PageTokens
from server.trust.data_requests.identity_proof import Proof
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_key import RightsKeys
from server.trust.data_requests.rights_ports import Incident, Request
from server.trust.rights.audit_digest import AuditDigest
from server.trust.rights.deletion import DISPUTES, Deletion, DeletionState
from server.trust.rights.deletion_receipt import Receipts
from server.trust.rights.legal_clocks import LegalClocks
from server.trust.rights.proof_check import ProofChecks
from server.trust.rights.recipient_notices import RecipientNotices
from server.trust.rights.request_expiry import RequestExpiry
from server.trust.rights.request_letters import RequestLetters, site_of

Shape = TypeVar("Shape")
LOOK = 60.0  # seconds between checks of the clocks


class Rights:
    """Data rights of one process. `clock`: Unix seconds."""

    def __init__(
        self,
        parts: Parts,
        keys: Keys,
        known: PersonExports,
        deletion: Deletion,
        tasks: Tasks,
        notices: RecipientNotices,
        clock: Callable[[], float] = time.time,
        writers: Sequence[RequestExpiry | AuditDigest] = (),
    ) -> None:
        """`writers`: of letters, empty without a mail server."""
        self.keys = RightsKeys(keys)
        self.tokens = PageTokens(keys)
        self.proving = ProofChecks(parts.database, parts.pseudonyms, self.keys)
        self.requests = Requests(parts.database, parts.pseudonyms)
        self.deletion = deletion
        self._known = known
        self._logs = parts.logs
        self._tasks = tasks
        self._notices = notices
        self._clock = clock
        self._writers = writers
        self._counted: tuple[dict[str, int], int | None] = ({}, None)  # requests by state, and when the first is due
        self._legal = LegalClocks(parts, clock)
        self._listeners: list[Callable[[], None]] = []

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    async def prove(self, text: str) -> Proof | None:
        """Check a written proof. Return what it opens, or None. Raises StoreAway."""
        return await self.proving.prove(text, self.now)

    async def open_of(self, identity: int) -> Sequence[tuple[str, str, str]]:
        """Return (number, kind, state) of a person's open requests. Raises StoreAway."""
        return await self.requests.of(identity)

    async def know(self, proved: Proof, by: str) -> tuple[str, dict[str, Any]]:
        """Return the request's number, and all data about a person. Raises StoreAway, ObjectsAway, Used."""
        now = int(self.now)
        found = await self._known.know(proved.identity, now)
        asked = NewRequest("know", by, 3, proved.identity, code=proved.code)
        return await self.requests.answered(asked, now), found

    async def export(self, proved: Proof, by: str) -> AsyncIterator[bytes]:
        """Return the same as a ZIP, in pieces; the first is made already. Raises StoreAway, ObjectsAway, Used."""
        now = int(self.now)
        pieces = self._known.export(proved.identity, now)
        first = await anext(pieces)
        await self.requests.answered(NewRequest("export", by, 3, proved.identity, code=proved.code), now)
        return _joined(first, pieces)

    async def erase(self, proved: Proof, by: str, *, records: bool, logs: bool) -> DeletionState:
        """Begin a deletion: the data is hidden from now on. Raises StoreAway, Used."""
        now = int(self.now)
        running = await self.deletion.state(proved.identity, now)
        known = running.number if running is not None and running.done is None else ""
        # The request first: if the process ends in between, it is open and due, and the person's next request joins it.
        asked = NewRequest("delete", by, 3, proved.identity, code=proved.code, number=known)
        ident = await self.requests.open(asked, now)
        return await self.deletion.ask(proved.identity, now, records=records, logs=logs, ident=ident)

    async def cancel(self, identity: int) -> bool:
        """Cancel a deletion in its first 72 hours. False: none can be cancelled. Raises StoreAway."""
        now = int(self.now)
        if not await self.deletion.cancel(identity, now):
            return False
        await self._end(identity, "delete", request_states.REVOKED, now)
        return True

    async def restrict(self, identity: int) -> str:
        """Hide and keep a person's data during a dispute. Return the request's number. Raises StoreAway."""
        now = int(self.now)
        ident = await self.requests.open(NewRequest("restrict", "page", 3, identity), now)
        await self.deletion.restrict(identity, now, why="restrict", ident=ident)
        return ident

    async def object(self, identity: int, text: str) -> str:
        """Hide and keep a person's data until an objection is answered: granted, it is removed; refused, it is shown again. Raises StoreAway."""
        now = int(self.now)
        ident = await self.requests.open(NewRequest("object", "page", 3, identity, text), now)
        await self.deletion.object(identity, now, why="object", ident=ident)
        return ident

    async def release(self, identity: int) -> None:
        """End restriction and objection at the person's own request. Raises StoreAway."""
        now = int(self.now)
        await self.deletion.release(identity, now)
        for kind in ("restrict", "object"):
            await self._end(identity, kind, request_states.REVOKED, now)

    async def log(self, text: str, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """Return the result of `shape` on the saved log that a proof of level 2 opens; None if its text is missing.

        Raises StoreAway, ObjectsAway, Crowded.
        """
        return await self._logs.shaped_by_secret(text.strip().rpartition("/")[2], shape)

    async def key(self, identity: int, *, revoke: bool) -> str:
        """Return a new rights key. `revoke`: all older keys and codes become invalid. Raises StoreAway."""
        issued = int(self.now * 1000)
        if revoke:
            await self.proving.revoke(identity, issued)
        return self.keys.key(identity, issued)

    def code(self, identity: int, scope: frozenset[str]) -> str:
        """Return a code for an agent."""
        return self.keys.code(identity, int(self.now * 1000), scope)

    async def ticket(self, kind: str, text: str, contact: str) -> tuple[str, str]:
        """Store a request without a proof. Return its number, and the secret that reads its state. Raises StoreAway, QueueFull."""
        secret = draw()
        asked = NewRequest(kind, "page", 0, text=text, contact=contact, secret=secret)
        return await self.requests.open(asked, int(self.now)), encode(secret)

    async def claim(self, number: str, secret: str, identity: int) -> str | None:
        """Attach a request that came by mail, known by its secret, to a proved person. Return its number, or None. Raises StoreAway, NotAllowed.

        A restriction or an objection hides and keeps their data from now on, as one on the page does.
        """
        now = int(self.now)
        found = await self.requests.claim(number, decode(secret.strip()) or bytes(SECRET), identity, now)
        kind = next((kind for ident, kind, _ in await self.requests.of(identity) if ident == found), "")
        if found is not None and kind in DISPUTES:
            hide = self.deletion.object if kind == "object" else self.deletion.restrict
            await hide(identity, now, why=kind, ident=found)
        return found

    async def find(self, number: str, proof: str, identity: int) -> Request | None:
        """Return a request if a written proof, a ticket's secret or the browser's cookie may read it. Raises StoreAway."""
        proved = await self.prove(proof)
        if not proof and identity:
            proved = Proof(identity, 3, frozenset())
        return await self.requests.find(number, proved, decode(proof.strip()))

    async def start(self) -> None:
        """Start the clocks."""
        self._tasks.start("requests", self._run)
        self._tasks.start("recipients", self._notices.run)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(StoreAway):  # the next pass does it
                await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Apply the clocks and the operators' answers to requests, and count them. Raises StoreAway."""
        for writer in self._writers:
            await writer.run(int(self.now))
        mails = any(isinstance(writer, RequestExpiry) for writer in self._writers)
        await self.requests.tick(int(self.now), letters=mails)
        await self.deletion.settle(int(self.now))
        self._counted = await self.requests.counts()
        await self._legal.look()
        for looked in self._listeners:
            looked()

    async def published_incidents(self) -> Sequence[Incident]:
        """Return all incidents as of the last look, newest first. Raises StoreAway."""
        return await self._legal.published()

    @property
    def incident(self) -> dict[str, Any] | None:
        """The banner's incident: `since`; None without a recent one."""
        return self._legal.incident

    def on_look(self, looked: Callable[[], None]) -> None:
        """Call `looked` after each look."""
        self._listeners.append(looked)

    async def close(self) -> None:
        """Stop the clocks."""
        await self._tasks.end("recipients")
        await self._tasks.end("requests")

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        counts, first = self._counted
        due = {} if first is None else {"serendip_request_due_seconds": first - self.now}
        return {
            "serendip_requests": {(state,): counts.get(state, 0) for state in request_states.STATES},
            **due,
            **self._legal.reading(self.now),
            **self._notices.reading(),
        }

    async def _end(self, identity: int, kind: str, state: str, now: int) -> None:
        running = await self.requests.running(identity, kind)
        if running is not None:
            await self.requests.move(running, state, now)


def over(
    parts: Parts, keys: Keys, settings: Settings, tasks: Tasks, published: PublishedStatement,
    clock: Callable[[], float] = time.time,
) -> Rights:  # fmt: skip
    """Build the data rights of a deployment. `clock`: Unix seconds."""

    def told() -> dict[str, Any]:
        return published.answer(published.version, "en")

    receipts = Receipts(keys.lasting[Purpose.RECEIPT])
    deletion = Deletion(parts, settings, receipts, lambda: published.version.name)
    notices = RecipientNotices(parts.database, parts.pseudonyms, settings)
    return Rights(
        parts, keys, PersonExports(parts, told), deletion, tasks, notices, clock,
        writers=_writers(parts, settings),
    )  # fmt: skip


def _writers(parts: Parts, settings: Settings) -> Sequence[RequestExpiry | AuditDigest]:
    """Return the writers of letters: about requests that end without a proof, and to the owner if there is an address. None without a mail server."""
    if not settings.mail.host:
        return ()
    site = ""
    with contextlib.suppress(RuntimeError):  # without a name that the settings say, the letter has no link
        site = site_of(settings)
    send = functools.partial(mail_relay.send, relay=settings.mail)
    requests = Requests(parts.database, parts.pseudonyms)
    expiry = RequestExpiry(parts.database, requests, RequestLetters(settings, site), send)
    if not settings.console.digest:
        return (expiry,)
    return (expiry, AuditDigest(parts.database, settings.mail.sender, settings.console.digest, send))


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
