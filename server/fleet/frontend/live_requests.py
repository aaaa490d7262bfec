"""Send an operator's request to all processes of this host and to all other hosts, and gather the answers.

`server.realtime.worker.live_sessions` answers it in each process. The statements to all users (`server.ops.health.service_state`) take the same way:
to all at once, to a process or host that appears, and to a random host every EXCHANGE seconds, in case a message was lost.
**Invariant:** a process or host that does not answer in time is named in the result, and delays it by WITHIN seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from server.fleet.cluster.known_nodes import Hosts
from server.fleet.cluster.membership import Host
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Handler, Peers
from server.fleet.rpc.rpc_client import HostAway, RpcClient
from server.fleet.rpc.rpc_envelope import Kind as Asked
from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops import log
from server.ops.health.service_state import BadStatement
from server.realtime.worker.live_sessions import ROWS_MAX, LiveSessions
from server.trust.moderators.live_operations import Answered

WITHIN: Final = 2.0  # seconds for an answer
LONGER: Final = 1.0  # seconds more for another host, which waits for its own processes
EXCHANGE: Final = 15.0  # seconds between two exchanges of statements with a random host
Json = Mapping[str, Any]


def answers(peers: Callable[[], Peers], answer: Callable[[Json], Json]) -> Callable[[str, Message], None]:
    """Return a process's handler of Kind.LIVE."""

    def handle(name: str, message: Message) -> None:
        number, request = message.records
        body = answer(request)
        if number:
            peers().send(name, Kind.LIVED, number, body)

    return handle


def answer_about_log(request: Json) -> Json:
    """Answer a request in a process without sessions: it has a log level alone."""
    match request:
        case {"do": "log", "group": str(group), "level": str(level)}:
            try:
                log.set_level(group, level)
            except log.BadLevel as bad:
                return {"error": str(bad)}
            return {"done": True}
    return {}


class LiveRequests:
    """Requests of one frontend. `asker`: None without other hosts; `own`: returns the sessions of this process. Make it in the loop."""

    def __init__(
        self, peers: Callable[[], Peers], own: Callable[[], LiveSessions], hosts: Hosts, asker: RpcClient | None = None
    ) -> None:
        self._peers = peers
        self._own = own
        self._hosts = hosts
        self._asker = asker
        self._number = 0
        self._waiting: dict[int, dict[str, asyncio.Future[Json]]] = {}  # by number and process
        self._nodes: set[str] = set()  # of the hosts that have this host's statements
        self._tasks: set[asyncio.Task[None]] = set()
        self.handlers: dict[int, Handler] = {Kind.LIVED: self._answered}

    # processes of this host

    def joined(self, name: str) -> None:
        """Send a new process the statements, and whether the database is away."""
        own = self._own()
        if own.rows:
            self._peers().send(name, Kind.LIVE, 0, {"do": "service", "rows": own.rows})
        if own.store_away:
            self._peers().send(name, Kind.LIVE, 0, {"do": "store", "away": True})

    def dead(self, name: str) -> None:
        """Wait no more for a process."""
        for waiting in self._waiting.values():
            if name in waiting:
                waiting[name].cancel()

    def _answered(self, name: str, message: Message) -> None:
        number, body = message.records
        told = self._waiting.get(number, {}).get(name)
        if told is not None and not told.done():
            told.set_result(body)

    async def ask_here(self, request: Json) -> list[Answered]:
        """Ask all processes of this host, and during an upgrade those of the old generation too: each session is in one of both."""
        peers, loop = self._peers(), asyncio.get_running_loop()
        self._number += 1
        number = self._number
        self._waiting[number] = waiting = {name: loop.create_future() for name in (*peers.others, *peers.replaced)}
        try:
            for name, told in waiting.items():
                if peers.send(name, Kind.LIVE, number, request) is None:
                    told.cancel()
            own = Answered("", FRONTEND, self._own().answer(request), "")
            if waiting:
                await asyncio.wait(waiting.values(), timeout=WITHIN)
            return [own, *[_outcome(name, told, name in peers) for name, told in waiting.items()]]
        finally:
            del self._waiting[number]

    # other hosts

    async def ask(self, request: Json) -> list[Answered]:
        """Ask all processes of all hosts."""
        here, *there = await asyncio.gather(
            self.ask_here(request), *[self._ask_host(host, request) for host in self._others()]
        )
        return shortened([*here, *[one for some in there for one in some]])

    def _others(self) -> Sequence[Host]:
        return self._hosts.others if self._asker is not None else ()

    async def _ask_host(self, host: Host, request: Json) -> list[Answered]:
        if self._asker is None:
            return []
        try:
            body = await self._asker.ask(host.address, Asked.LIVE, orjson.dumps(request), within=WITHIN + LONGER)
            return [Answered(host.address, str(name), said, str(why)) for name, said, why in orjson.loads(body)]
        except HostAway as away:
            return [Answered(host.address, "", None, str(away))]
        except (ValueError, TypeError):
            return [Answered(host.address, "", None, "its answer cannot be read")]

    async def answer(self, request: Request) -> Answer:
        """Answer another host's request, with the answers of all processes here."""
        try:
            asked = orjson.loads(request.body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return no("a request is wanted")
        found = shortened(await self.ask_here(asked))
        return Answer(Status.TAKEN, orjson.dumps([[one.process, one.body, one.why] for one in found]))

    # statements to all users

    def hosts_changed(self) -> None:
        """Exchange statements with hosts that are new."""
        others = self._others()
        new = [host for host in others if host.node not in self._nodes]
        self._nodes = {host.node for host in others}
        for host in new:
            task = asyncio.get_running_loop().create_task(self._exchange(host))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _exchange(self, host: Host) -> None:
        """Send a host the statements, and take its own."""
        for one in await self._ask_host(host, {"do": "service", "rows": self._own().rows}):
            rows = None if one.body is None else one.body.get("rows")
            if rows:
                with contextlib.suppress(BadStatement):  # of a later release
                    if self._own().take(rows):
                        await self.ask_here({"do": "service", "rows": self._own().rows})

    async def run(self) -> None:
        """Exchange statements with a random host from time to time, until cancelled."""
        while True:
            await asyncio.sleep(EXCHANGE)
            if others := self._others():
                await self._exchange(random.choice(others))

    def close(self) -> None:
        """Stop exchanges."""
        for task in self._tasks:
            task.cancel()


def _outcome(name: str, told: asyncio.Future[Json], is_linked: bool) -> Answered:
    if told.done() and not told.cancelled():
        return Answered("", name, told.result(), "")
    return Answered("", name, None, "it does not answer" if is_linked and not told.done() else "it has ended")


def shortened(found: Sequence[Answered]) -> list[Answered]:
    """Return answers whose lists have ROWS_MAX rows together: those that are longest in their state."""
    found_rows = [
        (row.get("seconds") or -1.0, at, place) for at, one in enumerate(found) for place, row in enumerate(_rows(one))
    ]
    if len(found_rows) <= ROWS_MAX:
        return list(found)
    kept = {(at, place) for _, at, place in heapq.nlargest(ROWS_MAX, found_rows)}
    return [
        one._replace(body={**one.body, "rows": [row for place, row in enumerate(rows) if (at, place) in kept]})
        if one.body is not None and (rows := _rows(one))
        else one
        for at, one in enumerate(found)
    ]


def _rows(one: Answered) -> Sequence[Json]:
    """Return the rows of a list; none of another answer."""
    found = (one.body or {}).get("rows", ())
    return found if isinstance(found, list) else ()
