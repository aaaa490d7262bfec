"""Give the hosts of a cluster one waiting room: the hub that owns the room matches the users of all hosts, and every other hub forwards rows
(tickets, matches) between its workers and the owner. This module does no input or output.

**Invariant:** after a lost message or a change of owner the workers submit their tickets again. If two rooms have the same ticket for a moment,
the worker that has the session decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import orjson

from engine.engine import Thresholds
from engine.rooms import hub_messages
from engine.rooms.hub import Hub
from engine.rooms.hub_message_checks import sound, sound_answer
from engine.rooms.hub_messages import Row
from engine.rooms.hub_records import unpack
from engine.rooms.meeting_placement import HOST_BITS
from server.fleet.cluster import waiting_room_messages
from server.fleet.cluster.membership import MOST, Beat, Post, Share
from server.fleet.cluster.waiting_room_messages import ROOM, Arrival, Batch, InboundStream, OutboundStream
from server.ops.metrics.cluster_metrics import UNREADABLE, WAYS
from server.ops.metrics.metric_type import Reading

BARS: Final = "bars"  # the subject of reports
SIGN_EVERY: Final = (
    0.25  # seconds: a stream idle for so long sends an empty message, so that the loss of the last one is noticed
)
LATER: Final = 0.01  # seconds until an unaccepted message is tried again
WORKER: Final = (1 << HOST_BITS) - 1


class SharedRoom:
    """Shared room of one hub. `tell`, `tell_records`: send rows, or messages of records (`Outbox`), to a worker of this host, by its number; `say`:
    sends a message to a host.

    `ready`: whether messages are accepted now; `hide`: returns a pseudonym of a network.

        my workers ── rows ──► owner here: my `Hub`            owner elsewhere: its stream (`waiting_room_messages`) ──► the `Hub` there
                   ◄── rows ── my `Hub`                                         its stream back             ◄──

    `Membership.owner` decides the owner. A loss between two hubs, and a change of owner, both end in one message to the workers: AGAIN. Recent
    partners stay with the owner that learned of them; each ticket brings its own last ones. Reports are broadcast to all hubs, so that the next
    owner keeps those pairs apart too. Networks of reporters leave this host as pseudonyms. `tell` and `say` call nothing back; call `flush` after
    all else. `now`: monotonic seconds.
    """

    def __init__(
        self,
        node: str,
        hub: Hub,
        thresholds: Thresholds,
        life: int,
        tell: Callable[[int, list[Row]], None],
        tell_records: Callable[[int, list[bytes]], None],
        say: Callable[[str, bytes], None] = lambda _, __: None,
        ready: Callable[[], bool] = lambda: True,
        hide: Callable[[str], str] = str,
    ) -> None:
        """`life`: drawn by this process; `node`: empty: there is no other host."""
        self.hub = hub
        self.owner = self.node = node
        self.epoch = 0
        self.tally: Counter[str] = Counter()  # received: gaps, stale, unreadable, apart; bytes and messages, in and out
        self._figures: dict[str, Any] = {}  # of the room, by the owner's last beat
        self._thresholds = thresholds
        self._life = life
        self._tell, self._tell_records, self.say, self.ready, self.hide = tell, tell_records, say, ready, hide
        self._here = int(node or "0", 16) << HOST_BITS
        self._mine: dict[int, Post] = {}  # workers of this host, by number
        self._guests: dict[str, set[int]] = {}  # hosts whose users wait here, and their workers
        self._outs: dict[str, OutboundStream] = {}
        self._ins: dict[str, InboundStream] = {}
        self._there: set[str] = set()  # hosts that are alive
        self._begun = 0

    @property
    def owns(self) -> bool:
        """Whether the room is here."""
        return self.owner == self.node

    def _is_away(self) -> bool:
        """Whether so much is queued to the room that no further user may wait."""
        out = self._outs.get(self.owner)
        return out is not None and out.rows > waiting_room_messages.WAITING_MAX

    def share(self, now: float) -> Share:
        """Return the share for the beat of this host."""
        posts = tuple([self._mine[number] for number in sorted(self._mine)])
        if not self.owns:
            return Share(ROOM, self.owner, posts)
        return Share(ROOM, self.owner, posts, self.hub.room.spy_sizes(), self.hub.room.spy_waits(now))

    def reading(self) -> Reading:
        """Return the metrics."""
        tally = self.tally
        return {
            "serendip_hub_owner": float(self.owns),
            "serendip_hub_owners_changed": self.epoch,
            "serendip_cluster_gaps": tally["gaps"],
            "serendip_cluster_batches": {(way,): tally[f"messages_{way}"] for way in WAYS},
            "serendip_cluster_batch_bytes": {(way,): tally[f"bytes_{way}"] for way in WAYS},
            "serendip_cluster_unreadable": {(why,): tally[why] for why in UNREADABLE},
        }

    def there(self, now: float) -> dict[str, Any]:
        """Return figures of the whole room, for the workers (`RemoteRoom.there`)."""
        if not self.owns:
            return {**self._figures, "away": self._is_away()}
        return {"spy_sizes": self.hub.room.spy_sizes(), "spy_waits": self.hub.room.spy_waits(now)}

    # workers of this host

    def joined(self, number: int, fixed: bool, leaving: bool) -> None:
        """Add a worker; it hands in its tickets by itself."""
        self._mine[number] = Post(number & WORKER, 0, fixed, leaving)
        if self.owns:
            self._enter(number, self._mine[number])

    def gone(self, number: int, now: float) -> None:
        """Remove a dead worker."""
        self._mine.pop(number, None)
        if self.owns:
            self.hub.gone(number, now)
        else:
            self._out(self.owner).up(number & WORKER, None)

    def leaves(self, number: int, leaving: bool) -> None:
        """Note whether a worker accepts no sessions."""
        post = self._mine.get(number)
        if post is not None:
            self._mine[number] = post._replace(leaving=leaving)
            if self.owns:
                self._leaves(number, leaving)

    def load(self, number: int, people: int) -> None:
        """Note how many sessions a worker has."""
        post = self._mine.get(number)
        if post is not None:
            self._mine[number] = post._replace(people=people)
            if self.owns:
                self.hub.load(number, people)

    def rows(self, number: int, rows: list[Row], now: float) -> None:
        """Pass rows of a worker to the room. Raises TypeError, ValueError."""
        if self.node:
            rows = [self._barred(row, now) if row[0] == hub_messages.BAR else row for row in rows]
        if self.owns:
            self.hub.told(number, rows, now)
        else:
            self._out(self.owner).up(number & WORKER, rows)

    def records(self, number: int, data: bytes, now: float) -> None:
        """Pass rows of a worker to the room, encoded by `engine.rooms.hub_records`. Raises TypeError, ValueError."""
        if self.node:
            self.rows(number, unpack(data), now)
        else:
            self.hub.read(number, data, now)

    def _barred(self, row: Row, now: float) -> Row:
        """Broadcast a report, in the form in which it leaves this host: to all hubs, this one too."""
        kind, person, partner, networks = row
        found = [kind, person, partner, [self.hide(network) for network in networks]]
        self.say(BARS, orjson.dumps(found))
        if not self.owns:
            self.hub.told(0, [found], now)
        return found

    def bars(self, body: bytes, now: float) -> None:
        """Handle a report of another hub."""
        try:
            row = orjson.loads(body)
        except ValueError:
            row = None
        if not sound(row) or row[0] != hub_messages.BAR:
            self.tally["unreadable"] += 1
            return
        self.hub.told(0, [row], now)

    # other hosts

    def heard(self, beat: Beat, now: float) -> None:
        """Handle a beat of another host."""
        share = beat.share
        self._there.add(beat.node)
        if share.owner == self.node and share.room == ROOM and not beat.ends:
            self._welcome(beat, now)
        else:
            self._part(beat.node, now)
        if beat.node == self.owner:
            self._figures = {"spy_sizes": share.sizes, "spy_waits": share.waits}

    def lost(self, node: str, now: float) -> None:
        """Remove a host that is gone. If it is the owner, call `own` at once: no stream leads to the owner until then."""
        self._part(node, now)
        self._there.discard(node)
        self._outs.pop(node, None)
        self._ins.pop(node, None)

    def own(self, owner: str, now: float) -> None:
        """Follow the owner of the room; after a change all tickets are handed in there."""
        if owner == self.owner:
            return
        did = self.owns
        self.epoch += 1
        if self.owner not in self._guests:
            self._outs.pop(self.owner, None)
        self.owner = owner
        self._figures = {}
        if did:
            self._clear()
        if self.owns:
            for number, post in self._mine.items():
                self._enter(number, post)
        else:
            self._begin(owner)
        self._again()

    def came(self, body: bytes, now: float) -> None:
        """Handle a message of another host."""
        self.tally["messages_in"] += 1
        self.tally["bytes_in"] += len(body)
        batch = waiting_room_messages.read(body)
        if batch is None or batch.room != ROOM or batch.node == self.node:
            self.tally["unreadable" if batch is None or batch.room == ROOM else "apart"] += 1
            return
        stream = self._ins.get(batch.node)
        if stream is None:
            if len(self._ins) >= MOST:
                self.tally["unreadable"] += 1
                return
            stream = self._ins[batch.node] = InboundStream()
        known, what = stream.known, stream.came(batch, now)
        if what is Arrival.STALE:
            self.tally["stale"] += 1
            return
        if what is Arrival.GAP or (what is Arrival.BEGUN and known):
            self._missed(batch, what, now)
        elif batch.missed and batch.node == self.owner:
            self._again()
        self._take(batch, now)

    def _missed(self, batch: Batch, what: Arrival, now: float) -> None:
        """Handle a loss in the stream of a host, or a new beginning of it."""
        node = batch.node
        if what is Arrival.GAP:
            self.tally["gaps"] += 1
        self._part(node, now, forget=False)
        if what is Arrival.GAP and node != self.owner:
            self._out(node).missed = True  # its workers hand in their tickets again
        if node == self.owner:
            self._again()

    def _take(self, batch: Batch, now: float) -> None:
        host = int(batch.node, 16) << HOST_BITS
        for worker, rows in batch.up:
            number = host | worker
            if rows is None:
                self._leave(batch.node, number, now)
                continue
            if number not in self._guests.get(batch.node, ()):
                self._guest(batch.node, Post(worker, 0, worker == 0, False))
            self.hub.told(number, self._sound(rows, sound), now)
        if batch.node != self.owner:
            return
        for worker, rows in batch.down:
            if rows and self._here | worker in self._mine:
                self._tell(self._here | worker, self._sound(rows, sound_answer))

    def _sound(self, rows: list[Row], check: Callable[[Any], bool]) -> list[Row]:
        found = [row for row in rows if check(row)]
        self.tally["unreadable"] += len(rows) - len(found)
        return found

    # output

    def flush(self, now: float) -> float | None:
        """Send what may be sent; returns when there is more of that, None: never."""
        for number, outbox in self.hub.out.items():
            if outbox.rows:
                if number & ~WORKER == self._here:
                    self._tell_records(number, outbox.take())
                else:
                    self._out(f"{number >> HOST_BITS:010x}").down(number & WORKER, outbox.take_rows())
        due: float | None = None
        for node, out in list(self._outs.items()):
            if out.waits:
                if out.due(now) <= now and not self._held(node, out, now):
                    self._send(node, out, now)
                if out.waits and (due is None or out.due(now) < due):
                    due = out.due(now)
        return due

    def sign(self, now: float) -> None:
        """Send an empty message on each idle stream: call it each SIGN_EVERY."""
        for node in [node for node in self._ins if node not in self._there]:
            self.lost(node, now)  # it ended, or never announced itself
        for node, out in list(self._outs.items()):
            if node != self.owner and node not in self._guests:
                del self._outs[node]
            elif self.ready() and not out.waits and (out.sent is None or out.sent + SIGN_EVERY <= now):
                self._send(node, out, now)

    def _send(self, node: str, out: OutboundStream, now: float) -> None:
        for data in out.take(now):
            self.say(node, data)
            self.tally["messages_out"] += 1
            self.tally["bytes_out"] += len(data)

    def _held(self, node: str, out: OutboundStream, now: float) -> bool:
        """Whether nothing may be sent now. What is queued for too long is dropped."""
        if self.ready():
            return False
        out.wait(now + LATER)
        if out.rows > waiting_room_messages.DROPPED_AT:
            self._begin(node)
            if node == self.owner:
                self._again()
        return True

    # inner

    def _again(self) -> None:
        for number in self._mine:
            self._tell(number, [[hub_messages.AGAIN]])

    def _enter(self, number: int, post: Post) -> None:
        self.hub.joined(number, post.people, post.fixed, guest=number not in self._mine)
        if post.leaving:
            self.hub.leaves(number)

    def _leaves(self, number: int, leaving: bool) -> None:
        if leaving:
            self.hub.leaves(number)
        else:
            self.hub.stays(number)

    def _guest(self, node: str, post: Post) -> None:
        number = int(node, 16) << HOST_BITS | post.worker
        self._guests.setdefault(node, set()).add(number)
        self._enter(number, post)

    def _welcome(self, beat: Beat, now: float) -> None:
        """Add, update and remove the workers of a host whose users wait here."""
        host = int(beat.node, 16) << HOST_BITS
        there = self._guests.get(beat.node, set())
        for post in beat.share.posts:
            number = host | post.worker
            if number not in there:
                self._guest(beat.node, post)
                continue
            self.hub.load(number, post.people)
            if (number in self.hub.leaving) != post.leaving:
                self._leaves(number, post.leaving)
        for number in there - {host | post.worker for post in beat.share.posts}:
            self._leave(beat.node, number, now)

    def _leave(self, node: str, number: int, now: float) -> None:
        """Remove a dead worker of another host."""
        if number in self._guests.get(node, ()):
            self._guests[node].discard(number)
            self.hub.gone(number, now)

    def _part(self, node: str, now: float, forget: bool = True) -> None:
        """Remove all workers of a host. `forget`: its next message has a gap before it."""
        for number in self._guests.pop(node, ()):
            self.hub.gone(number, now)
            if forget and node in self._ins:
                self._ins[node].lost()

    def _clear(self) -> None:
        """Empty the room, which is elsewhere now, and notify the hosts that have tickets here."""
        guests, self._guests = self._guests, {}
        self.hub = self.hub.anew(self._thresholds)
        for node in guests:
            self._guests[node] = set()
            self._out(node).missed = True

    def _begin(self, node: str) -> None:
        self._begun += 1
        self._out(node).begin(self._begun)

    def _out(self, node: str) -> OutboundStream:
        out = self._outs.get(node)
        if out is None:
            out = self._outs[node] = OutboundStream(self.node, self._life)
            self._begun += 1
            out.begin(self._begun)
        return out
