"""People of this host's door whose sessions are at other hosts, as who hands a process over sees them. Rule: `server.fleet.roaming.tunnel_table`
has them.

Where there is one host there are none (`NO_TUNNELS`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol


class Leaving(NamedTuple):
    """A tunnel that is nowhere. `record`: JSON; `data`: its bytes; its two descriptors, the client's and the home's, are the holder's."""

    record: list[Any]
    data: bytes
    client: int
    home: int


class Tunnelling(Protocol):
    """Of one process."""

    def __len__(self) -> int: ...

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """What the reactor says of one: UNTUNNELLED, or a RECORD for this host."""

    def release(self, most: int) -> Sequence[Leaving]:
        """Take out so many, of those that can go now."""

    def take(self, leaving: Leaving) -> None:
        """It goes on here; where it cannot its client comes back by itself. The descriptors are this process's from here on."""

    def turn_out(self, after: Callable[[], float]) -> None:
        """Each client is told to come back after so many seconds: its session is where it was."""


class _NoTunnels:
    def __len__(self) -> int:
        return 0

    def told(self, kind: int, number: int, owner: Any, data: Any) -> None:
        """Nobody is there."""

    def release(self, most: int) -> Sequence[Leaving]:
        return ()

    def take(self, leaving: Leaving) -> None:
        for descriptor in (leaving.client, leaving.home):
            os.close(descriptor)

    def turn_out(self, after: Callable[[], float]) -> None:
        """Nobody is there."""


NO_TUNNELS: Final[Tunnelling] = _NoTunnels()
