"""A worker's process: people's connections and their chats. Rule: it has no page and no store; what is none of its people's goes to the office."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

from engine.remote_room import RemoteRoom
from server import log
from server.config.settings import Settings
from server.handover.link import Kind, Message
from server.parts.reception import Reception
from server.process.census import Part
from server.security import keys
from server.worker import draining, gc_tuning
from server.workers.links import Links
from server.workers.outward import Outward
from server.workers.peers import OFFICE, name_of

logger = log.get()


class WorkerProcess:
    """One of a host. Call it in the loop."""

    def __init__(
        self, number: int, up: socket.socket, listening: socket.socket, settings: Settings, counted: Part | None = None
    ) -> None:
        self._listening = listening
        self.name = name_of(number)
        room = RemoteRoom(number)
        self.reception = Reception(settings, keys.load(settings.data), room, counted)
        self.worker = worker = self.reception.worker
        self.stop = asyncio.Event()
        self._outward = outward = Outward(lambda: self.links.peers)
        self.links = Links(up, worker, room, {Kind.TOOK: self._took}, outward.joined, outward.dead)
        worker.on_http = outward.take

    def _took(self, name: str, message: Message) -> None:
        if name == OFFICE:
            self._outward.took(message)  # of what else goes there it knows nothing
        self.links.across.took(name, message)

    def serve(self) -> None:
        """Take people in."""
        gc_tuning.settle()
        self.worker.start()
        self.worker.reactor.listen(self._listening.fileno())
        self.links.peers.ready()
        logger.info("process.ready", process=self.name, pid=os.getpid())

    def close(self) -> None:
        """All is over."""
        self._outward.close()
        self.links.close()
        self.worker.stop()


async def serve(number: int, up: socket.socket, listening: socket.socket, settings: Settings, counted: Part) -> int:
    """The whole life of a worker."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    process = WorkerProcess(number, up, listening, settings, counted)
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, process.stop.set)
    process.serve()
    stop, orphaned = asyncio.create_task(process.stop.wait()), asyncio.create_task(process.links.orphaned.wait())
    await asyncio.wait((stop, orphaned), return_when=asyncio.FIRST_COMPLETED)
    for task in (stop, orphaned):
        task.cancel()
    await draining.drain(process.worker, settings.server.drain)
    process.close()
    logger.info("process.stopped", process=process.name)
    return 0
