"""A worker's process: people's connections and their chats. Rule: it has no page and no store; what is none of its people's goes to the office."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from engine.remote_room import RemoteRoom
from server import log
from server.config.settings import Settings
from server.handover.link import Kind, Message
from server.metrics.exposition import Board, Reading
from server.metrics.readings import source
from server.parts.reception import Reception
from server.process.census import Part
from server.process.sockets import StartError
from server.security import keys
from server.store import kept as kept_keys
from server.store.country import Countries
from server.worker import draining, gc_tuning
from server.worker.recorder import Recorder
from server.workers.emptying import Emptying
from server.workers.figures import Answering
from server.workers.kept import Kept
from server.workers.links import Links
from server.workers.outbox import Outbox
from server.workers.outward import Outward
from server.workers.peers import HUB, OFFICE, Handler, name_of
from server.workers.told import Statement, Told

CLOSING: Final = 2.0  # seconds that the office has at the end to read what was sent
TAKEN_WITHIN: Final = 10.0  # seconds until the office has to have taken what is kept of people who went elsewhere
logger = log.get()


class WorkerProcess:
    """One of a host. Call it in the loop. Raises StartError, SecretError."""

    def __init__(
        self, number: int, up: socket.socket, listening: socket.socket, settings: Settings, counted: Part | None = None
    ) -> None:
        self._listening = listening
        self.name = name_of(number)
        room = RemoteRoom(number)
        secret = keys.load(settings.data)
        self.reception = Reception(settings, secret, room, counted)
        self.worker = worker = self.reception.worker
        self.stop = asyncio.Event()
        self.leave = asyncio.Event()
        self._emptying: Emptying | None = None
        self._outward = outward = Outward(lambda: self.links.peers)
        self._outbox = Outbox(lambda: self.links.peers)
        self.kept = Kept(lambda: self.links.peers, self._outbox)
        self._recorder: Recorder | None = None
        self.told: Told | None = None
        statement = Statement()
        board = Board()
        board.add(source(self.name, worker.reactor, worker.engine, worker.output.signals_refused))
        board.add(lambda: self.links.reading())
        board.add(lambda: {"serendip_http_lost": outward.lost})
        answering = Answering(self.name, board, lambda: self.links.peers)
        handlers: dict[int, Handler] = {
            Kind.TOOK: self._took,
            Kind.STATEMENT: statement.take,
            Kind.READ: answering.read,
            Kind.LEAVE: self._leave,
        }
        if settings.store.enabled:
            handlers |= self._keep(settings, secret)
            board.add(self._reading)
        self.links = Links(up, worker, room, handlers, self._joined, self._dead, self.kept.flush)
        worker.statement = statement
        worker.on_http = outward.take
        worker.start()

    def _keep(self, settings: Settings, secret: keys.Keys) -> Mapping[int, Handler]:
        """What the store has of people is asked, and told, by way of the office."""
        worker = self.worker
        try:
            self.reception.help.country = Countries(settings.store.country_file).find
        except ValueError as error:
            raise StartError(f"store: {error}") from None
        self.told = told = Told(kept_keys.pseudonyms(secret, settings.data), worker.look_again, self._read)
        worker.banned, worker.unseen, worker.seen = told.banned, told.notices.unread, told.notices.seen
        self._recorder = Recorder(worker, self.kept, self.kept.report)
        self._recorder.gone = lambda *saved: self.links.saved(*saved)
        worker.output.on_keep = self._recorder.take
        return {Kind.KEPT: self.kept.kept, Kind.BANS: told.take_bans, Kind.NOTICES: told.take_notices}

    def _reading(self) -> Reading:
        """Numbers for the metrics, beside those of the store and moderation in the office."""
        return {
            "serendip_banned_connects": self.told.turned_away if self.told is not None else 0,
            "serendip_reports_lost": self.kept.reports_lost,
            "serendip_reports_waiting": self._outbox.weight[Kind.REPORT],
            "serendip_store_waiting": self.kept.waiting,
        }

    def _read(self, id: bytes, owner: bytes | int) -> None:
        """A notice was read here."""
        self._outbox.send(Kind.SEEN, id.hex(), owner if isinstance(owner, int) else owner.hex())

    def _took(self, name: str, message: Message) -> None:
        if name == OFFICE:  # each knows its own
            self._outward.took(message)
            self._outbox.took(message)
        self.links.across.took(name, message)

    def _joined(self, name: str) -> None:
        self._outward.joined(name)
        if name == HUB and self._emptying is not None:
            self._emptying.tell_hub()
        if name == OFFICE:
            self._outbox.joined()
            self.kept.flush()

    def _dead(self, name: str) -> None:
        self._outward.dead(name)
        if name == OFFICE:
            self._outbox.dead()
            self.kept.dead()

    def _leave(self, _: str, message: Message) -> None:
        """The supervisor says that everybody is to go; how many people the others have."""
        if self._emptying is None:
            links = self.links
            self._emptying = Emptying(self.name, self.worker, links.peers, links.across, message.records[0])
            self.leave.set()

    async def left(self) -> None:
        """Returns when everybody has gone, and what was kept of them is in the office."""
        if self._emptying is None:
            return
        try:
            await self._emptying.run()
        except Exception as error:  # noqa: BLE001 - who is left is told to come back, and the log why
            logger.error("handover.fault", **log.described(error))
        if self._recorder is not None:
            await self._recorder.settled()
        loop = asyncio.get_running_loop()
        end = loop.time() + TAKEN_WITHIN
        while not (self._outbox.empty and self._outward.empty and not self.kept.waiting) and loop.time() < end:
            self.kept.flush()
            await asyncio.sleep(0.01)

    async def informed(self) -> None:
        """Wait until it is known who may not come in."""
        if self.told is not None:
            await self.told.ready.wait()

    def serve(self) -> None:
        """Take people in."""
        gc_tuning.settle()
        self.worker.reactor.listen(self._listening.fileno())
        self.links.peers.ready()
        logger.info("process.ready", process=self.name, pid=os.getpid())

    async def close(self) -> None:
        """All is over, but for what the office still has to hear."""
        if self._recorder is not None:
            await self._recorder.close()
        self.kept.flush()
        peers, loop = self.links.peers, asyncio.get_running_loop()
        end = loop.time() + CLOSING
        while not peers.idle(OFFICE) and loop.time() < end:  # noqa: ASYNC110 - what a socket takes has no event
            await asyncio.sleep(0.01)
        self.cut()

    def cut(self) -> None:
        """All is over, whatever the office did not hear."""
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
    ends = process.stop.wait, process.links.orphaned.wait
    await _first(process.informed(), *(end() for end in ends))
    if not (process.stop.is_set() or process.links.orphaned.is_set()):
        process.serve()
        await _first(process.leave.wait(), *(end() for end in ends))
        await _first(process.left(), *(end() for end in ends))
    await draining.drain(process.worker, settings.server.drain)
    await process.close()
    logger.info("process.stopped", process=process.name)
    return 0


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Until one of these is over."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
