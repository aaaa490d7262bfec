"""Store a mail about data as a request, and answer it once a day and address.

**Invariant:** a mail is answered only after its request is stored. The same mail, delivered again after a failure, makes no second request; a later
mail of the same address and day is added to the first one's text. What a program wrote is stored and not answered; so is a mail without a readable
address, each as a request of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.data_request_schema import request_mail
from server.ops.process.mail_relay import MailRefused
from server.ops.security.url_token_generator import draw, encode
from server.trust.data_requests.incoming_mail import IncomingMail
from server.trust.data_requests.request_states import DAY
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.rights.request_letters import RequestLetters

SHINE = "shine"
ANSWERS_A_DAY = 1_000  # to all addresses: forged senders are answered too
ADDRESS, MESSAGE = b"request.mail", b"request.message"


@dataclass(frozen=True, slots=True)
class Filed:
    """Outcome of one mail. `number`: of its request, empty for SHINE; `answer`: `sent`, `refused` (by the mail server), or `none`."""

    number: str
    answer: str


@dataclass(frozen=True, slots=True)
class _Stored:
    number: str
    kind: str
    due: bool  # an answer is owed to this mail
    secret: bytes
    received: int


class MailIntake:
    """Intake of one store. `send`: sends a mail in one try; raises RelayAway, MailRefused."""

    def __init__(
        self,
        database: Database,
        pseudonyms: Pseudonyms,
        requests: Requests,
        letters: RequestLetters,
        send: Callable[[EmailMessage], Awaitable[None]],
    ) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._requests = requests
        self._letters = letters
        self._send = send

    async def take(self, came: IncomingMail, now: int) -> Filed:
        """File and answer a mail. Raises StoreAway, QueueFull; RelayAway if only the answer is missing: deliver the same mail again."""
        address = self._pseudonyms.secret_hash(ADDRESS, came.sender.lower().encode() or came.digest)
        stored = await self._store(came, address, now)
        if not stored.due:
            return Filed(stored.number, "none")
        if stored.number:
            letter = self._letters.receipt(came, stored.kind, stored.number, encode(stored.secret), stored.received)
        else:
            letter = self._letters.shine(came)
        outcome = "sent"
        try:
            await self._send(letter)
        except MailRefused:
            outcome = "refused"
        async with self._database.write() as connection:
            done = update(request_mail).where(request_mail.c.address == address)
            await connection.execute(done.values(answered=now))
        return Filed(stored.number, outcome)

    async def _store(self, came: IncomingMail, address: bytes, now: int) -> _Stored:
        message = self._pseudonyms.secret_hash(MESSAGE, came.digest)
        contact = "" if came.automatic else came.sender
        secret = draw()
        async with self._database.write() as connection:
            await self._database.guard(connection)
            today = select(request_mail).where(request_mail.c.address == address, request_mail.c.at > now - DAY)
            row = (await connection.execute(today)).first()
            due = bool(contact) and (row is None or row.answered is None) and await self._may_answer(connection, now)
            again = row is not None and row.message == message
            number = row.request if row is not None else None
            kind, received = came.kind, now
            if again or (number and await self._requests.add_text(connection, number, came.text, contact)):
                if due and number:
                    kind, received = await self._requests.draw_secret(connection, number, secret)
            elif kind == SHINE and due:
                number = None
            else:
                asked = NewRequest(kind, "mail", 0, text=came.text, contact=contact, secret=secret)
                number = await self._requests.open_within(connection, asked, now)
            at, answered = (row.at, row.answered) if row is not None else (now, None)
            if again and due:  # it is delivered again until it is answered, perhaps for days
                at = now
            await connection.execute(delete(request_mail).where(request_mail.c.address == address))
            kept = {"address": address, "message": message, "request": number, "at": at, "answered": answered}
            await connection.execute(insert(request_mail).values(kept))
        return _Stored(number or "", kind, due, secret, received)

    @staticmethod
    async def _may_answer(connection: AsyncConnection, now: int) -> bool:
        lately = select(func.count()).where(request_mail.c.answered > now - DAY)
        return int((await connection.execute(lately)).scalar_one()) < ANSWERS_A_DAY
