"""Drain a worker at its end: refuse new clients for now, then tell each client to reconnect after a random delay."""

import asyncio
import random
import time

from server.realtime.worker.worker_loop import Worker

_spread = random.SystemRandom().uniform


def tell_to_come_back(worker: Worker) -> None:
    """Tell every client to reconnect, each after a random time."""
    span = 2.0 + (worker.engine.online + len(worker.tunnels)) / 2000  # seconds; a new process admits 2,000 a second

    def after() -> float:
        return round(_spread(0.5, span), 2)

    worker.act(lambda now: worker.engine.drain_for_restart(now, after))
    worker.tunnels.turn_out(after)


async def drain(worker: Worker, seconds: float) -> None:
    """Put off newcomers, tell every client to reconnect, and wait until their connections are closed, `seconds` at most."""
    reactor = worker.reactor
    reactor.put_off_newcomers()
    tell_to_come_back(worker)
    end = time.monotonic() + seconds
    # A poll: the sockets that linger have no event of their own.
    while reactor.connections > reactor.newcomers and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    reactor.refuse_newcomers()
