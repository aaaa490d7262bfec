"""Define the protocol (`typing.Protocol`) by which the rest of the server starts and stops the console.

**Invariant:** this module imports nothing that only a server with a database needs.
"""

from typing import Protocol

from server.ops.metrics.metric_type import Reading


class Translator(Protocol):
    """Port of `server.site.translation.libretranslate.TranslationClient`: the operator's translation server."""

    async def translate_line(self, text: str, target: str) -> str | None:
        """Translate a line into a language (`de`); return None if it was not translated."""

    async def stop(self) -> None:
        """Close the connections."""


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
