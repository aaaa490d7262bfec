"""The office's process: all that is HTTP, of all workers of a host. Rule: it is a whole server but for `/ws`; its own people stay in it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable

from engine.remote_room import RemoteRoom
from server import log
from server.config.settings import Settings
from server.handover.link import Kind, Message
from server.parts.server import Server
from server.process.census import Part
from server.process.sockets import Sockets
from server.security import keys
from server.worker import gc_tuning
from server.worker.draining import drain
from server.workers.links import Links
from server.workers.peers import OFFICE

NUMBER = 0  # as the hub knows it
logger = log.get()


class Office:
    """One of a host."""

    def __init__(self, up: socket.socket, settings: Settings, secret: keys.Keys, counted: Part | None = None) -> None:
        self._up, self._room = up, RemoteRoom(NUMBER)
        self.sockets = Sockets()
        self.server = Server(settings, secret, self.sockets, self._room, counted)
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        self.links: Links  # from `begin` on: what is sent before there is a door waits in the sockets

    def _http(self, name: str, message: Message) -> None:
        self.links.peers.send(name, Kind.TOOK, message.number)
        self.server.door.arrive(message.descriptors[0], message.records[0], message.pieces[0])

    async def begin(self, secret: keys.Keys) -> None:
        """Serve. Raises StartError."""
        server = self.server
        await server.show_metrics()
        await server.open_store(secret)
        await server.build()
        self.links = Links(self._up, server.worker, self._room, {Kind.HTTP: self._http})
        gc_tuning.settle()
        server.health.phase = "ready"
        self.links.peers.ready()
        logger.info("process.ready", process=OFFICE, pid=os.getpid())


async def serve(up: socket.socket, settings: Settings, again: Callable[[], Settings], counted: Part) -> int:
    """The whole life of the office. Raises StartError, SecretError."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    secret = keys.load(settings.data)
    office = Office(up, settings, secret, counted)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, office.stop.set)
    loop.add_signal_handler(signal.SIGHUP, office.reload.set)
    await office.begin(secret)
    office.server.reload_at(office.reload, again)
    stop, orphaned = asyncio.create_task(office.stop.wait()), asyncio.create_task(office.links.orphaned.wait())
    await asyncio.wait((stop, orphaned), return_when=asyncio.FIRST_COMPLETED)
    for task in (stop, orphaned):
        task.cancel()
    office.server.health.phase = "draining"
    await drain(office.server.worker, settings.server.drain)
    await office.server.close()
    office.links.close()
    office.sockets.close()
    logger.info("process.stopped", process=OFFICE)
    return 0
