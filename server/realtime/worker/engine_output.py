"""Send the engine's frames and commands to client connections through the worker's reactor. It implements the protocol `engine.core.ports.Out`, and
no method blocks.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from engine.views import SessionView, error
from ext.net.chat_ring import Ring
from ext.reactor.reactor import Reactor
from server.realtime.worker.worker_dependencies import ignore


class Output:
    """The engine's output; implements `engine.core.ports.Out`."""

    def __init__(
        self, reactor: Reactor, keep: Callable[[Any], None] = ignore, on_visitor: Callable[[int], None] = ignore
    ) -> None:
        """`keep`, `on_visitor`: see `WorkerPorts`."""
        self.send = reactor.send
        self.say = reactor.say
        self.typing = reactor.typing
        self.refuse = reactor.refuse
        self.replay = reactor.replay
        self.keep_limits = reactor.keep_limits
        self._reactor = reactor
        self.visitors: dict[int, SessionView] = {}  # sessions by connection, of connections to another host
        self.free: list[
            int
        ] = []  # visitors that may return to their host: they arrived, or their chat ended, since the last look
        self.signals_refused: Counter[str] = Counter()  # by error code
        self._keep = keep
        self._on_visitor = on_visitor

    def signal(self, conn: int, frame: bytes) -> None:
        """Send a signal to the partner. If it is too fast or too large, the sender gets an error."""
        fault = self._reactor.signal(conn, frame)
        if fault:
            self.signals_refused[fault] += 1
            self.send(conn, error(fault, "signal"))

    def link(self, conn: int, ring: Ring, side: int) -> None:
        """See `Out`."""
        self._reactor.link(conn, ring, side)
        if self.visitors:
            self.news(conn)

    def news(self, conn: int) -> None:
        """Notify the visitor's host that what it keeps of the session may have changed."""
        if conn in self.visitors:
            self._on_visitor(conn)

    def adopt(self, conn: int, session: SessionView) -> None:
        """Continue a session over this connection."""
        self._reactor.adopt(conn, session, True)
        if conn in self.visitors:
            self.visitors[conn] = session
            self._on_visitor(conn)

    def unlink(self, conn: int) -> None:
        """See `Out`."""
        self._reactor.unlink(conn)
        if self.visitors and conn in self.visitors:
            self.free.append(conn)

    def close(self, conn: int, code: int, frame: bytes | None) -> None:
        """See `Out`."""
        self._reactor.close(conn, code, frame)
        self.visitors.pop(conn, None)

    def visits(self, conn: int, session: SessionView) -> None:
        """Mark a connection as a visitor's: it came from another host."""
        self.visitors[conn] = session
        self.free.append(conn)

    def keep(self, item: Any) -> None:
        """Give a record, a save or a report to the store."""
        self._keep(item)
        if self.visitors:
            self.news(item[0].conn)
