"""The office's process: all of a host that is HTTP or kept. Rule: it is a whole server but for `/ws`; its own people stay in it.

What others send it before it is open waits until it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from engine.remote_room import RemoteRoom
from server import log
from server.config.settings import Settings
from server.handover.link import Kind, Message
from server.metrics.process import begun
from server.parts.server import Server
from server.process.census import Part
from server.process.sockets import Sockets
from server.security import keys
from server.worker import gc_tuning
from server.worker.draining import drain
from server.workers.figures import Gathering
from server.workers.keeping import Keeping
from server.workers.links import Links
from server.workers.parent import Parent
from server.workers.peers import OFFICE, Handler, Peers, number_of
from server.workers.sharing import Sharing

NUMBER = 0  # as the hub knows it
LONGER: Final = 1.0  # seconds that workers may take beyond `server.drain`, for what they have to tell
logger = log.get()


class Office:
    """One of a host."""

    def __init__(self, up: socket.socket, settings: Settings, secret: keys.Keys, counted: Part | None = None) -> None:
        room = RemoteRoom(NUMBER)
        self.sockets = Sockets()
        self.server = Server(settings, secret, self.sockets, room, counted, OFFICE)
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        self._closed: list[Callable[[], None]] | None = []  # what came while it is not open
        self.keeping: Keeping | None = None
        self._sharing: Sharing | None = None
        self._alone = asyncio.Event()
        self._gathering = gathering = Gathering(self.server.board, lambda: self.links.peers, begun())
        self.server.board.gather = gathering.gather
        handlers: dict[int, Handler] = {Kind.HTTP: self._when_open(self._http), Kind.FIGURES: gathering.figures}
        handlers |= dict.fromkeys(
            (Kind.RECORD, Kind.REPORT, Kind.SEEN, Kind.SAVE, Kind.UNSAVE), self._when_open(self._keep)
        )
        self.links = Links(up, self.server.worker, room, handlers, self._joined, self._dead)
        for source in (self.links.reading, self.links.peers.reading):
            self.server.board.add(source)
        self.server.board.add(Parent().reading, apart=True)
        self.server.services.waits = gathering.waits
        self.server.tasks.start("figures", gathering.run)

    @property
    def peers(self) -> Peers:
        """The links by name."""
        return self.links.peers

    def _when_open(self, handler: Handler) -> Handler:
        def handle(name: str, message: Message) -> None:
            if self._closed is None:
                handler(name, message)
            else:
                self._closed.append(partial(handler, name, message))

        return handle

    def _http(self, name: str, message: Message) -> None:
        self.peers.send(name, Kind.TOOK, message.number)
        self.server.door.arrive(message.descriptors[0], message.records[0], message.pieces[0])

    def _keep(self, name: str, message: Message) -> None:
        if self.keeping is not None:  # a worker sends nothing of these where nothing is kept
            self.keeping.take(name, message)

    def _joined(self, name: str) -> None:
        self._gathering.joined(name)
        if self._sharing is not None:
            self._sharing.joined(name)

    def _dead(self, name: str) -> None:
        self._gathering.dead(name)
        if self._sharing is not None:
            self._sharing.dead(name)
        if not self._workers():
            self._alone.set()

    def _workers(self) -> list[str]:
        return [name for name in self.peers.others if number_of(name) > 0]

    async def begin(self, secret: keys.Keys) -> None:
        """Serve. Raises StartError."""
        server = self.server
        await server.show_metrics()
        await server.open_store(secret)
        await server.build()
        gc_tuning.settle()
        server.health.phase = "ready"
        kept = server.kept
        if kept is not None:
            self.keeping = Keeping(lambda: self.peers, *kept)
        if server.recorder is not None:
            server.recorder.gone = self.links.saved
        self._sharing = Sharing(lambda: self.peers, server.worker.statement, kept and kept[1])
        closed, self._closed = self._closed or [], None
        for handle in closed:
            handle()
        for name in self._workers():
            self._sharing.joined(name)
        self.peers.ready()
        logger.info("process.ready", process=OFFICE, pid=os.getpid())

    async def end(self, within: float) -> None:
        """Everybody goes; what the workers leave is kept until they are gone too, `within` seconds and a little at most."""
        self.server.health.phase = "draining"

        async def alone() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within + LONGER):
                    while self._workers():
                        self._alone.clear()
                        await self._alone.wait()

        await asyncio.gather(drain(self.server.worker, within), alone())
        if self._sharing is not None:
            self._sharing.close()
        if self.keeping is not None:
            await self.keeping.close()
        await self.server.tasks.end("figures")
        await self.server.close()
        self.links.close()
        self.sockets.close()


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
    await office.end(settings.server.drain)
    logger.info("process.stopped", process=OFFICE)
    return 0
