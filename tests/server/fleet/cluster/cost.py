"""What crossings cost: `python -m tests.server.fleet.cluster.cost [people]`. Rule: both hosts are in this one process, over loopback TCP.

So a time is that of both sides, one after the other, and the CPU is theirs together (worker, port, frontend; a hub is played).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from engine.rooms import hub_messages as rows
from server.ops.security.secret_keys import Keys, load
from tests.server.fleet.cluster.meetings import alone, far
from tests.server.fleet.cluster.rig import cell
from tests.server.fleet.migrate.rig import until

SIDE_BY_SIDE = (1, 4, 16)


async def crossed(secret: Keys, people: int, at_a_time: int) -> None:
    """So many go, so many at a time; prints milliseconds out of service, and microseconds of CPU each."""
    times: list[float] = []
    async with cell(secret, room=False, direct=True) as made:
        hub, one, _, _ = await alone(made)
        there, home = made.hosts[0], made.workers[1][0]
        one.links.tally.out_of_service = lambda _, __, seconds: times.append(seconds)  # type: ignore[method-assign]
        tickets = []
        for _ in range(people):
            visitor, id, _ = await there.host.visitor(one)
            visitor.find("sailing")
            (ticket,) = await hub.rows(rows.TICKET)
            tickets.append((id, ticket))
        before, cpu, began = len(home.sessions), time.process_time(), time.perf_counter()
        for start in range(0, people, at_a_time):
            for id, ticket in tickets[start : start + at_a_time]:
                far(hub, id, ticket, made)
            done = min(people, start + at_a_time)
            while len(times) < done:  # noqa: ASYNC110 - what is measured has no event
                await asyncio.sleep(0.0002)
        cpu, took = time.process_time() - cpu, time.perf_counter() - began
        await until(lambda: len(home.sessions) == before + people)
    times.sort()
    p50, p99 = (times[min(people - 1, int(people * share))] * 1000 for share in (0.5, 0.99))
    print(
        f"{at_a_time:>3} at a time, {people} people: out of service p50 {p50:.2f}, p99 {p99:.2f} ms, longest {times[-1] * 1000:.2f}; "
        f"CPU of both sides {cpu / people * 1e6:.0f} us each; {people / took:.0f} a second"
    )


def main() -> None:
    """See the module."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as folder:
        secret = load(Path(folder) / "data")
        for at_a_time in SIDE_BY_SIDE:
            uvloop.run(crossed(secret, people, at_a_time))


if __name__ == "__main__":
    main()
