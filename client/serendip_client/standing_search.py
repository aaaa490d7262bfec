"""Keep a search going, whatever a server asks first: read notices, have challenges solved, search again after each chat (`Client.search`).

**Invariant:** at most one step is under way, and none begins in a chat; the user's own `find`, `leave` or `close` ends it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from serendip_client.events import Challenge, Error, Event, Left, Matched, Notice, Solved

logger: Final = logging.getLogger("serendip_client")
Step = Callable[[], Awaitable[None]]
Shows = Callable[[Notice], Awaitable[Any]]
Solves = Callable[[Challenge], Awaitable[str | None]]


class Actions(Protocol):
    """The client, as far as a search acts for the user."""

    @property
    def chat(self) -> Matched | None:
        """The chat; None outside of one."""

    async def seen(self, id: str) -> None:
        """Confirm a notice."""

    async def solve(self, kind: str, response: str) -> None:
        """Answer a challenge."""


async def log_notice(notice: Notice) -> None:
    """Show a notice where the client has no user to show it to."""
    logger.warning("the server's moderators say: %s", notice.reason)


@dataclass(frozen=True, slots=True)
class Policy:
    """Policy of a search. `search` sends it; `again`: after each chat too; `notice`: shows one, which was read unless it returns False."""

    search: Callable[[], Awaitable[None]]
    again: bool
    notice: Shows
    challenge: Solves | None


class StandingSearch:
    """Search of one client that goes on by itself. `hear` is called with each event, in order."""

    def __init__(self, client: Actions) -> None:
        self._client = client
        self._policy: Policy | None = None
        self._unread: Notice | None = None
        self._asked: Challenge | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, policy: Policy) -> None:
        """Begin; the caller sends the search."""
        self.end()
        self._policy = policy

    def end(self) -> None:
        """End it: the user searches otherwise, leaves, or the client is closed."""
        task, self._task, self._policy = self._task, None, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def hear(self, event: Event) -> None:
        """Act on an event."""
        if isinstance(event, Notice):
            self._unread = event
        elif isinstance(event, Challenge):
            self._asked = event
        policy = self._policy
        if isinstance(event, Matched) and policy is not None and not policy.again:
            self._policy = None
        if policy is None or self._client.chat is not None:  # a notice in a chat is read for the next search
            return
        if isinstance(event, Notice):
            self._act(partial(self._read, policy, event))
        elif (isinstance(event, Left) and policy.again) or (isinstance(event, Solved) and event.kind != "age"):
            self._act(policy.search)
        elif isinstance(event, Error) and event.of == "find" and event.retry_after is None:
            self._refused(policy, event)

    def _refused(self, policy: Policy, event: Error) -> None:
        if event.code == "notice":
            if self._unread is not None and (self._task is None or self._task.done()):
                self._act(partial(self._read, policy, self._unread))
        elif event.code == "challenge" and policy.challenge is not None and self._asked is not None:
            self._act(partial(self._solve, policy.challenge, self._asked))
        else:
            logger.warning("the search ended: %s", event.message)
            self.end()

    def _act(self, step: Step) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._guarded(step))

    async def _guarded(self, step: Step) -> None:
        try:
            await step()
        except ConnectionError:
            pass  # the client is ending, and reports why
        except Exception:
            logger.exception("a callback of the search failed")

    async def _read(self, policy: Policy, notice: Notice) -> None:
        if await policy.notice(notice) is False:
            return
        self._unread = None
        await self._client.seen(notice.id)
        if self._policy is policy and self._client.chat is None:  # the user left, or has a partner, since
            await policy.search()

    async def _solve(self, solves: Solves, asked: Challenge) -> None:
        self._asked = None
        response = await solves(asked)
        if response is not None:
            await self._client.solve(asked.kind, response)
