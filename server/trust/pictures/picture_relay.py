"""Hold the pictures that the two of a chat send each other: accept one under its key, have it checked, give it out under the same key.

`engine.chats.sent_pictures` decides who may send, makes the keys, and announces a picture after its check.
**Invariant:** pictures are in memory only, at most `most` bytes, until KEPT seconds after the last one of their chat; given out until the chat ends,
GIVEN_MOST times at most. Then FEW of a side stay for a report, which stores its own copy: unsafe ones first, else the newest.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from engine.wire.protocol import SENT_BYTES, SENT_MOST, SENT_WITHIN
from ext.base.ageing_map import AgeingMap
from server.ops import log
from server.ops.health.background_tasks import cancel_all
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading
from server.trust.evidence.reported_picture import SENT, Adds, Picture
from server.trust.moderation_protocol import PicturesOfChats
from server.trust.pictures import jpeg_header
from server.trust.pictures.picture_process_codec import HIT, Judged, is_sent_size
from server.trust.pictures.requested_pictures import KEPT, Refused

WITHIN: Final = SENT_WITHIN + 10.0  # seconds in which one can arrive, on a slow connection
FEW: Final = 3  # pictures held of a side for a report, once the chat is over
CHAT_MOST: Final = 2 * SENT_MOST  # pictures held of a chat; the oldest go
GIVEN_MOST: Final = (
    24  # times that a picture is given out: enough for the reloads of two, and too few for a public address
)
SWEEP_EVERY: Final = 10.0  # seconds
UNCHECKED: Final = "unchecked"
REFUSED: Final = "refused"
KNOWN: Final = "known"

logger = log.get()
Told = Callable[[str, str], None]
Checks = Callable[[bytes], Awaitable[Judged | None]]


class _Held:
    """A picture, how often it may still be given out (after its check, unless it is refused), and whether the check found it unsafe."""

    __slots__ = ("key", "left", "picture", "unsafe")

    def __init__(self, key: str, picture: Picture) -> None:
        self.key = key
        self.picture = picture
        self.left = 0
        self.unsafe = False


class _Chat:
    """Pictures of a chat, oldest first, the time of the last (without one: of the first report), and the reports that want more of them."""

    __slots__ = ("following", "held", "last")

    def __init__(self, now: float) -> None:
        self.held: deque[_Held] = deque()
        self.last = now
        self.following: list[tuple[int, Adds]] = []


class SentPictures:
    """Sent pictures of one host. `check`: returns the verdict on a picture, or None; `required`: without a verdict none is given out; `told`: called
    with (key, result).

        asked (chat, side, key) ─▷ take (key, bytes) ─▷ checked ─▷ told (key, verdict | unchecked | refused | known) ─▷ give (key)

    A picture that is on a list of abuse material is never given out.
    """

    def __init__(
        self, check: Checks, most: int, required: bool, told: Told, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check = check
        self._most = most
        self._required = required
        self._told = told
        self._clock = clock
        self._asked: AgeingMap[str, tuple[str, int]] = AgeingMap()  # the chat and the side, by key
        self._coming: AgeingMap[str, bool] = AgeingMap()  # keys whose picture arrives now
        self._chats: OrderedDict[str, _Chat] = OrderedDict()  # the one with the oldest last picture first
        self._keys: dict[str, _Held] = {}  # what is given out or checked now
        self._bytes = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self.tally: Counter[str] = Counter(dict.fromkeys(VALUES["serendip_sent_pictures_taken"]["result"], 0))

    def asked(self, chat: str, side: int, key: str) -> None:
        """Expect a picture of this side under this key."""
        now = self._clock()
        self.sweep(now)
        self._asked.put(key, (chat, side), now + WITHIN, now)

    def begin(self, key: str) -> None:
        """Reserve this key before a byte of its picture is read: no second one may come meanwhile; `stop` releases it. Raises Refused."""
        now = self._clock()
        if self._asked.get(key, now) is None or self._coming.get(key, now) is not None:
            self.tally["late"] += 1
            raise Refused(404)
        self._coming.put(key, True, now + WITHIN, now)

    def stop(self, key: str) -> None:
        """Release a key whose picture did not arrive whole: it may be sent once more."""
        self._coming.pop(key)

    def take(self, key: str, body: bytes) -> None:
        """Accept a picture, once for each key; it is checked later. Raises Refused; unless the key is unknown, the engine receives `refused` too."""
        self._coming.pop(key)
        entry = self._asked.get(key, self._clock())
        if entry is None:
            self.tally["late"] += 1
            raise Refused(404)
        self._asked.pop(key)
        if len(body) > SENT_BYTES or not is_sent_size(jpeg_header.size(body)) or not jpeg_header.is_bare(body):
            self.tally["refused"] += 1
            self._told(key, REFUSED)
            raise Refused(415)
        name, side = entry
        held = _Held(key, Picture(SENT, side, int(time.time()), body))
        self._keep(name, held)
        self.tally["taken"] += 1
        task = asyncio.get_running_loop().create_task(self._see(name, held))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            logger.error("pictures.fault", **log.described(fault))

    async def _see(self, name: str, held: _Held) -> None:
        """Have a picture checked, and tell the result."""
        result = UNCHECKED
        try:
            judged = await self._check(held.picture.body)
            if judged is not None:
                result = KNOWN if judged.tag else judged.verdict
                held.picture = replace(held.picture, listed=judged.tag)
        finally:
            held.unsafe = result in (HIT, KNOWN)
            shown = result != KNOWN and not (self._required and result == UNCHECKED)
            held.left = GIVEN_MOST if shown and held.key in self._keys else 0
            chat = self._chats.get(name)
            for side, adds in chat.following if chat is not None else ():
                if side == held.picture.side:
                    self._work_on(adds((held.picture,)))
            self._told(held.key, result)

    def _work_on(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def give(self, key: str) -> bytes | None:
        """Return a picture that was checked, while its chat runs; else None."""
        held = self._keys.get(key)
        if held is None or held.left <= 0:
            self.tally["gone"] += 1
            return None
        held.left -= 1
        self.tally["given"] += 1
        return held.picture.body

    def withdraw(self, key: str) -> None:
        """Give out this picture no more: the engine does not show it. A report may still want it."""
        self._asked.pop(key)
        held = self._keys.pop(key, None)
        if held is not None:
            held.left = 0

    def over(self, chat: str) -> None:
        """Give out no picture of a chat any more: it ended. FEW of each side stay for a report."""
        found = self._chats.get(chat)
        if found is None:
            return
        kept = [*self._few(found, 0), *self._few(found, 1)]
        for held in [*found.held]:
            self._keys.pop(held.key, None)
            held.left = 0
            if held not in kept:
                found.held.remove(held)
                self._bytes -= len(held.picture.body)

    # held pictures

    def _keep(self, name: str, held: _Held) -> None:
        now = self._clock()
        chat = self._chats.setdefault(name, _Chat(now))
        self._chats.move_to_end(name)
        chat.last = now
        chat.held.append(held)
        self._keys[held.key] = held
        self._bytes += len(held.picture.body)
        if len(chat.held) > CHAT_MOST:
            self._release(chat.held.popleft())
        while self._bytes > self._most and len(self._chats) > 1:
            oldest = next(iter(self._chats))
            self.tally["forgotten"] += bool(self._chats[oldest].held)
            self._drop(oldest)
        while self._bytes > self._most and len(chat.held) > 1:
            self._release(chat.held.popleft())

    def _drop(self, name: str) -> None:
        for held in self._chats.pop(name).held:
            self._release(held)

    def _release(self, held: _Held) -> None:
        self._keys.pop(held.key, None)
        held.left = 0
        self._bytes -= len(held.picture.body)

    def sweep(self, now: float) -> None:
        """Drop the keys that were not used, and the pictures of chats that sent none for KEPT seconds."""
        self._asked.expire(now)
        self._coming.expire(now)
        while self._chats and next(iter(self._chats.values())).last < now - KEPT:
            self._drop(next(iter(self._chats)))

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            self.sweep(self._clock())
            await asyncio.sleep(SWEEP_EVERY)

    @staticmethod
    def _few(chat: _Chat, side: int) -> list[_Held]:
        """Return FEW pictures of a side, oldest first: unsafe ones before others, else the newest, so that harmless ones push out none."""
        theirs = [held for held in chat.held if held.picture.side == side]
        few = sorted(theirs, key=lambda held: held.unsafe)[-FEW:]  # stable
        return [held for held in theirs if held in few]

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """Return FEW pictures of a side, oldest first."""
        found = self._chats.get(chat)
        return () if found is None else tuple(held.picture for held in self._few(found, side))

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Pass later pictures of a reported side to `adds`: those since `had`, and those that come while the chat is held here."""
        found = self._chats.get(chat)
        if found is None:  # a report may come before the first picture
            found = self._chats[chat] = _Chat(self._clock())
        found.following.append((side, adds))
        known = {one.body for one in had}
        if since := [picture for picture in self.shown(chat, side) if picture.body not in known]:
            self._work_on(adds(since))

    async def close(self) -> None:
        """Cancel all work."""
        await cancel_all(self._tasks)

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_sent_pictures_taken": {(name,): count for name, count in self.tally.items()},
            "serendip_sent_pictures_bytes": self._bytes,
        }


class HeldPictures:
    """The pictures of several holders as one `PicturesOfChats`."""

    def __init__(self, holders: Iterable[PicturesOfChats]) -> None:
        self._holders = tuple(holders)

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """Return what each holder has."""
        return tuple(picture for holder in self._holders for picture in holder.shown(chat, side))

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Follow a report at each holder."""
        for holder in self._holders:
            holder.follow(chat, side, had, adds)
