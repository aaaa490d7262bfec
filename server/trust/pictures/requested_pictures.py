"""Accept the pictures that browsers upload at the server's request, have them judged, compare both sides' views, and hold them for reports.

**Invariant:** pictures are in memory only, at most FEW per kind and side, and until KEPT seconds after the last request to their chat. If a report
needs one, the case stores its own copy.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

from engine.wire.protocol import SNAP_WITHIN
from ext.base.ageing_map import AgeingMap
from server.ops import log
from server.ops.health.background_tasks import cancel_all
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading
from server.trust.evidence.reported_picture import OWN, STRIP, Adds, Picture
from server.trust.pictures import jpeg_header
from server.trust.pictures.picture_process_codec import STRIP as STRIP_SIZE
from server.trust.pictures.picture_process_codec import TILE, UNDECIDED, Judged
from server.trust.pictures.scene_agreement import agreement

WITHIN: Final = SNAP_WITHIN + 4.0  # seconds in which one can arrive: those of `snap`, and a slow connection
KEPT: Final = 600.0  # seconds that pictures are held after the last request to a chat, for a report
FEW: Final = 3  # newest pictures held of a kind and a side
SIZES: Final = {"theirs": STRIP_SIZE, "mine": TILE}  # pixels
FOLLOWED: Final = 30.0  # seconds after a report in which pictures of it may still come

logger = log.get()
Told = Callable[[str, str], None]


class Judge(Protocol):
    """Port of a judge: `server.trust.pictures.picture_client` or `remote_scores`."""

    async def judge(self, strip: bytes, reported: bool = False) -> Judged | None:
        """Return the verdict on a strip, or None if there is no answer now."""

    async def thumb(self, own: bytes) -> bytes | None:
        """Return 32 × 32 bytes of grey, or None if there is no answer now."""


class Refused(Exception):
    """A picture that is not accepted; `status`: of the HTTP answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Look:
    """A request to a chat, with the results of each side."""

    __slots__ = ("chat", "nonces", "own", "strips")

    def __init__(self, chat: str, nonces: dict[int, str]) -> None:
        self.chat = chat
        self.nonces = nonces  # side asked → nonce
        self.strips: dict[int, Sequence[bytes]] = {}  # side → thumbs of its camera as the other browser saw it
        self.own: dict[int, bytes] = {}  # side → thumb of its camera by its own browser


class _Asked(NamedTuple):
    """The request of a nonce."""

    look: _Look
    side: int  # that was asked
    until: float
    came: set[str]


class _Chat:
    """Pictures of a chat, and the reports that want more of them."""

    __slots__ = ("following", "last", "pictures", "unseen")

    def __init__(self, now: float) -> None:
        self.pictures: dict[tuple[int, str], deque[Picture]] = {}  # by camera's side and kind
        self.unseen: list[Picture] = []  # strips in judgement: not given out yet
        self.last = now  # time of the last request
        self.following: list[tuple[int, float, Adds]] = []  # (side, until when, receiver of its pictures)


