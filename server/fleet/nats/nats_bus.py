"""Publish and receive messages between hosts over the one NATS connection of this host, which is reconnected for ever. Each message is sealed for
its subject (`server.fleet.rpc.rpc_seal`).

**Invariant:** no line of a chat passes NATS, so that chats continue without it. Messages that cannot be sent are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from server.fleet.nats import nats_connection
from server.fleet.nats.nats_connection import Proof, words
from server.fleet.rpc.rpc_seal import Seal
from server.ops import log
from server.ops.config.cluster_settings import Cluster

PATIENCE: Final = 2  # seconds for an answer of the server
PAUSE: Final = 0.25  # seconds until the next server is tried
UNSENT: Final = 1_000  # queued messages; beyond: dropped
MESSAGE_MAX: Final = 65_536  # bytes
logger = log.get()

Handler = Callable[[bytes], None]


def unheard() -> None:
    """Do nothing."""


class NatsBus:
    """Bus of one process.

        <name>.<id>.all     to all hosts of a cluster        <name>.<id>.<node>    to one of them
        <name>.<id>.bars    to all: pairs that a report keeps apart

    A connection that ends is made anew, with the servers in turn; one that is open and delivers nothing is renewed by its user (`renew`).
    Each attempt reads the files anew: a renewed authority or seed needs no restart.
    """

    def __init__(
        self, settings: Cluster, seal: Seal, handlers: dict[str, Handler], begun: Callable[[], None] = unheard
    ) -> None:
        """`handlers`: by the last part of the subject; `begun`: called when a connection can be used."""
        self._settings = settings
        self._seal = seal
        self._handlers = handlers
        self._begun = begun
        self._client: Client | None = None
        self._unsent: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(UNSENT)
        self._ended = asyncio.Event()
        self.connects = 0
        self.dropped: Counter[str] = Counter()  # messages by why: unsent, seal, size
        self.fault: str | None = (
            "it was not reached yet"  # cause of the missing connection; None: there is a connection
        )
        self._causes: set[str] = set()  # causes that were logged since the last connection
        self.refused: str | None = None  # the last permission that the server denied on this connection

    @property
    def up(self) -> bool:
        """Whether there is a connection."""
        return self.fault is None

    @property
    def takes(self) -> bool:
        """Whether a message leaves soon: there is a connection, and not much is queued."""
        return self.fault is None and self._unsent.qsize() < UNSENT // 2

    @property
    def trouble(self) -> str | None:
        """Reason why this host is alone (no connection, or no permission to publish), or None."""
        return self.fault or self.refused

    def say(self, subject: str, body: bytes) -> None:
        """Publish to all subscribers, this host too; dropped without a connection."""
        if self.fault is not None:
            self.dropped["unsent"] += 1
            return
        name = self._name(subject)
        try:
            self._unsent.put_nowait((name, self._seal.sealed(name.encode(), body)))
        except asyncio.QueueFull:
            self.dropped["unsent"] += 1

    async def sent(self, within: float) -> None:
        """Wait until all messages have left, `within` seconds at most."""
        client = self._client
        if client is not None:
            with contextlib.suppress(TimeoutError, Error):
                async with asyncio.timeout(within):
                    await self._unsent.join()
                    await client.flush()

    def renew(self) -> None:
        """Close the connection and make another one."""
        self._ended.set()

    async def run(self) -> None:
        """Keep a connection, for ever."""
        servers = list(self._settings.nats)
        random.shuffle(servers)
        while True:
            for server in servers:
                await self._hold(server)
                await asyncio.sleep(PAUSE)

    async def _hold(self, server: str) -> None:
        """Make one connection, and serve it to its end."""
        self._ended.clear()
        self.refused = None
        try:
            proof = await asyncio.to_thread(Proof.read, self._settings)
            client = await nats_connection.connect(server, proof, self._over, self._troubled)
        except Exception as fault:  # noqa: BLE001 - whatever a library makes of a network, or a file of this host
            self._lost(f"{server}: {words(fault)}")
            return
        sending = asyncio.create_task(self._send(client))
        try:
            for subject in self._handlers:
                await client.subscribe(self._name(subject), cb=self._came)
            await client.flush(PATIENCE)
            self._client, self.fault = client, None
            self._causes.clear()
            self.connects += 1
            logger.info("nats.connected", said=server)
            self._begun()
            await self._ended.wait()
            self._lost(f"{server}: the connection ended")
        except Exception as fault:  # noqa: BLE001 - as above
            self._lost(f"{server}: {words(fault)}")
        finally:
            sending.cancel()
            self._client = None
            await nats_connection.end(client)

    def _lost(self, why: str) -> None:
        if why not in self._causes:
            self._causes.add(why)
            logger.warning("nats.away", said=why)
        self.fault = why
        while not self._unsent.empty():
            self._unsent.get_nowait()
            self._unsent.task_done()
            self.dropped["unsent"] += 1

    async def _send(self, client: Client) -> None:
        try:
            while True:
                subject, data = await self._unsent.get()
                await client.publish(subject, data)
                self._unsent.task_done()
        except Error:  # it is closed, or unusable
            self._ended.set()

    async def _came(self, message: Msg) -> None:
        body = self._seal.opened(message.subject.encode(), message.data) if len(message.data) <= MESSAGE_MAX else None
        if body is None:
            self.dropped["seal" if len(message.data) <= MESSAGE_MAX else "size"] += 1
            return
        self._handlers[message.subject.rpartition(".")[2]](body)

    async def _over(self) -> None:
        self._ended.set()

    async def _troubled(self, fault: Exception) -> None:
        said = words(fault)
        if "ermissions violation" in said and self.refused != said:
            self.refused = said
        logger.warning("nats.trouble", said=said)

    def _name(self, subject: str) -> str:
        return f"{self._settings.name}.{self._settings.id}.{subject}"
