"""Pass ended chats, requests to save a chat, and reports from the engine to the store and to moderation.

**Invariant:** recording the end of a chat only queues a tuple; each save is always answered, by `Engine.saved`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson

from engine.engine import Session
from engine.views import Act, ChatView, Ended, Report, Save, SeatView
from server.data.errors import NotSaved
from server.data.records.chat_rows import Party
from server.data.records.store_ports import Keeper
from server.data.records.transcript import Transcript, of_ring
from server.http.words.chat_faces import faces_of
from server.realtime.worker.worker_dependencies import ignore
from server.realtime.worker.worker_loop import Worker

Answer = Callable[[int, str | None, str, float], None]  # id of the session, url, delete, retry_after
SAVES_A_SEAT = 10  # by one person of one chat: enough to replace a lost link, too few to fill a disk
SEATS = 10_000  # seats whose saves are counted; the oldest are dropped first


def mode(chat: ChatView) -> str:
    """Return the mode of a chat, as it is recorded."""
    if chat.video:
        return "video"
    if chat.question is not None:
        return "spy"
    return "college" if chat.colleges else "text"


def transcript(seat: SeatView) -> Transcript | None:
    """Return the transcript of a chat's ring; None if it holds no lines."""
    chat = seat.chat
    album = chat.attached.album
    lines, cut = of_ring(chat.ring.lines(), chat.attached.faces, [one[:3] for one in album.sent] if album else ())
    if not lines:
        return None
    facts = orjson.loads(b"{" + seat.inside + b"}") if seat.inside else {}
    return Transcript(
        mode=mode(chat),
        started=int(time.time() - time.monotonic() + chat.began),
        lines=lines,
        cut=cut,
        common=tuple(map(str, facts.get("common") or ())),
        colleges=tuple(college or "" for college in chat.colleges),
        question=chat.question or "",
        masks=faces_of(chat.id),
    )


class Recorder:
    """One worker's way to the store. `take` and `forget` are `WorkerPorts.keep` and `forget_saves`.

    A `save` is a task. The engine answers a report, and moderation reads the chat's last lines (its ring) at once.
    """

    def __init__(
        self,
        worker: Worker,
        store: Keeper,
        reports: Callable[[SeatView, Report | Act, str], None],
        on_migrated: Answer = ignore,
    ) -> None:
        """`on_migrated`: called with the answer of a save whose session has migrated."""
        self._worker = worker
        self._reports = reports
        self._store = store
        self._record = store.record
        self._on_migrated = on_migrated
        self._successor: Answer | None = None  # gets these answers while an upgrade runs
        self._saves: dict[tuple[str, int], int] = {}
        self._tasks: dict[asyncio.Task[None], int] = {}  # running saves: session id

    def take(self, item: Any) -> None:
        """Take an item of the engine. Never blocks."""
        session, seat, what = item
        kind = type(what)
        if kind is Ended:
            chat = seat.chat
            now = time.time()
            begun = now - time.monotonic() + chat.began
            sessions = (session.id, *[address for _, address in seat.others])
            self._record((mode(chat), what.by, begun, now, chat.people, chat.language, sessions))
        elif kind is Save:
            self._begin(session, seat)
        elif kind is Report or kind is Act:
            self._reports(seat, what, mode(seat.chat))

    def _begin(self, session: Session, seat: SeatView) -> None:
        key = (seat.chat.id, seat.side)
        count = self._saves.pop(key, 0)
        self._saves[key] = count + 1
        if len(self._saves) > SEATS:
            del self._saves[next(iter(self._saves))]
        if count >= SAVES_A_SEAT:
            self._worker.engine.saved(session, None, "", 0.0, seat.chat.id)
            return
        task = asyncio.get_running_loop().create_task(self._save(session, seat, transcript(seat)))
        self._tasks[task] = session.id
        task.add_done_callback(self._tasks.pop)

    def forget(self, id: int) -> None:
        """Cancel the saves of a session that migrated to another host, which sends them again."""
        for task, asked in list(self._tasks.items()) if self._tasks else ():
            if asked == id:
                task.cancel()

    async def _save(self, session: Session, seat: SeatView, said: Transcript | None) -> None:
        url, delete, wait = None, "", 0.0
        if said is not None:
            by = Party(seat.side, session.identity, session.address)
            try:
                saved = await self._store.save(said, [Party(*person) for person in seat.chat.people], by)
                url, delete = f"/log/{saved.log}", f"/log/delete/{saved.delete}"
            except NotSaved as refusal:
                wait = refusal.retry_after
        # the session may have migrated, and may have returned since
        if not self._worker.saved(session.id, url, delete, wait, seat.chat.id):
            (self._successor or self._on_migrated)(session.id, url, delete, wait)

    def redirect(self, successor: Answer | None) -> None:
        """Send answers for migrated sessions to `successor`, while an upgrade runs; None: to `on_migrated` again."""
        self._successor = successor

    async def settled(self, within: float = 5.0) -> None:
        """Wait for running saves, `within` seconds at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    async def close(self) -> None:
        """Wait for running saves."""
        await self.settled()