class PictureRequests:
    """Requested pictures of one host. `told`: called with (nonce, result); `most`: bytes of pictures, beyond which the oldest chat's are dropped.

        asked (chat, sides, nonces) ─▷ take (nonce, theirs or mine) ─┬─▷ told (nonce, "theirs" or "mine"): received
                                                                     └─▷ judged ─▷ told (nonce, verdict) ─▷ compared ─▷ told (nonce, agreement)

    One request asks both sides. Each browser sends `mine` (its own camera) and `theirs` (the other's camera, as received); `theirs` of one side is
    compared with `mine` of the other. A case gets a strip after it was judged, so that a match with a list is known from the start.
    """

    def __init__(
        self,
        judge: Judge,
        most: int,
        agree: float,
        differ: float,
        told: Told,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._judge = judge
        self._most = most
        self._bounds = agree, differ
        self._told = told
        self._clock = clock
        self._asked: AgeingMap[str, _Asked] = AgeingMap()  # by nonce
        self._chats: OrderedDict[str, _Chat] = OrderedDict()  # oldest request first
        self._bytes = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self.tally: Counter[str] = Counter(dict.fromkeys(VALUES["serendip_pictures_taken"]["result"], 0))

    def asked(self, chat: str, sides: Sequence[int], nonces: Sequence[str]) -> None:
        """Note a request to these sides of a chat."""
        now = self._clock()
        self.sweep(now)
        look = _Look(chat, dict(zip(sides, nonces, strict=True)))
        for side, nonce in look.nonces.items():
            self._asked.put(nonce, _Asked(look, side, now + WITHIN, set()), now + WITHIN, now)
        self._of(chat).last = now
        self._chats.move_to_end(chat)

    def begin(self, nonce: str, kind: str) -> None:
        """Reserve this nonce and kind before its bytes arrive: no second one may come. Raises Refused."""
        asked = self._asked.get(nonce)
        if asked is None or asked.until < self._clock() or kind in asked.came:
            self.tally["late"] += 1
            raise Refused(404)
        asked.came.add(kind)

    def take(self, nonce: str, kind: str, body: bytes) -> None:
        """Accept a picture; it is judged later. Raises Refused."""
        asked = self._asked.get(nonce)
        if asked is None:
            self.tally["late"] += 1
            raise Refused(404)
        if jpeg_header.size(body) != SIZES[kind]:
            self.tally["refused"] += 1
            raise Refused(415)
        self.tally[kind] += 1
        side = 1 - asked.side if kind == "theirs" else asked.side
        picture = Picture(STRIP if kind == "theirs" else OWN, side, int(time.time()), body)
        self._keep(asked.look.chat, picture)
        self._told(nonce, kind)
        self._work_on(self._see(nonce, asked, picture) if kind == "theirs" else self._compare_with(asked, body))

    def _work_on(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.tally["failed"] += 1
            logger.error("pictures.fault", **log.described(fault))

    async def _see(self, nonce: str, asked: _Asked, strip: Picture) -> None:
        name = asked.look.chat
        chat = self._chats.get(name)
        try:
            judged = await self._judge.judge(strip.body, chat is not None and bool(chat.following))
        except Exception:
            self._seen(name, strip, "")
            raise
        self._seen(name, strip, "" if judged is None else judged.tag)
        if judged is None:
            self._told(nonce, UNDECIDED)
            return
        self._told(nonce, judged.verdict)
        if judged.tag:
            self._told(nonce, "known")
        asked.look.strips[1 - asked.side] = judged.thumbs
        self._compare(asked.look, 1 - asked.side)

    async def _compare_with(self, asked: _Asked, own: bytes) -> None:
        thumb = await self._judge.thumb(own)
        if thumb is not None:
            asked.look.own[asked.side] = thumb
            self._compare(asked.look, asked.side)

    def _compare(self, look: _Look, camera: int) -> None:
        """Compare both pictures of a camera once both are there."""
        strip, own = look.strips.get(camera), look.own.get(camera)
        if strip is not None and own is not None:
            self._told(look.nonces[1 - camera], agreement(strip, own, *self._bounds))

    # held pictures

    def _of(self, chat: str) -> _Chat:
        found = self._chats.get(chat)
        if found is None:
            found = self._chats[chat] = _Chat(self._clock())
        return found

    def _keep(self, name: str, picture: Picture) -> None:
        chat = self._of(name)
        few = chat.pictures.setdefault((picture.side, picture.kind), deque())
        few.append(picture)
        if picture.kind == STRIP:
            chat.unseen.append(picture)
        self._bytes += len(picture.body)
        if len(few) > FEW:
            self._bytes -= len(few.popleft().body)
        while self._bytes > self._most and len(self._chats) > 1:
            self.tally["forgotten"] += 1
            self._drop(next(iter(self._chats)))
        if picture.kind == OWN:
            self._pass_on(chat, picture)

    def _seen(self, name: str, strip: Picture, listed: str) -> None:
        """Release a strip that was judged, or could not be, to the reports that want it."""
        chat = self._chats.get(name)
        if chat is None:
            return
        chat.unseen = [one for one in chat.unseen if one is not strip]
        known = replace(strip, listed=listed) if listed else strip
        few = chat.pictures.get((strip.side, strip.kind), deque())
        for at, one in enumerate(few):
            if one is strip:
                few[at] = known
        self._pass_on(chat, known)

    def _pass_on(self, chat: _Chat, picture: Picture) -> None:
        now = self._clock()
        for side, until, adds in chat.following:
            if side == picture.side and now < until:
                self._work_on(adds((picture,)))

    def _drop(self, name: str) -> None:
        chat = self._chats.pop(name)
        self._bytes -= sum(len(picture.body) for few in chat.pictures.values() for picture in few)

    def sweep(self, now: float) -> None:
        """Drop expired requests and chats."""
        self._asked.expire(now)
        while self._chats and next(iter(self._chats.values())).last < now - KEPT:
            self._drop(next(iter(self._chats)))

    @property
    def anything(self) -> bool:
        """Whether there is anything to sweep."""
        return bool(self._chats or len(self._asked))

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """Return the held pictures of a side's camera: judged strips, then its own tiles; each oldest first."""
        found = self._chats.get(chat)
        if found is None:
            return ()
        there = [picture for kind in (STRIP, OWN) for picture in found.pictures.get((side, kind), ())]
        return tuple(picture for picture in there if not any(picture is one for one in found.unseen))

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Pass later pictures of a reported side to `adds`: those since `had`, and those of the next FOLLOWED seconds."""
        found = self._chats.get(chat)
        if found is None:
            return
        found.following.append((side, self._clock() + FOLLOWED, adds))
        if since := [picture for picture in self.shown(chat, side) if picture not in had]:
            self._work_on(adds(since))

    async def close(self) -> None:
        """Cancel all work."""
        await cancel_all(self._tasks)

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_pictures_taken": {(name,): count for name, count in self.tally.items()},
            "serendip_pictures_bytes": self._bytes,
        }
