"""Decide from heartbeats alone which hosts of a cluster are alive, and which of them owns the shared waiting room.

**Invariant:** hosts that receive the same beats choose the same owner, without a message to each other (rendezvous hashing). A host that ends or
drains owns the room only if every host ends or drains; a host whose version of the room's messages is not this host's never owns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from engine.engine import OLDEST, VERSION, agreed
from server.fleet.cluster.waiting_room_messages import NODE, ROOM, WORKER_MAX

SUSPECT: Final = 1.0  # seconds of silence
CLOCK_BEATS: Final = 8  # beats of a host, by the quickest of which its clock is judged
DEAD: Final = 2.0
MOST: Final = 256  # hosts of a cluster
SERVING: Final = "serving"
SILENT: Final = "suspect"  # after SUSPECT seconds of silence
DRAINING: Final = "draining"  # its sessions move away, and it accepts none


class Post(NamedTuple):
    """A worker of a host: its number there, its sessions, whether they stay where they are, and whether it refuses new ones."""

    worker: int
    people: int
    fixed: bool
    leaving: bool


class Share(NamedTuple):
    """A host's part in the shared waiting room."""

    room: int = 0  # version of its messages (`server.fleet.cluster.waiting_room_messages`)
    owner: str = ""  # the node that it takes for the owner
    posts: tuple[Post, ...] = ()
    sizes: tuple[int, int] = (0, 0)  # of spy mode's queues, if it owns the room: users who ask, users who discuss
    waits: tuple[float, float] = (0.0, 0.0)  # seconds, likewise

    @property
    def serves(self) -> bool:
        """Whether sessions may move to its host."""
        return any(not post.fixed and not post.leaving for post in self.posts)

    @property
    def leaves(self) -> bool:
        """Whether all its workers drain."""
        workers = [post for post in self.posts if not post.fixed]
        return bool(workers) and all(post.leaving for post in workers)


NOTHING: Final = Share()
APART: Final = -1  # no version: of a host whose sessions can move to no other


class Beat(NamedTuple):
    """Announcement of a host, four times a second. `time`: Unix seconds of its clock; `ends`: it is the last one."""

    node: str  # 40 random bits, drawn anew by each generation of its processes
    address: str  # of its cluster port
    version: str
    people: int
    time: float
    ends: bool = False
    share: Share = NOTHING
    records: tuple[int, int] = (OLDEST, VERSION)  # versions of session records that it reads: the oldest, the newest

    def said(self) -> dict[str, Any]:
        """Return the beat as a JSON object."""
        room, owner, posts, sizes, waits = self.share
        return {**self._asdict(), "share": [room, owner, [[*post] for post in posts], [*sizes], [*waits]]}


class Host(NamedTuple):
    """One known host. `ahead`: seconds that its clock is ahead of this host's, with no allowance for transit."""

    node: str
    address: str
    version: str
    state: str
    people: int
    ahead: float
    writes: int = VERSION  # version of session records that move there


class _Heard:
    """Last beat of a host. `aheads`: clock differences of its last beats, each of which was on its way for a while, or waited here."""

    __slots__ = ("aheads", "at", "beat", "writes")

    def __init__(self, beat: Beat, at: float, aheads: tuple[float, ...]) -> None:
        self.beat = beat
        self.at = at
        self.aheads = aheads
        self.writes = agreed(beat.records) or VERSION  # if it reads none of this release's no session moves there


class Membership:
    """All hosts of a cluster but this one. `now`: monotonic seconds; `wall`: Unix seconds.

                 beat                  1 s of silence            2 s, or it announces its end
        (none) ────────► serving ◄──────────────────► suspect ────────────────────────────────► (none)
                                         beat
                         draining, if none of its workers accepts users

    The owner is the first serving host in a keyed order: a host that joins or leaves moves the room only if it is the first.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self.serves = False  # whether this host accepts sessions
        self._heard: dict[str, _Heard] = {}
        self.own: float | None = (
            None  # when this host heard itself last: what it says arrives, and what others say does
        )

    def heard(self, beat: Beat, now: float, wall: float) -> None:
        """Handle a beat. Beyond MOST hosts a further one is ignored."""
        if beat.node == self._node:
            self.own = now
        elif beat.ends:
            self._heard.pop(beat.node, None)
        elif beat.node in self._heard or len(self._heard) < MOST:
            last = self._heard.get(beat.node)
            aheads = () if last is None else last.aheads[1 - CLOCK_BEATS :]
            self._heard[beat.node] = _Heard(beat, now, (*aheads, beat.time - wall))

    def advance(self, now: float) -> list[str]:
        """Remove hosts that were silent for too long; returns them."""
        gone = [node for node, one in self._heard.items() if one.at + DEAD <= now]
        for node in gone:
            del self._heard[node]
        return gone

    @property
    def nodes(self) -> set[str]:
        """Nodes of all hosts but this one."""
        return set(self._heard)

    def owner(self) -> str:
        """Return the node that owns the room: one that accepts sessions, if any does."""
        there = {node: one.beat.share.serves for node, one in self._heard.items() if one.beat.share.room == ROOM}
        there[self._node] = self.serves
        return max(there, key=lambda node: (there[node], order(node)))

    @property
    def owners(self) -> set[str]:
        """Nodes that the others take for the owner, among those of this version of the room."""
        return {one.beat.share.owner for one in self._heard.values() if one.beat.share.room == ROOM}

    @property
    def apart(self) -> int:
        """Number of hosts that have another room, because they send rows or records in no version of this release."""
        return sum(one.beat.share.room != ROOM for one in self._heard.values())

    def others(self, now: float) -> list[Host]:
        """Return the known hosts, by their nodes."""
        return [
            Host(
                node, one.beat.address, one.beat.version, _state(one, now), one.beat.people, max(one.aheads), one.writes
            )
            for node, one in sorted(self._heard.items())
        ]

    def open(self, now: float) -> list[tuple[str, Post]]:
        """Return the workers of other hosts to which sessions may move, each with its node."""
        heard = [(node, one.beat) for node, one in self._heard.items() if _state(one, now) == SERVING]
        return [
            (node, post) for node, beat in heard for post in beat.share.posts if not post.fixed and not post.leaving
        ]

    @property
    def people(self) -> int:
        """Number of sessions of all other hosts."""
        return sum(one.beat.people for one in self._heard.values())


@lru_cache(2 * MOST)
def order(node: str) -> bytes:
    """Return the rank of a node: the last one by this owns the room."""
    return blake2b(node.encode(), digest_size=8).digest()


def _state(one: _Heard, now: float) -> str:
    return SILENT if one.at + SUSPECT <= now else DRAINING if one.beat.share.leaves else SERVING


def read(fields: Any) -> Beat | None:
    """Decode a beat; None: it is damaged. Unknown fields are a newer release's, and are skipped."""
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
    """Return versions of records; None: damaged. A release that sends none has those of this one."""
    match fields.get("records", [OLDEST, VERSION]):
        case [int(oldest), int(newest)] if 0 < oldest <= newest:
            return oldest, newest
    return None


def _read_share(fields: Mapping[str, Any]) -> Share | None:
    """Return a share, of another version only that version; None: damaged."""
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
