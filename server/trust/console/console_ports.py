"""What the rest of the server asks of the console, as a protocol. Rule: nothing is imported here that a server without a store need not have."""

from typing import Protocol

from server.ops.metrics.exposition import Reading


class Console(Protocol):
    """`server.trust.console.console_server.Console`, the one implementation."""

    async def start(self, *, listening: bool = True) -> None:
        """Have the port, where it can be had, and answer there, or from `listen` on."""

    async def listen(self) -> None:
        """Answer, also anew after `pause`."""

    async def pause(self) -> None:
        """Take no more connections."""

    async def stop(self) -> None:
        """Close the port."""

    def reading(self) -> Reading:
        """Numbers for the metrics."""
