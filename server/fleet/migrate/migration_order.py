"""Choose which group of sessions migrates next when all sessions are to leave a process. A group is a chat's sessions, or single waiting ones.

**Invariant:** sessions outside a chat move before chats, and the sessions of a chat move together. A group is released only when it can be sent
at once, so that no session waits in a queue.
"""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.migrate.transfer import Exports, GroupTransfer, Stage, Target, Transfer
from server.realtime.worker.tunnel_interface import ReleasedTunnel

RATE: Final = 3_500.0  # sessions a second: the 99.9th percentile of a line is then what it is without a migration
BATCH: Final = 16  # sessions in one message, and as many more as the last chat has; more cost less each, and are out of service for longer
AGAIN: Final = 0.005  # seconds until sessions that could not move are tried again
TUNNELS_WITHIN: Final = (
    8.0  # seconds for visitors on their way back by a tunnel; clients that cannot move by then reconnect by themselves
)
PATIENCE: Final = 3.0  # seconds after which a session that cannot move stays, and its client must return by itself


class ProcessTarget(Target, Protocol):
    """Target that takes also newcomers and tunnels: a process of this host."""

    def post(self, transfer: Transfer, kind: Kind, *records: Any, pieces: Sequence[bytes]) -> None:
        """Send something else than sessions. Raises LinkDown: it was put back."""


