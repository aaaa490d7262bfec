"""Ask another host to drop its copies of sessions that this host kept, because their migration failed.

The request is repeated until the host answers, for 15 s at most: such copies expire by then.
**Invariant:** if a client resumed the copy meanwhile, the copy stays, and the session here ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson

from server.fleet.cluster.known_nodes import Hosts
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.realtime.worker.worker_loop import Worker

FOR: Final = 15.0  # seconds
WITHIN: Final = 2.0  # seconds for one answer
AGAIN: Final = 0.25  # seconds until it is repeated


class StaleCopies:
    """Requests of one process to forget. Call it in the loop."""

    def __init__(self, hosts: Hosts, asker: RpcClient, worker: Worker) -> None:
        self._hosts = hosts
        self._asker = asker
        self._worker = worker
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids: Counter[int] = Counter()
        self.asked = self.unanswered = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, id: int) -> bool:
        """Whether another host may still have a copy of a session: until that is known it does not move."""
        return id in self._ids

    def ask(self, node: str, worker: int, address: str, people: Sequence[tuple[int, int]], nonce: bytes = b"") -> None:
        """Ask a process to forget. `people`: ids and keys of sessions that moved there; `nonce`: of the request by which they did, if that was a
        moment ago; `address`: used as long as the hub names no other.
        """
        self.asked += 1
        who = {"nonce": nonce.hex()} if nonce else {"people": people}
        self._ids.update([id for id, _ in people])
        task = asyncio.get_running_loop().create_task(
            self._ask(node, address, orjson.dumps({"node": node, "worker": worker, **who}), people)
        )
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, people))

    def _over(self, people: Sequence[tuple[int, int]], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ids.subtract([id for id, _ in people])
        self._ids += Counter()  # drops zero counts

    def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()

    async def _ask(self, node: str, address: str, body: bytes, people: Sequence[tuple[int, int]]) -> None:
        until = time.monotonic() + FOR
        while time.monotonic() < until:
            host = self._hosts.at(node)
            try:
                kept = orjson.loads(
                    await self._asker.ask(host.address if host else address, Kind.FORGET, body, within=WITHIN)
                )
            except HostRefused as refused:
                if refused.status in (Status.NO, Status.VERSION):  # that process is gone
                    return
            except HostAway:
                pass
            else:
                self._end(people, kept)
                return
            await asyncio.sleep(AGAIN)
        self.unanswered += 1

    def _end(self, people: Sequence[tuple[int, int]], kept: Sequence[int]) -> None:
        """End the sessions that the other host keeps, unless they were resumed here."""
        engine = self._worker.engine
        for id, key in people:
            session = engine.sessions.get(id)
            if id in kept and session is not None and session.key == key:
                self._worker.act(partial(engine.forsake, session))
