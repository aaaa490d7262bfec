"""Define the protocol by which a process exports and imports tunnels: connections of clients of this host whose sessions are at other hosts.

`server.fleet.roaming.tunnel_table` implements it; a single host uses NO_TUNNELS.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol


class ReleasedTunnel(NamedTuple):
    """A tunnel that was released and not taken yet. `record`: JSON; `data`: unsent bytes. The holder owns both descriptors, the client's and the
    home's."""

    record: list[Any]
    data: bytes
    client: int
    home: int


class TunnelPort(Protocol):
    """The tunnels of one process."""

    def __len__(self) -> int: ...

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """Handle an event of the reactor: UNTUNNELLED, HALVED, or a RECORD for this host."""

    def release(self, most: int) -> Sequence[ReleasedTunnel]:
        """Release up to `most` tunnels that can leave now."""

    def take(self, leaving: ReleasedTunnel) -> None:
        """Take a tunnel and its descriptors. If that fails, the client reconnects by itself."""

    def turn_out(self, after: Callable[[], float]) -> None:
        """Tell each client to reconnect after `after()` seconds; its session stays where it is."""


class _NoTunnels:
    def __len__(self) -> int:
        return 0

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """Do nothing."""

    def release(self, most: int) -> Sequence[ReleasedTunnel]:
        return ()

    def take(self, leaving: ReleasedTunnel) -> None:
        for descriptor in (leaving.client, leaving.home):
            os.close(descriptor)

    def turn_out(self, after: Callable[[], float]) -> None:
        """Do nothing."""


NO_TUNNELS: Final[TunnelPort] = _NoTunnels()
