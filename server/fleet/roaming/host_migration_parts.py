"""Build the objects that move one process's sessions between hosts (`MigrationSource`, `MigrationTarget`), and tell them the address of each named
process. Only construction is here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from engine.engine import Session
from engine.rooms.remote_waiting_room import RemoteRoom
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.ipc.ipc_link import Message
from server.fleet.ipc.process_names import place
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.transfer import Exports, GroupTransfer
from server.fleet.roaming.arrivals import Arrivals
from server.fleet.roaming.migration_source import HomeProcess, MigrationSource, MoveOrder, Opened
from server.fleet.roaming.migration_target import MigrationTarget
from server.fleet.roaming.socketless_clients import SocketlessClients, no_speaker
from server.fleet.roaming.stale_copies import StaleCopies
from server.fleet.roaming.tunnel_table import unnoticed
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Request
from server.ops.metrics.metric_type import Reading
from server.ops.security.secret_keys import Keys
from server.realtime.worker.worker_loop import Worker


@dataclass(frozen=True)
class OtherHosts:
    """Access of one process to the other hosts. `node`, `number`: its own, among the processes of all hosts; `address`: of this host's rpc
    server.
    """

    node: str
    number: int
    address: str
    secret: Keys
    hosts: Hosts
    takes: Callable[[], bool]  # whether this process accepts sessions
    find_speaker: Callable[[], SocketlessClients] = no_speaker  # the adapter of clients without a socket
    on_returned: Callable[[Sequence[Session]], None] = unnoticed  # called with sessions that came back by their tunnels


class HostMigration:
    """Migration between hosts, of a worker or the frontend. Call it in the loop.

    here ── source ──► the rpc server of another host's frontend ── `forwarded_request_delivery` ──► target, in the worker that is meant
    """

    def __init__(
        self,
        others: OtherHosts,
        worker: Worker,
        room: RemoteRoom,
        exports: Exports,
        forwarding: ForwardingTable,
        opened: Opened,
        settled: Callable[[int], None],
    ) -> None:
        """`settled`: called with the id of a session that is not doubted any more."""
        seal = Seal(others.secret)
        self._hosts = hosts = others.hosts
        asker = RpcClient(seal, others.node)
        copies = StaleCopies(others.node, others.number, others.address, hosts, asker, worker, forwarding, settled)
        self._crossing = MigrationSource(hosts, asker, exports, opened, others.find_speaker, copies)
        self._landing = MigrationTarget(
            others.node,
            others.number,
            seal,
            worker,
            room,
            exports.moving,
            exports.tally,
            others.takes,
            Arrivals(others.node, forwarding),
            self._crossing.going,
        )

    def go(self, to: str, one: MoveOrder) -> None:
        """Move one session to a process of another host."""
        self._crossing.go(_home(to), one)

    async def sent(self, to: str, transfer: GroupTransfer) -> bool:
        """Move a group to a process of another host without its connections, whose descriptors stay the caller's; returns whether that process
        has it. The transfer ends even if the caller stops waiting.
        """
        return await self._crossing.send(_home(to), transfer)

    def forget(self, home: str, people: Sequence[tuple[int, int]]) -> None:
        """Ask a process of another host, which may live, to forget sessions that are here. `people`: ids and keys, as they moved."""
        self._crossing.forget(_home(home), people)

    def returned(self, id: int, key: int) -> None:
        """Note that a session returns to the host of its connection. `key`: its own, now."""
        self._landing.returned(id, key)

    @property
    def going(self) -> Set[int]:
        """Sessions that another host may have, by id, now and later: until that is known none of them is accepted here."""
        return self._crossing.going

    def is_doubted(self, id: int) -> bool:
        """Whether a client may have resumed a copy of a session that is here."""
        return self._crossing.forgetting.is_doubted(id)

    def pack_doubts(self, people: Sequence[dict[str, Any]]) -> None:
        """Add the doubts of sessions that move to another process of this host to their records."""
        self._crossing.forgetting.pack(people)

    def unpack_doubts(self, people: Sequence[Mapping[str, Any]]) -> None:
        """Doubt the sessions that another process of this host doubted as they left it."""
        self._crossing.forgetting.unpack(people)

    @property
    def under_way(self) -> bool:
        """Whether a session is on its way to another host."""
        return self._crossing.under_way

    def there(self, home: str) -> bool:
        """Whether the host of a process is alive."""
        return self._hosts.at(_home(home).node) is not None

    async def landed(self) -> None:
        """Wait until no session is on its way to another host."""
        await self._crossing.landed()

    def arrived(self, message: Message, sock: socket.socket) -> None:
        """Serve a request of another host that the frontend passed on, with its connection."""
        kind, node, nonce, by = message.records
        self._landing.came(Request(kind, node, bytes.fromhex(nonce), by, message.pieces[0]), sock)

    def came(self, request: Request, sock: socket.socket) -> None:
        """Serve a request of another host, in the frontend itself."""
        self._landing.came(request, sock)

    def close(self) -> None:
        """Stop both sides."""
        self._crossing.close()
        self._landing.close()

    def reading(self) -> Reading:
        """Return the metrics."""
        asking, landing = self._crossing.forgetting, self._landing
        counted = {
            "asked": asking.asked, "unanswered": asking.unanswered, "ended": landing.ended, "kept": landing.kept,
        }  # fmt: skip
        return {"serendip_migrations_doubtful": {(what,): count for what, count in counted.items()}}


def _home(name: str) -> HomeProcess:
    return HomeProcess(name, *place(name))