class MigrationOrder:
    """Order in which the sessions of one process move to `target`; newcomers and tunnels move to `others`, None: they stay.

    Few groups are under way at a time; each is released and sent between two turns of the loop, and none while the worker has a turn put off, so
    that a chat waits for no other session's migration. Several sessions share a message, because a message costs more than ten sessions in it.
    """

    def __init__(self, exports: Exports, target: Target, cause: str, others: ProcessTarget | None) -> None:
        self._exports = exports
        self._worker = exports.worker
        self._target = target
        self._cause = cause
        self._others = others
        self._wanted: deque[int] = deque()  # sessions that a client asks for at the target
        self._unmovable: set[int] = set()
        self._alone: Counter[int] = Counter()  # refusals, by session: each group is sent alone, the fewest first
        self._since: dict[int, float] = {}  # monotonic seconds since when a session could not move
        self._stuck: float | None = None  # monotonic seconds since when no tunnel could move

    @property
    def stayed(self) -> int:
        """Number of sessions that could not move."""
        return len(self._unmovable & self._worker.engine.sessions.keys())

    async def move(self) -> None:
        """Move all sessions but those that cannot move. Raises LinkDown."""
        begun, moved, worker = time.monotonic(), 0, self._worker
        while True:
            self._newcomers()
            order = sorted(filter(self._may, worker.engine.moves.order()), key=self._alone.__getitem__)
            if self._is_over(order):
                return
            before, left = moved, iter(order)
            while True:
                while worker.busy:  # noqa: ASYNC110 - a turn is put off for one round of the loop
                    await asyncio.sleep(0)
                ids = self._next(left)
                if not ids:
                    break
                moved += self._send(ids)
                self._newcomers()
                await self._target.room()
                await asyncio.sleep(max(0.0, begun + moved / RATE - time.monotonic()))
            while gone := self._tunnels():
                moved += gone
                await asyncio.sleep(max(0.0, begun + moved / RATE - time.monotonic()))
            if moved == before:
                await asyncio.sleep(AGAIN)

    def _may(self, id: int) -> bool:
        """Whether a session of this process is to move."""
        return id not in self._unmovable

    def _is_over(self, order: Sequence[int]) -> bool:
        """Whether nothing is left to move. `order`: sessions that are still to move."""
        return not order and (self._others is None or not (self._worker.reactor.newcomers or self.tunnels))

    def _next(self, left: Iterator[int]) -> list[int]:
        """Choose the sessions of one message: those that are asked for, then those of `left`; a chat is never divided."""
        sessions, group = self._worker.engine.sessions, self._worker.engine.moves.group
        batch: dict[int, None] = {}
        while len(batch) < BATCH:
            id = self._wanted.popleft() if self._wanted else next(left, None)
            if id is None:
                break
            if id not in sessions or not self._may(id):
                continue
            if batch and id in self._alone and id not in batch:
                self._wanted.appendleft(id)
                break
            batch.update(dict.fromkeys(group(id)))
            if id in self._alone:
                break
        return list(batch)

    def _send(self, ids: Sequence[int]) -> int:
        """Send these sessions; returns how many moved. Groups that cannot move now stay for the next round, the others move without them."""
        if self._try(ids):
            return len(ids)
        moved = 0
        for group in dict.fromkeys(map(self._worker.engine.moves.group, ids)):
            if self._try(group):
                moved += len(group)
            else:
                self._stays(group)
        return moved

    def _try(self, ids: Sequence[int]) -> bool:
        """Send all of these sessions, or none."""
        return self._exports.transfer(ids, self._target, self._cause, self.on_end)

    def on_end(self, transfer: GroupTransfer) -> None:
        """Keep a group here that the target refused: it cannot read it, or has a session of it. Several groups are sent again, each alone."""
        if transfer.stage == Stage.REFUSED and transfer.came:
            ids = {session.id for session in transfer.came}
            is_one = ids.issubset(self._worker.engine.moves.group(transfer.came[0].id))
            (self._unmovable if is_one else self._alone).update(ids)

    def _stays(self, group: Sequence[int]) -> None:
        now = time.monotonic()
        for id in group:
            if now - self._since.setdefault(id, now) > PATIENCE:
                self._unmovable.update(group)

    def want(self, id: int | None) -> bool:
        """Move this session next, because a client asks for it at the target; False: it is not here, or cannot move."""
        if id is None or id not in self._worker.engine.sessions or id in self._unmovable:
            return False
        self._wanted.append(id)
        return True

    # beside sessions

    @property
    def tunnels(self) -> bool:
        """Whether tunnels are here that may still move. Clients whose tunnels cannot for long must return by themselves, at the end."""
        if not len(self._worker.tunnels):
            self._stuck = None
            return False
        self._stuck = self._stuck or time.monotonic()
        return time.monotonic() - self._stuck <= TUNNELS_WITHIN

    def _tunnels(self) -> int:
        """Move some tunnels; returns how many moved."""
        went = () if self._others is None else self._worker.tunnels.release(BATCH)
        if not went or self._others is None:
            return 0
        self._stuck = None
        transfer = Transfer(
            partial(self._tunnels_back, went), [one for leaves in went for one in (leaves.client, leaves.home)]
        )
        self._others.post(transfer, Kind.TUNNEL, *[one.record for one in went], pieces=[one.data for one in went])
        return len(went)

    def _tunnels_back(self, tunnels: Sequence[ReleasedTunnel]) -> None:
        """Put tunnels back that the target did not take."""
        for one in tunnels:
            self._worker.tunnels.take(one)
        self._worker.act(lambda _: None)

    def _newcomers(self) -> None:
        """Move connections of which no request was read yet."""
        reactor = self._worker.reactor
        if (
            self._others is None or not reactor.newcomers
        ):  # to find none it would look at every connection, for each message
            return
        cut: LinkDown | None = None
        for descriptor, address, begun in reactor.newcomers_out():
            transfer = Transfer(partial(self._stay_new, descriptor, address, begun), [descriptor])
            try:
                self._others.post(transfer, Kind.NEWCOMER, address, pieces=[begun])
            except LinkDown as error:
                cut = error
        if cut is not None:
            raise cut

    def _stay_new(self, descriptor: int, address: str, begun: bytes) -> None:
        with contextlib.suppress(OSError):  # no memory, or no descriptor is left; it is closed
            self._worker.reactor.adopt_socket(descriptor, address, begun, True)
