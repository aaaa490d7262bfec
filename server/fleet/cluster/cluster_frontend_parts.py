"""Build the parts of a frontend that talk to other hosts: rpc server, rpc client and the exchange of encryption keys. Only construction, start and
stop are here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from server.data.records.store_ports import Store
from server.fleet.cluster.epoch_key_exchange import SharedEpochs
from server.fleet.rpc import node_info
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Kind
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Handler, RpcServer
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.metric_type import Reading
from server.ops.security.secret_keys import Keys, Purpose

TASK: Final = "store-keys"


class Place(NamedTuple):
    """A host's generation of processes among other hosts. `node`: 10 hex digits; `sock`: listens at `cluster.address`."""

    node: str
    sock: socket.socket


class ClusterFrontend:
    """Cluster parts of one frontend. Call it in the loop. `addresses`: returns those of the other hosts' rpc servers."""

    def __init__(self, place: Place, settings: Settings, secret: Keys, addresses: Callable[[], Sequence[str]]) -> None:
        seal = Seal(secret)
        self._node, self._cluster = place.node, settings.cluster.id
        self._secrets = list(secret.accepted(Purpose.CLUSTER))
        self._addresses = addresses
        self.asker = RpcClient(seal, place.node)
        self.handlers: dict[int, Handler] = {}
        self.port = RpcServer(place.sock, seal, settings.cluster.address, self.handlers)
        self.epochs: SharedEpochs | None = None
        self._tasks: Tasks | None = None

    def open(self, store: Store | None, tasks: Tasks) -> None:
        """Start to serve other hosts and to fetch missing keys. `store`: None: nothing is stored here."""
        if store is not None:
            self.epochs = shared = SharedEpochs(
                store.epochs, store.elections, self.asker, self._addresses, store.opened.wait
            )
            self.handlers[Kind.EPOCH] = shared.answer
            self._tasks = tasks
            tasks.start(TASK, shared.run)
        numbers = (lambda: store.epochs.epochs()) if store is not None else list
        self.handlers[Kind.HELLO] = node_info.saying(
            self._node, self._cluster, self._secrets, numbers, lambda: "" if store is None else store.schema
        )
        self.port.start()

    def others_changed(self) -> None:
        """Note that the known hosts changed: one of them may have a missing key."""
        if self.epochs is not None:
            self.epochs.look_soon()

    def unwell(self) -> list[str]:
        """Return what is not well (`/readyz`)."""
        return [] if self.epochs is None else self.epochs.unwell()

    def reading(self) -> Reading:
        """Return the metrics."""
        return {
            **self.port.reading(),
            **({"serendip_epoch_keys_missing": 0} if self.epochs is None else self.epochs.reading()),
        }

    async def close(self) -> None:
        """Serve other hosts no more."""
        if self._tasks is not None:
            await self._tasks.end(TASK)
        await self.port.close()
