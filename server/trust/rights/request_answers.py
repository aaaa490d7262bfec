"""Answer or refuse a request for an operator; words that answer a mail are mailed too.

**Invariant:** a request that cannot be closed is not answered, and one whose mail could not be sent stays open.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.ops.config.settings import Settings
from server.ops.process import mail_relay
from server.ops.process.mail_relay import MailRefused
from server.trust.data_requests import request_states
from server.trust.data_requests.request_states import NotAllowed, RequestState
from server.trust.data_requests.request_store import TEXT, Requests
from server.trust.rights import request_letters


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed request. `mailed`: `sent`, `refused` by the mail server, or empty: the answer is at the request's page alone."""

    standing: RequestState
    mailed: str


async def close(
    requests: Requests, settings: Settings, text: str, state: str, now: int, reason: str = "", words: str = ""
) -> Closed:
    """Close the request of a number. Raises NoSuchRequest, NotAllowed, StoreAway, RelayAway, Busy: nothing was changed."""
    if len(words) > TEXT:
        raise NotAllowed(f"an answer has at most {TEXT:,} characters")
    found, relay = await requests.read(text), settings.mail
    if not (words and relay.host and found.by == "mail" and found.contact):
        return Closed(await requests.move(found.number, state, now, reason, words), "")
    async with requests.only_letter_writer():  # two operators at once would send two mails
        found, mailed = await requests.read(text), "sent"
        request_states.move(found.standing, state, now, reason)
        try:
            await mail_relay.send(request_letters.answer(settings, found.contact, found.number, words), relay)
        except MailRefused:
            mailed = "refused"
        return Closed(await requests.move(found.number, state, now, reason, words), mailed)
