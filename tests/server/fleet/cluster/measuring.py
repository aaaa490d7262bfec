"""What a return costs, and a tunnel at the edge: `python -m tests.server.fleet.cluster.measuring`. Rule: figures of this machine, both hosts in a
process.

CPU: of the whole process from `leave` until all are back, their clients' ends included, less what as many cost whose chat ends at one host.
Memory: what the allocator gave for idle tunnels of the edge, and what Python did.
"""

import gc
import resource
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

import uvloop

from engine.rooms.hub_messages import Meeting, Member
from server.ops.security.secret_keys import load
from tests.engine.meetings import row_of
from tests.ext.net.rig import frame
from tests.server.fleet.cluster.crossed import Cell, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor
from tests.server.fleet.roaming.test_tunnel_table import bare

PEOPLE, ROUNDS, TUNNELS = 100, 15, 2000
LEAVE = frame(b'{"type":"leave"}')


async def ended(made: Cell, away: bool) -> float:
    """Microseconds of CPU for the end of a chat, where one of two is a visitor, or where both are at home."""
    pairs = []
    for _ in range(PEOPLE):
        if away:
            pairs.append(await made.meet())
        else:
            pairs.append(await local(made))
    begun = time.process_time()
    for one, *_ in pairs:
        one.sock.send(LEAVE)
    if away:
        tunnels, returns = made.edge.links.tunnels, made.home.links.visitor_return
        await until(lambda: not len(tunnels) and not returns._returns)
    else:
        await until(lambda: not any(session.seat for session in made.home.worker.engine.sessions.values()))
    taken = time.process_time() - begun
    for one, _, other, _ in pairs:
        one.sock.close()
        other.sock.close()
    await until(lambda: not made.edge.worker.engine.online and not made.home.worker.engine.online)
    for process in (made.edge, made.home):
        process.worker.act(lambda now, process=process: process.worker.engine.tick(now + 100))
    return taken / PEOPLE * 1e6


async def local(made: Cell) -> tuple[Visitor, int, Visitor, int]:
    """Two of one host."""
    (one, a), (other, b) = await made.somebody(made.home), await made.somebody(made.home)
    room = made.home.room
    members = Member(a, room._held[a].number, 2), Member(b, room._held[b].number, 2)
    meeting = row_of(Meeting(2, members, (0.0, 0.0), ("sailing",), 1.0, "any"))
    made.home.worker.act(lambda now: room.told([meeting], now))
    return one, a, other, b


def resident() -> int:
    """Bytes of this process's memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def main() -> None:
    """Prints the figures."""
    async with cell(load(Path(tempfile.mkdtemp()))) as made:
        for away in (True, False):
            rounds = [await ended(made, away) for _ in range(ROUNDS)]
            print("visitor" if away else "both at home", f"{statistics.median(rounds):.1f} µs of CPU an end of a chat")
        gc.collect()
        before = resident()
        tracemalloc.start()
        held = [bare(made.edge, number) for number in range(1, TUNNELS + 1)]
        gc.collect()
        own = sum(
            one.size
            for one in tracemalloc.take_snapshot().statistics("filename")
            if one.traceback[0].filename.endswith("cluster/tunnels.py")
        )
        tracemalloc.stop()
        print(f"{own / TUNNELS:.0f} bytes of Python's a tunnel (tunnels.py)")
        print(f"{(resident() - before) / TUNNELS:.0f} resident, with tracing and the test's ends")
        for client, home in held:
            client.close()
            home.close()
        await until(lambda: not len(made.edge.links.tunnels))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    uvloop.run(main())
