"""Which hosts of a cell there are, and which of them has the waiting room. Rule: who is not heard is not there; nobody is asked, and no list is kept.

         beat                  1 s of silence            2 s, or it says that it ends
(none) ────────► serving ◄──────────────────► suspect ────────────────────────────────► (none)
                                 beat
                 draining, where nobody is to come to any of its workers

The room is where a keyed order of all that serve puts it (rendezvous hashing): all who hear the same hosts agree without a word, and a host that
comes or goes moves it only where it is the first of them. Nobody who ends or leaves has it, nor who says its rows in another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from engine.engine import OLDEST, VERSION, agreed
from server.fleet.cluster.room_messages import NODE, ROOM, WORKER_MAX

SUSPECT: Final = 1.0  # seconds of silence
CLOCK_BEATS: Final = 8  # the last of a host, by whose quickest its clock is judged
DEAD: Final = 2.0
MOST: Final = 256  # hosts of a cell
SERVING: Final = "serving"
SILENT: Final = "suspect"  # behind SUSPECT
DRAINING: Final = "draining"  # its people leave it, and nobody is to come there


class Post(NamedTuple):
    """A worker of a host: its number there, its people, whether they stay where they are, and whether nobody is to come there."""

    worker: int
    people: int
    fixed: bool
    leaving: bool


class Share(NamedTuple):
    """What a host has to do with the one room."""

    room: int = 0  # version of what is said of it (`server.fleet.cluster.room_messages`)
    owner: str = ""  # the node that it takes for the one that has it
    posts: tuple[Post, ...] = ()
    sizes: tuple[int, int] = (0, 0)  # of spy mode's queues, where it has the room: who asks, who discusses
    waits: tuple[float, float] = (0.0, 0.0)  # seconds, likewise

    @property
    def serves(self) -> bool:
        """Whether people may come to its host."""
        return any(not post.fixed and not post.leaving for post in self.posts)

    @property
    def leaves(self) -> bool:
        """Whether all its workers have people who are to go."""
        workers = [post for post in self.posts if not post.fixed]
        return bool(workers) and all(post.leaving for post in workers)


NOTHING: Final = Share()
APART: Final = -1  # no version of rows: of a host whose people can come to no other


class Beat(NamedTuple):
    """What a host says of itself four times a second. `time`: Unix seconds, its own; `ends`: it says so for the last time; `drains`: it is about to
    end, and its people go to others."""

    node: str  # 40 random bits, drawn anew by each generation of its processes
    address: str  # of its cluster port
    version: str
    people: int
    time: float
    ends: bool = False
    share: Share = NOTHING
    records: tuple[int, int] = (OLDEST, VERSION)  # of people who move that it reads: the oldest, the newest

    def said(self) -> dict[str, Any]:
        """As it is sent."""
        room, owner, posts, sizes, waits = self.share
        return {**self._asdict(), "share": [room, owner, [[*post] for post in posts], [*sizes], [*waits]]}


class Host(NamedTuple):
    """One that was heard. `ahead`: seconds that its clock is before ours, its way here taken for nothing."""

    node: str
    address: str
    version: str
    state: str
    people: int
    ahead: float
    writes: int = VERSION  # of the records of people that go there


class _Heard:
    """The last beat of a host. `aheads`: what its last beats say of its clock: each was on its way for a while, or waited for this host."""

    __slots__ = ("aheads", "at", "beat", "writes")

    def __init__(self, beat: Beat, at: float, aheads: tuple[float, ...]) -> None:
        self.beat = beat
        self.at = at
        self.aheads = aheads
        self.writes = agreed(beat.records) or VERSION  # where it reads none of ours nobody goes there


class Membership:
    """All of a cell but this host. `now`: monotonic seconds; `wall`: Unix seconds."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.serves = False  # this host takes people
        self._heard: dict[str, _Heard] = {}
        self.own: float | None = (
            None  # when this host heard itself last: what it says arrives, and what others say does
        )

    def heard(self, beat: Beat, now: float, wall: float) -> None:
        """A host says that it is there. Beyond MOST hosts a further one is passed over."""
        if beat.node == self._node:
            self.own = now
        elif beat.ends:
            self._heard.pop(beat.node, None)
        elif beat.node in self._heard or len(self._heard) < MOST:
            last = self._heard.get(beat.node)
            aheads = () if last is None else last.aheads[1 - CLOCK_BEATS :]
            self._heard[beat.node] = _Heard(beat, now, (*aheads, beat.time - wall))

    def advance(self, now: float) -> list[str]:
        """Forget who was silent for too long; gives them."""
        gone = [node for node, one in self._heard.items() if one.at + DEAD <= now]
        for node in gone:
            del self._heard[node]
        return gone

    @property
    def nodes(self) -> set[str]:
        """All but this one."""
        return set(self._heard)

    def owner(self) -> str:
        """The node that has the room: one that takes people, if any does."""
        there = {node: one.beat.share.serves for node, one in self._heard.items() if one.beat.share.room == ROOM}
        there[self._node] = self.serves
        return max(there, key=lambda node: (there[node], order(node)))

    @property
    def owners(self) -> set[str]:
        """Whom the others take for the one that has it, those of this room."""
        return {one.beat.share.owner for one in self._heard.values() if one.beat.share.room == ROOM}

    @property
    def apart(self) -> int:
        """How many hosts have another room, as they say its rows, or write who moves, in no version of ours."""
        return sum(one.beat.share.room != ROOM for one in self._heard.values())

    def others(self, now: float) -> list[Host]:
        """Who is there, by their numbers."""
        return [
            Host(
                node, one.beat.address, one.beat.version, _state(one, now), one.beat.people, max(one.aheads), one.writes
            )
            for node, one in sorted(self._heard.items())
        ]

    def open(self, now: float) -> list[tuple[str, Post]]:
        """The workers of other hosts to which people may go, each with its node."""
        heard = [(node, one.beat) for node, one in self._heard.items() if _state(one, now) == SERVING]
        return [
            (node, post) for node, beat in heard for post in beat.share.posts if not post.fixed and not post.leaving
        ]

    @property
    def people(self) -> int:
        """Of all other hosts."""
        return sum(one.beat.people for one in self._heard.values())


