"""The end of a worker: everybody is told to come back, each at a moment of their own. Rule: newcomers are put off first."""

import asyncio
import random
import time

from server.realtime.worker.worker_loop import Worker

_spread = random.SystemRandom().uniform


def tell_to_come_back(worker: Worker) -> None:
    """Everybody who is here, each at a moment of their own."""
    span = (
        2.0 + (worker.engine.online + len(worker.tunnels)) / 2000
    )  # the next start can take 2,000 a second without a wait

    def after() -> float:
        return round(_spread(0.5, span), 2)

    worker.act(lambda now: worker.engine.drain_for_restart(now, after))
    worker.tunnels.turn_out(after)


async def drain(worker: Worker, seconds: float) -> None:
    """Puts newcomers off, tells every client to come back, and waits until they are gone, `seconds` at most."""
    reactor = worker.reactor
    reactor.put_off_newcomers()
    tell_to_come_back(worker)
    end = time.monotonic() + seconds
    # A poll: the sockets that linger have no event of their own.
    while reactor.connections > reactor.newcomers and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    reactor.refuse_newcomers()
