"""Ask another host to drop its copies of sessions that this host kept, because their migration failed.

The request is repeated until the host answers, for 15 s at most: such copies expire by then. A copy that moved on meanwhile is followed: the
process that had it names the next one.
**Invariant:** if a client resumed the copy meanwhile, the copy stays, and the session here ends; one that left this process meanwhile is followed
as a copy is, and ends. So that no client resumes both, one that resumes the session here waits until the host has answered, for
DOUBTED_FOR at most. The doubt moves with the session to another process of this host, which does not hear the answer: there it lasts so long.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from server.fleet.cluster.known_nodes import Hosts
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.realtime.worker.worker_loop import Worker

FOR: Final = 15.0  # seconds
WITHIN: Final = 2.0  # seconds for one answer
AGAIN: Final = 0.25  # seconds until it is repeated
DOUBTED_FOR: Final = 5.0  # seconds: longer than two requests that are not answered
FIELD: Final = "doubted"  # of a session's record: seconds left
HEARD_WITHIN: Final = 2.0  # seconds until a host that lives is known again: a hub that has just started knows none


class Copies(NamedTuple):
    """Copies that one process may have. `address`: used as long as the hub names no other, empty: unknown; `who`: as the request names
    them; `are_ours`: they are the sessions that were kept here, whose copies stay.
    """

    node: str
    worker: int
    address: str
    people: Sequence[tuple[int, int]]
    who: Mapping[str, Any]
    are_ours: bool = False


class StaleCopies:
    """Requests of one process to forget. Call it in the loop. `node`, `number`: its own; `address`: of this host, of which another process may
    have a copy too. A copy is followed to this process too, if the session left it meanwhile (no process accepts a session that it has).
    """

    def __init__(
        self,
        node: str,
        number: int,
        address: str,
        hosts: Hosts,
        asker: RpcClient,
        worker: Worker,
        forwarding: ForwardingTable,
        settled: Callable[[int], None],
    ) -> None:
        """`settled`: called with the id of a session that is not doubted any more."""
        self._node = node
        self._number = number
        self._address = address
        self._hosts = hosts
        self._asker = asker
        self._worker = worker
        self._forwarding = forwarding
        self._settled = settled
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids: Counter[int] = Counter()
        self._doubts: set[asyncio.Task[None]] = set()
        self._doubted: dict[int, list[float]] = {}  # monotonic seconds until when at most, of each doubt, by session
        self.asked = self.unanswered = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, id: int) -> bool:
        """Whether another process may still have a copy of a session: until that is known it does not move to another host."""
        return id in self._ids

    def is_doubted(self, id: int) -> bool:
        """Whether a client may have resumed a copy of a session: until that is known, or has been asked for long, it is not resumed here."""
        return id in self._doubted

    def ask(self, node: str, worker: int, address: str, people: Sequence[tuple[int, int]], nonce: bytes = b"") -> None:
        """Ask a process to forget. `people`: ids and keys of sessions that moved there; `nonce`: of the request by which they did, if that was a
        moment ago; `address`: used as long as the hub names no other, empty: unknown. A host without an address gets no further request.
        """
        self.asked += 1
        ids = [id for id, _ in people]
        self._ids.update(ids)
        who: Mapping[str, Any] = {"nonce": nonce.hex()} if nonce else {"people": people}
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._ask(Copies(node, worker, address, people, who)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, ids))
        self._begin_doubt(ids, DOUBTED_FOR, task)

    # doubts

    def pack(self, people: Sequence[dict[str, Any]]) -> None:
        """Add the doubts of sessions that move to another process of this host to their records."""
        if not self._doubted:
            return
        now = time.monotonic()
        for one in people:
            if one["id"] in self._doubted:
                one[FIELD] = max(self._doubted[one["id"]]) - now

    def unpack(self, people: Sequence[Mapping[str, Any]]) -> None:
        """Doubt the sessions that another process of this host doubted, which asks for their copies."""
        for one in people:
            if FIELD in one:
                self._begin_doubt([one["id"]], one[FIELD])

    def _begin_doubt(self, ids: Sequence[int], within: float, asking: asyncio.Task[None] | None = None) -> None:
        """Doubt sessions for so many seconds, or until `asking` ends."""
        until = time.monotonic() + within
        for id in ids:
            self._doubted.setdefault(id, []).append(until)
        doubt = asyncio.get_running_loop().create_task(self._doubt(ids, until, within, asking))
        self._doubts.add(doubt)
        doubt.add_done_callback(self._doubts.discard)

    async def _doubt(self, ids: Sequence[int], until: float, within: float, asking: asyncio.Task[None] | None) -> None:
        if asking is None:
            await asyncio.sleep(within)
        else:
            await asyncio.wait((asking,), timeout=within)
        for id in ids:
            doubts = self._doubted[id]
            doubts.remove(until)
            if not doubts:
                del self._doubted[id]
                self._settled(id)

    # requests

    def _over(self, ids: Sequence[int], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        _count_less(self._ids, ids)

    def close(self) -> None:
        """Ask no more."""
        for task in (*self._tasks, *self._doubts):
            task.cancel()

    async def _ask(self, first: Copies) -> None:
        """Ask a process, and then each to which the copies moved on."""
        begun, acknowledged, left = time.monotonic(), self._forwarding.acknowledged, deque([first])
        while time.monotonic() < begun + FOR:
            if not self._address_of(left[0]) and time.monotonic() >= begun + HEARD_WITHIN:
                break
            answer = await self._answer(left[0])
            if answer is not None:
                asked = left.popleft()
                left.extend(self._end(asked, [row for row in answer if type(row) is int], acknowledged))
                left.extend(self._followed(asked, [row for row in answer if type(row) is list], acknowledged))
                if not left:
                    return
            await asyncio.sleep(AGAIN)
        self.unanswered += 1

    async def _answer(self, copies: Copies) -> Sequence[Any] | None:
        """Return the answer of one process, empty if it is gone; None: it is to be asked again."""
        address = self._address_of(copies)
        if not address:
            return None
        body = orjson.dumps({"node": copies.node, "worker": copies.worker, **copies.who})
        try:
            answer = await self._asker.ask(address, Kind.FORGET, body, within=WITHIN)
        except HostRefused as refused:
            return [] if refused.status in (Status.NO, Status.VERSION) else None
        except HostAway:
            return None
        found: list[Any] = orjson.loads(answer)
        return found

    def _address_of(self, copies: Copies) -> str:
        host = self._hosts.at(copies.node)
        return copies.address if host is None else host.address

    def _followed(self, asked: Copies, rows: Sequence[Sequence[Any]], acknowledged: int) -> Iterator[Copies]:
        """Yield what is to be asked next. `rows`: of sessions that moved on: id, node and number of the process; `acknowledged`: see `_end`."""
        keys = dict(asked.people)
        for id, node, worker in rows:
            is_own = (node, worker) == (self._node, self._number)
            if id not in keys or (is_own and not self._forwarding.left_since(id, acknowledged)):
                continue
            people = [(id, keys[id])]
            address = self._address if node == self._node else asked.address
            yield Copies(node, worker, address, people, {"people": people}, asked.are_ours)

    def _end(self, asked: Copies, kept: Sequence[int], acknowledged: int) -> list[Copies]:
        """End the sessions whose copies a process keeps, unless they were resumed. Return those that left since this process began to ask, which are
        to end too. `acknowledged`: see `ForwardingTable`, then.
        """
        if asked.are_ours:  # they were resumed there
            return []
        engine, away = self._worker.engine, list[tuple[int, int]]()
        for id, key in asked.people:
            session = engine.sessions.get(id)
            if id not in kept:
                continue
            if session is None and (self._forwarding.is_under_way(id) or self._forwarding.left_since(id, acknowledged)):
                away.append((id, key))
            elif session is not None and session.key == key:
                self._worker.act(partial(engine.forsake, session))
        if not away:
            return []
        return [Copies(self._node, self._number, self._address, away, {"people": away}, are_ours=True)]


def _count_less(counts: Counter[int], ids: Sequence[int]) -> None:
    """Count each once less, and leave no zero: `counts += Counter()` looks at all, for each of the thousands of a host that died."""
    for id in ids:
        if counts[id] > 1:
            counts[id] -= 1
        else:
            del counts[id]
