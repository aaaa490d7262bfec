"""What a line costs the host at whose door a client is whose session is at another host: its own CPU, beside a pair of one host.

    python -m bench tunnel --keep

Rule: one process plays all, over TCP, and what a reactor takes is the time of this thread's processor within its own turns: people's
sockets are not in it, and each round measures all three, one after the other. A line that does not arrive ends all.
"""

import argparse
import json
import select
import socket
import statistics
import time
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

from bench.server.relaying import TEXT, framed
from bench.support.documents import table
from bench.support.machine import machine
from bench.support.results import write
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.migrate.tunnel_moves import prepare
from ext.net.ring import Rings
from ext.reactor.reactor import Reactor

PEER: Final = "127.0.0.1"
LINE: Final = framed(TEXT)
PATIENCE: Final = 10.0  # seconds for all lines of a round to arrive
UP, DOWN, LOCAL = "to the home", "to the client", "a local pair"


class Pair(NamedTuple):
    """Two people: the one at the edge, or the first of a local pair, and the other."""

    one: socket.socket
    two: socket.socket


class Host:
    """A reactor, and the processor's time that its turns took."""

    def __init__(self) -> None:
        self.reactor = Reactor(
            judge=Judge(hosts=("*",), origins=(), proxies=()),
            addresses=Addresses(open_max=1 << 20, burst=1 << 20, rate=1 << 20, limits=False),
            now=0.0,
            limits=False,
        )
        self.taken = 0  # nanoseconds
        self._ready = select.poll()
        self._ready.register(self.reactor.fd, select.POLLIN)

    def turn(self) -> None:
        """One, where something is ready."""
        if self._ready.poll(0):
            begun = time.thread_time_ns()
            self.reactor.drain(1.0)
            self.reactor.settle(1.0)
            self.taken += time.thread_time_ns() - begun

    def greet(self, fd: int, **state: int) -> int:
        """Somebody's connection, open; its number."""
        return self.reactor.take(fd, PEER, state, b"", None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("--pairs", type=int, default=100, help="of each kind: so many lines are ready at once")
    parser.add_argument("--rounds", type=int, default=300, help="of one line a pair and direction")
    parser.add_argument("--keep", action="store_true", help="write bench/results/tunnel.json")


def main(chosen: argparse.Namespace) -> int:
    """Measures; the table on standard output."""
    found = {
        "machine": machine(),
        "pairs": chosen.pairs,
        "rounds": chosen.rounds,
        **measured(chosen.pairs, chosen.rounds),
    }
    if chosen.keep:
        write(found, "tunnel", ordered=False)
    else:
        print(json.dumps(found, indent=1))
    print(lines(found))
    return 0


def joined() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection as the service has them."""
    with socket.create_server((PEER, 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other = listener.accept()[0]
    prepare(one)
    prepare(other)
    return one, other


def met(home: Host, rings: Rings, edge: Host | None, held: ExitStack) -> Pair:
    """Two who chat at `home`, the first through `edge` where there is one; `held` closes their ends."""
    one, here = joined()
    two, there = joined()
    held.enter_context(one)
    held.enter_context(two)
    if edge is not None:
        leg, far = joined()
        edge.reactor.pipe(here.detach(), PEER, leg.detach(), b"", b"", None)
        here = far
    numbers = home.greet(here.detach(), **({"visitor": 1} if edge else {})), home.greet(there.detach())
    ring = rings.new()
    for side, number in enumerate(numbers):
        home.reactor.link(number, ring, side)
    return Pair(one, two)


def said(pairs: list[Pair], hosts: tuple[Host, ...], backwards: bool) -> None:
    """Each of one side says a line, and the other hears it. Raises RuntimeError where one does not arrive."""
    for pair in pairs:
        (pair.two if backwards else pair.one).send(LINE)
    missing, ends = {(pair.one if backwards else pair.two) for pair in pairs}, time.monotonic() + PATIENCE
    while missing:
        for host in hosts:
            host.turn()
        for listener in [*missing]:
            try:
                heard = listener.recv(4096)
            except BlockingIOError:
                continue
            if not heard.endswith(b'"}'):
                raise RuntimeError("a line came in pieces, or none")
            missing.discard(listener)
        if time.monotonic() > ends:
            raise RuntimeError(f"{len(missing)} lines did not arrive")


def measured(pairs: int, rounds: int) -> dict[str, Any]:
    """Microseconds of CPU a line of each round: of the edge in both directions, of the host of a local pair."""
    edge, home, rings = Host(), Host(), Rings(1 << 26)
    costs: dict[str, list[float]] = {LOCAL: [], UP: [], DOWN: []}
    with ExitStack() as held:
        near = [met(home, rings, None, held) for _ in range(pairs)]
        far = [met(home, rings, edge, held) for _ in range(pairs)]
        kinds = {LOCAL: (near, (home,), home), UP: (far, (edge, home), edge), DOWN: (far, (home, edge), edge)}
        home.turn()
        for number in range(rounds + 1):
            for name, (people, hosts, counted) in kinds.items():
                before = counted.taken
                said(people, hosts, backwards=name == DOWN)
                if number:  # the first is for memory to be there
                    costs[name].append((counted.taken - before) / pairs / 1000)
    return {
        "us": {name: round(statistics.median(each), 2) for name, each in costs.items()},
        "p90_us": {name: round(statistics.quantiles(each, n=10)[-1], 2) for name, each in costs.items()},
        "tunnelled": edge.reactor.counters()["tunnelled"],
    }


def lines(found: dict[str, Any]) -> str:
    """What a person reads."""
    rows = [(name, f"{cost:.2f}", f"{found['p90_us'][name]:.2f}") for name, cost in found["us"].items()]
    return table(("a line", "µs of CPU, median of the rounds", "9 of 10 below"), rows)