@lru_cache(2 * MOST)
def order(node: str) -> bytes:
    """Whoever is the last by this has the room."""
    return blake2b(node.encode(), digest_size=8).digest()


def _state(one: _Heard, now: float) -> str:
    return SILENT if one.at + SUSPECT <= now else DRAINING if one.beat.share.leaves else SERVING


def read(fields: Any) -> Beat | None:
    """A beat as it came; None: it is none. Fields that are not known are a newer release's, and passed over."""
    match fields:
        case {
            "node": str(node),
            "address": str(address),
            "version": str(version),
            "people": int(people),
            "time": float(time),
            "ends": bool(ends),
        } if len(node) <= 16 and len(address) <= 64 and len(version) <= 64 and people >= 0:
            share, records = _read_share(fields), _read_records(fields)
            if share is None or records is None:
                return None
            if agreed(records) is None:
                share = Share(APART)
            return Beat(node, address, version, people, time, ends, share, records)
    return None


def _read_records(fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """None: they are none. A release that does not say which has those of ours."""
    match fields.get("records", [OLDEST, VERSION]):
        case [int(oldest), int(newest)] if 0 < oldest <= newest:
            return oldest, newest
    return None


def _read_share(fields: Mapping[str, Any]) -> Share | None:
    """Of another version only that it is another; None: it is none."""
    match fields.get("share"):
        case None:
            return NOTHING
        case [int(room), *_] if room != ROOM:
            return Share(room)
        case [
            _,
            str(owner),
            list(rows),
            [int(asking), int(discussing)],
            [int() | float() as asks, int() | float() as discusses],
        ]:
            posts = [_read_post(row) for row in rows[: WORKER_MAX + 1]]
            if (owner and not NODE.fullmatch(owner)) or None in posts:
                return None
            found = tuple([post for post in posts if post is not None])
            return Share(ROOM, owner, found, (asking, discussing), (float(asks), float(discusses)))
    return None


def _read_post(row: Any) -> Post | None:
    match row:
        case [int(worker), int(people), bool(fixed), bool(leaving)] if 0 <= worker <= WORKER_MAX and people >= 0:
            return Post(worker, people, fixed, leaving)
    return None
