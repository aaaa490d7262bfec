"""Define the protocol (`typing.Protocol`) by which the rest of the server starts and stops the console.

**Invariant:** this module imports nothing that only a server with a database needs.
"""

from typing import Protocol

from server.ops.metrics.exposition import Reading


class Console(Protocol):
    """Port of `server.trust.console.console_server.Console`, the one implementation."""

    async def start(self, *, listening: bool = True) -> None:
        """Bind the port, if possible, and serve; not `listening`: from `listen` on."""

    async def listen(self) -> None:
        """Accept connections, also again after `pause`."""

    async def pause(self) -> None:
        """Accept no more connections."""

    async def stop(self) -> None:
        """Close the port."""

    def reading(self) -> Reading:
        """Return the values of the metrics."""
