"""Accept the sessions, connections and state that the old process hands over in an upgrade. This code runs in the new process.

**Invariant:** the acknowledgement is sent before a descriptor is touched. If a client reconnects before its session has moved, the new process
requests the session, which then moves next.
"""

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from server.fleet.ipc.ipc_link import Kind, Link, LinkDown, Message
from server.fleet.migrate import sessionless_state
from server.fleet.migrate.session_import import Imports
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.ops import log
from server.ops.metrics.migration_metrics import UPGRADE
from server.ops.process import fault_points
from server.realtime.worker.session_moves import ask_again

WANTED_MAX: Final = 10_000  # sessions, and HTTP clients or their chats, that requests wait for
SESSION, CLIENT, CHAT = (
    "session",
    "client",
    "chat",
)  # kinds of requests: by session key, client id, chat name (`server.site.omegle.ended_clients`)

logger = log.get()


class UpgradeTarget:
    """Target side of one hand-over. `on_taken`: called when sessions arrived."""

    def __init__(self, has: UpgradeParts, link: Link, on_taken: Callable[[], None]) -> None:
        self._has = has
        self._link = link
        self._imports = Imports(has.worker, has.moving, has.tally, has.adapter)
        self._on_taken = on_taken
        self._over = False  # everything is here
        self._since = time.monotonic()
        self._people = self._chats = 0
        self._wanted: dict[int, None] = {}  # keys of sessions that clients ask for
        # HTTP clients, and their ended chats, that requests wait for: which of the two, and its name
        self._waiters: dict[tuple[str, str], asyncio.Future[bool]] = {}
        if has.adapter is not None:
            has.adapter.wanted.begin(partial(self._http_elsewhere, CLIENT))
            has.adapter.gone.wanted.begin(partial(self._http_elsewhere, CHAT))
        self._handlers: dict[int, Callable[[Message], None]] = {
            Kind.PEOPLE: self._came_people,
            Kind.NONE: self._none,
            Kind.HTTP: self._http,
            Kind.NEWCOMER: lambda message: self._imports.take_newcomer(message, self._send),
            Kind.TUNNEL: lambda message: self._imports.take_tunnels(message, self._send),
            Kind.FACES: self._faces,
            Kind.SAVED: self._saved,
            Kind.LEFT: self._left,
            Kind.REST: self._rest,
            Kind.END: self._end,
        }

    def begin(self, pace: dict[str, Any] | None) -> None:
        """Note that this process serves from here on. `pace`: what thresholds depend on; None: unknown."""
        self._since = time.monotonic()
        if pace is not None:
            self._has.worker.engine.moves.take_pace(pace, self._since)

    def came(self, message: Message) -> None:
        """Handle one message; a message of an unknown kind is logged, and its descriptors are closed."""
        handler = self._handlers.get(message.kind)
        if handler is not None:
            handler(message)
            return
        logger.warning("upgrade.unknown", kind=message.kind)
        for descriptor in message.descriptors:
            os.close(descriptor)
        if message.descriptors:
            self._took(message)

    # people

    def _came_people(self, message: Message) -> None:
        chats = len(message.records[0]["chats"])
        came = self._imports.take_all(message, UPGRADE, self._send, chats)
        if came is None:
            self._has.tally.people[UPGRADE, "refused"] += len(message.records[1])
            return
        self._people += len(came)
        self._chats += chats
        self._arrived()
        self._on_taken()
        fault_points.at("taken")

    def _took(self, message: Message) -> None:
        """Acknowledge a message: what it carries is this process's from here on."""
        self._send(Kind.TOOK, message.number)

    # beside sessions

    def _http(self, message: Message) -> None:
        self._took(message)
        self._has.door.arrive(message.descriptors[0], message.records[0], message.pieces[0])

    def _faces(self, message: Message) -> None:
        self._took(message)
        sessionless_state.take(self._has, message.records[0], message.records[1], message.pieces, message.descriptors)

    def _saved(self, message: Message) -> None:
        self._has.worker.saved(*message.records)

    def _left(self, message: Message) -> None:
        self._has.tally.left = message.records[0]

    def _rest(self, message: Message) -> None:
        self._has.worker.engine.moves.take_rest(message.records[0], time.monotonic())

    def _end(self, _: Message) -> None:
        self.finish("")

    # requests for sessions

    def is_elsewhere(self, key: int) -> bool:
        """Whether a session may be on its way here: then this process requests it."""
        if key in self._wanted:
            return True
        if self._over or len(self._wanted) >= WANTED_MAX or not self._send(Kind.WANT, SESSION, key):
            return False
        self._wanted[key] = None
        return True

    async def _http_elsewhere(self, what: str, name: str) -> bool:
        """Wait for an HTTP client, or a chat of one; returns whether the client is here now."""
        waiter = self._waiters.get((what, name))
        if waiter is None:
            if self._over or len(self._waiters) >= WANTED_MAX or not self._send(Kind.WANT, what, name):
                return False
            waiter = self._waiters[what, name] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(waiter)

    def _none(self, message: Message) -> None:
        what, key = message.records
        if what == SESSION:
            if key in self._wanted:
                self._arrive(key)
        elif (waiter := self._waiters.pop((what, key), None)) is not None:
            waiter.set_result(self._has.adapter is not None and key in self._has.adapter.clients)

    def _arrived(self) -> None:
        """Answer requests for sessions and HTTP clients that are here."""
        has = self._has
        for key in [key for key in self._wanted if has.worker.engine.moves.find(key) is not None]:
            self._arrive(key)
        if has.adapter is not None:
            there = has.adapter.clients
            for asked in [asked for asked in self._waiters if asked[0] == CLIENT and asked[1] in there]:
                self._waiters.pop(asked).set_result(True)

    def _arrive(self, key: int) -> None:
        del self._wanted[key]
        engine = self._has.worker.engine
        self._has.worker.act(lambda now: engine.arrived(key, now))

    # the end

    def finish(self, cut: str) -> None:
        """End: no more sessions come; those that are still asked for are nowhere. `cut`: why, if it was not the end.

        Called once more with `cut` behind the end: the old process is gone, and answers no save any more.
        """
        has = self._has
        if cut:
            ask_again(has.worker, has.worker.engine.sessions.values())
        if self._over:
            return
        self._over = True
        has.tally.left = 0
        self._arrived()
        for key in list(self._wanted):
            self._arrive(key)
        for waiter in self._waiters.values():
            waiter.set_result(False)
        self._waiters.clear()
        if has.adapter is not None:
            has.adapter.wanted.end()
            has.adapter.gone.wanted.end()
        has.worker.engine.moves.forget()
        if cut:
            logger.error("upgrade.cut", why=cut, people=self._people, chats=self._chats)
        else:
            seconds = round(time.monotonic() - self._since, 2)
            skipped = has.worker.engine.moves.skipped
            logger.info("upgrade.taken", people=self._people, chats=self._chats, skipped=skipped, seconds=seconds)

    def _send(self, kind: Kind, *records: Any) -> bool:
        """Send to the old process; False: it is gone. What it sent is here all the same."""
        try:
            self._link.send(kind, *records)
        except LinkDown:
            return False
        return True
