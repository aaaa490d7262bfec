"""Let operators list, read, answer, refuse, extend and close requests, each with its lines in the audit log.

**Invariant:** the audit log has a line before each look and each act, and names the person before anything about them is shown. The console and the
command line both call this module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.ops.config.settings import Settings
from server.ops.security.reference_numbers import read
from server.trust.data_requests.request_states import RequestState
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_ports import Request
from server.trust.rights import request_answers
from server.trust.rights.request_answers import Closed

Found = TypeVar("Found")


class RequestWork:
    """Work on the requests of one store. `settings`: of the mails with answers.

    Its methods raise StoreAway; with a number, NoSuchRequest and NotAllowed too.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms, settings: Settings) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._settings = settings
        self._requests = Requests(database, pseudonyms)

    async def listed(self, operator: str, *, every: bool = False) -> list[Request]:
        """Return the open requests, or all, the earliest due date first, without their texts."""
        async with audit_log.act(
            self._database, operator=operator, action="request list", why="the queue of requests"
        ) as act:
            found = list(await self._requests.listed(every))
            act.outcome = f"{len(found)} listed"
        return found

    async def show(self, operator: str, number: str, why: str) -> Request:
        """Return a request with its text, and the contact for the answer."""
        return await self._acted(operator, "request show", number, why, lambda: self._requests.read(number))

    async def close(
        self, operator: str, number: str, why: str, state: str, now: int, *, reason: str = "", words: str = ""
    ) -> Closed:
        """Answer, refuse or close a request: move it to a closed state, with the words that the person reads. Raises RelayAway."""
        return await self._acted(
            operator, f"request {state}", number, why,
            lambda: request_answers.close(self._requests, self._settings, number, state, now, reason, words),
        )  # fmt: skip

    async def extend(self, operator: str, number: str, why: str, now: int) -> RequestState:
        """Postpone the answer to day 90. `why`: the reason, which the person reads."""
        return await self._acted(
            operator, "request extend", number, why, lambda: self._requests.extend(number, now, why)
        )

    async def new(self, operator: str, asked: NewRequest, why: str, now: int, received: int) -> str:
        """Enter a request that came by mail or letter, and return its number. Raises QueueFull."""
        async with audit_log.act(self._database, operator=operator, action="request new", why=why) as act:
            ident = await self._requests.open(asked, now, received)
            act.outcome = ident
        return ident

    async def clear(
        self, operator: str, why: str, since: int, until: int, now: int, reason: str, *, by: str, dry: bool
    ) -> int:
        """Refuse all open, unproved requests of a period, unread, and return their number. `dry`: count only."""
        async with audit_log.act(self._database, operator=operator, action="request clear", why=why, dry=dry) as act:
            done = await self._requests.clear(since, until, now, reason, by=by, dry=dry)
            act.outcome = f"{done} requests by {by} from {since} to {until}: {reason}"
        return done

    async def _acted(
        self, operator: str, action: str, number: str, why: str, deed: Callable[[], Awaitable[Found]]
    ) -> Found:
        """Perform an action on a request and audit it: an entry before the person is known, then the person, then the outcome."""
        async with audit_log.act(self._database, operator=operator, action=action, why=why) as act:
            whose = await self._requests.who(number)
            if whose is not None:
                await act.about([self._pseudonyms.audit_subject(whose)])
            done = await deed()
            act.outcome = read(number) or ""
        return done
