"""Tell those who asked about data by mail, and whose request was never proved, that it ends without an answer; then close it.

**Invariant:** such a request is closed after the relay accepted its letter or refused it for good. While the relay is away it stays open, at the
longest until its text and the address for the letter are deleted, 90 days after it came.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Final

from server.data.database.database import Database
from server.data.errors import Busy
from server.ops.process.mail_relay import MailRefused, RelayAway
from server.trust.data_requests import incoming_mail, request_states
from server.trust.data_requests.request_states import NotAllowed
from server.trust.data_requests.request_store import Requests
from server.trust.rights.request_letters import RequestLetters

MOST: Final = 10  # letters in one look, which comes each minute: forged senders would be written to as well


class RequestExpiry:
    """Closes the unproved requests by mail of one store. `send`: sends a mail in one try; raises RelayAway, MailRefused."""

    def __init__(
        self,
        database: Database,
        requests: Requests,
        letters: RequestLetters,
        send: Callable[[EmailMessage], Awaitable[None]],
    ) -> None:
        self._database = database
        self._requests = requests
        self._letters = letters
        self._send = send

    async def run(self, now: int) -> int:
        """Write to some of those whose time is over, and close their requests; return how many. Raises StoreAway."""
        try:
            async with self._database.only_letter_writer():
                return await self._run(now)
        except Busy:  # another host does it
            return 0

    async def _run(self, now: int) -> int:
        late = await self._requests.unproved_mails(now, MOST)
        for done, found in enumerate(late):
            language = incoming_mail.language_of(found.text)
            letter = self._letters.expired(found.contact, found.number, found.standing.received, language)
            try:
                await self._send(letter)
            except MailRefused:
                pass  # there is no such address
            except RelayAway:
                return done
            try:
                await self._requests.move(found.number, request_states.EXPIRED, now)
            except NotAllowed:  # an operator answered it meanwhile
                continue
        return len(late)
