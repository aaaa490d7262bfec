"""Store the records, reports and saved chats that workers send to the frontend.

**Invariant:** at most once: a record or report is acknowledged first and stored then, so none is stored twice; those not yet in the database are
lost if the frontend dies.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from server.data.errors import NotSaved, StoreAway
from server.data.records.chat_rows import Party
from server.data.records.store_ports import Store
from server.data.records.transcript import Unreadable, unpack
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import Peers
from server.ops import log
from server.trust.evidence import reported_chat
from server.trust.moderation_protocol import Safety

LATER: Final = 0.02  # seconds between looks whether an acknowledgement has left
logger = log.get()


class StoreServer:
    """The store server of one frontend. Make it in the loop."""

    def __init__(
        self,
        peers: Callable[[], Peers],
        store: Store,
        safety: Safety,
        on_age: Callable[[int, str, int], None],
        on_minor: Callable[[int], None],
    ) -> None:
        """`on_age`, `on_minor`: called when a user of a worker wrote an age, or was refused as a minor."""
        self._peers = peers
        self._store = store
        self._safety = safety
        self._untold: deque[tuple[str, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._saves: set[asyncio.Task[None]] = set()
        self._on_age, self._on_minor = on_age, on_minor

    def take(self, name: str, message: Message) -> None:
        """Take a message to be stored."""
        match message.kind:
            case Kind.SAVE:
                self._run(self._save(name, message))
            case Kind.UNSAVE:  # the client was told that this log was not saved
                self._run(self._remove(message.records[0]))
            case Kind.RECORD:
                self._take(name, message, partial(self._records, message))
            case Kind.REPORT:
                self._take(name, message, lambda: self._safety.file(reported_chat.unpack(message.records[0])))
            case Kind.SEEN:
                self._take(name, message, partial(self._seen, *message.records))
            case Kind.AGE:
                self._take(name, message, partial(self._on_age, *message.records))
            case Kind.MINOR:  # repeated at the next refusal, so not acknowledged
                self._on_minor(*message.records)

    def _records(self, message: Message) -> None:
        lost, *chats = message.records
        if lost:
            self._store.missed(lost)
        record = self._store.record
        for chat in chats:
            record(tuple(chat))

    def _seen(self, id: str, owner: str | int) -> None:
        """Store that a notice was read. An unknown one is reported again later (`server.fleet.frontend.broadcast_state`)."""
        self._safety.notices.was_read(bytes.fromhex(id), owner if isinstance(owner, int) else bytes.fromhex(owner))

    def _take(self, name: str, message: Message, act: Callable[[], None]) -> None:
        """Acknowledge a message, and call `act` once that has left this process."""
        peers = self._peers()
        peers.send(name, Kind.TOOK, message.number)
        if peers.idle(name):
            act()
            return
        self._untold.append((name, act))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LATER, self._later)

    def _later(self) -> None:
        self._timer = None
        untold, self._untold = self._untold, deque()
        peers = self._peers()
        for name, act in untold:
            if peers.idle(name):
                act()
            else:
                self._untold.append((name, act))
        if self._untold:
            self._timer = asyncio.get_running_loop().call_later(LATER, self._later)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _save(self, name: str, message: Message) -> None:
        number, parties, by = message.records
        try:
            transcript = unpack(message.pieces[0])
            saved = await self._store.save(transcript, [Party(*person) for person in parties], Party(*by))
        except (NotSaved, Unreadable) as refusal:
            wait = refusal.retry_after if isinstance(refusal, NotSaved) else 0.0
            self._peers().send(name, Kind.KEPT, number, None, str(refusal), wait)
            return
        if self._peers().send(name, Kind.KEPT, number, [saved.log, saved.delete], "", 0.0) is None:
            await self._remove(saved.delete)

    async def _remove(self, delete: str) -> None:
        try:
            await self._store.logs.delete_by_secret(delete)
        except StoreAway as error:  # the log stays, and no one has its address
            logger.warning("workers.log_left", **log.described(error))

    async def close(self, within: float = 5.0) -> None:
        """Take what is left, and wait for running saves."""
        if self._timer is not None:
            self._timer.cancel()
        while self._untold:
            self._untold.popleft()[1]()
        if self._saves:
            await asyncio.wait(self._saves, timeout=within)
