"""Looks: the pictures that were asked for, what is seen in them, and where they lie meanwhile. Rule: a picture lies in memory alone, KEPT seconds
after the last look of its chat at most, and no more than a few of a side; what a person is to see of it is taken from here, and stored by cases.

    asked (chat, sides, nonces) ─▷ take (nonce, theirs or mine) ─┬─▷ told (nonce, "theirs" or "mine"): it came
                                                                 └─▷ judged ─▷ told (nonce, what was seen) ─▷ compared ─▷ told (nonce, how)

A look asks both sides in one turn. `theirs` of one is a picture of the other's camera, beside which the other's own `mine` is laid. A case gets a
strip once it was judged, so that one which is like an entry of a list is known as such wherever it goes.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

from engine.wire.protocol import SNAP_WITHIN
from server.ops import log
from server.ops.metrics.exposition import Reading
from server.ops.metrics.metric_table import VALUES
from server.trust.evidence.case_pictures import OWN, STRIP, Adds, Picture
from server.trust.pictures import jpeg_head
from server.trust.pictures.picture_messages import STRIP as STRIP_SIZE
from server.trust.pictures.picture_messages import TILE, UNDECIDED, Judged
from server.trust.pictures.scene_agreement import agreement

WITHIN: Final = SNAP_WITHIN + 4.0  # seconds in which one can come: those of `snap`, and a slow way
KEPT: Final = 600.0  # seconds after the last look of a chat that its pictures are there: who reports it has so long
FEW: Final = 3  # pictures of a kind and a side: the newest
SIZES: Final = {"theirs": STRIP_SIZE, "mine": TILE}  # pixels
FOLLOWED: Final = 30.0  # seconds after a report in which pictures of it may still come

logger = log.get()
Told = Callable[[str, str], None]


class Judge(Protocol):
    """Who looks: `server.trust.pictures.picture_client`, or `provider`."""

    async def judge(self, strip: bytes, reported: bool = False) -> Judged | None:
        """None: nobody can say now."""

    async def thumb(self, own: bytes) -> bytes | None:
        """32 × 32 bytes of grey; None: nobody can say now."""


class Refused(Exception):
    """A picture is not taken; `status` is the HTTP answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Look:
    """One look at a chat: what came of each side."""

    __slots__ = ("chat", "nonces", "own", "strips")

    def __init__(self, chat: str, nonces: dict[int, str]) -> None:
        self.chat = chat
        self.nonces = nonces  # by the side that was asked
        self.strips: dict[int, Sequence[bytes]] = {}  # thumbs of each side's camera, as the other one saw it
        self.own: dict[int, bytes] = {}  # the thumb of each side's camera, as it says


class _Asked(NamedTuple):
    """What a nonce stands for."""

    look: _Look
    side: int  # that was asked
    until: float
    came: set[str]


class _Chat:
    """The pictures of a chat, and who wants more of them."""

    __slots__ = ("following", "last", "pictures", "unseen")

    def __init__(self, now: float) -> None:
        self.pictures: dict[tuple[int, str], deque[Picture]] = {}  # by the side whose camera it is, and the kind
        self.unseen: list[Picture] = []  # strips that are being judged: nobody gets them before
        self.last = now  # when it was looked at
        self.following: list[tuple[int, float, Adds]] = []  # the side, until when, who takes what comes


class Looks:
    """Of one host. `told`: what is known of the picture of a nonce; `most`: bytes of pictures, the oldest chat's go first."""

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
        self._asked: OrderedDict[str, _Asked] = OrderedDict()  # by nonce, the oldest first
        self._chats: OrderedDict[str, _Chat] = OrderedDict()  # the one that was looked at the longest ago first
        self._bytes = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self.tally: Counter[str] = Counter(dict.fromkeys(VALUES["serendip_pictures_taken"]["result"], 0))

    def asked(self, chat: str, sides: Sequence[int], nonces: Sequence[str]) -> None:
        """These sides of a chat are asked for pictures."""
        now = self._clock()
        self.sweep(now)
        look = _Look(chat, dict(zip(sides, nonces, strict=True)))
        for side, nonce in look.nonces.items():
            self._asked[nonce] = _Asked(look, side, now + WITHIN, set())
        self._of(chat).last = now
        self._chats.move_to_end(chat)

    def begin(self, nonce: str, kind: str) -> None:
        """This picture begins to come: no other one of that kind may. Raises Refused."""
        asked = self._asked.get(nonce)
        if asked is None or asked.until < self._clock() or kind in asked.came:
            self.tally["late"] += 1
            raise Refused(404)
        asked.came.add(kind)

    def take(self, nonce: str, kind: str, body: bytes) -> None:
        """It came. It is looked at later. Raises Refused."""
        asked = self._asked.get(nonce)
        if asked is None:
            self.tally["late"] += 1
            raise Refused(404)
        if jpeg_head.size(body) != SIZES[kind]:
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
        """Where both pictures of a camera are there: whether they show the same."""
        strip, own = look.strips.get(camera), look.own.get(camera)
        if strip is not None and own is not None:
            self._told(look.nonces[1 - camera], agreement(strip, own, *self._bounds))

    # what lies here

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
        """It was judged, or nobody can: whoever wants it gets it now."""
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
        """Forget what is over."""
        while self._asked and next(iter(self._asked.values())).until < now:
            self._asked.popitem(last=False)
        while self._chats and next(iter(self._chats.values())).last < now - KEPT:
            self._drop(next(iter(self._chats)))

    @property
    def anything(self) -> bool:
        """Whether there is anything to forget."""
        return bool(self._chats or self._asked)

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """What is there of a side's camera: as the other one saw it, where that was judged, then its own; the oldest first."""
        found = self._chats.get(chat)
        if found is None:
            return ()
        there = [picture for kind in (STRIP, OWN) for picture in found.pictures.get((side, kind), ())]
        return tuple(picture for picture in there if not any(picture is one for one in found.unseen))

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Somebody reported this side: what came of it since `had`, and what comes in FOLLOWED seconds more, goes there."""
        found = self._chats.get(chat)
        if found is None:
            return
        found.following.append((side, self._clock() + FOLLOWED, adds))
        if since := [picture for picture in self.shown(chat, side) if picture not in had]:
            self._work_on(adds(since))

    async def close(self) -> None:
        """Nothing is looked at any more."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        return {
            "serendip_pictures_taken": {(name,): count for name, count in self.tally.items()},
            "serendip_pictures_bytes": self._bytes,
        }
