"""What the engine wants done, on this worker's reactor (`engine.core.ports.Out`). Rule: most of it is the reactor's own method; nothing waits
here."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from engine.views import SessionView, error
from ext.net.ring import Ring
from ext.reactor.reactor import Reactor
from server.realtime.worker.worker_ports import ignore


class Output:
    """See the module; implements `engine.core.ports.Out`."""

    def __init__(
        self, reactor: Reactor, keep: Callable[[Any], None] = ignore, on_visitor: Callable[[int], None] = ignore
    ) -> None:
        """`keep`, `on_visitor`: see `WorkerPorts`."""
        self.send = reactor.send
        self.say = reactor.say
        self.typing = reactor.typing
        self.refuse = reactor.refuse
        self.replay = reactor.replay
        self._reactor = reactor
        self.visitors: dict[int, SessionView] = {}  # whose wire is a connection of another host, by connection
        self.free: list[int] = []  # of these, whose chat is over or who came, since it was looked at last
        self.signals_refused: Counter[str] = Counter()  # by the code that the sender was told
        self._keep = keep
        self._on_visitor = on_visitor

    def signal(self, conn: int, frame: bytes) -> None:
        """For the partner; the sender is told where that was too fast or too much."""
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
        """What the host of a visitor's connection is to know of them may have changed."""
        if conn in self.visitors:
            self._on_visitor(conn)

    def adopt(self, conn: int, session: SessionView) -> None:
        """A session goes on over this connection."""
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
        """This connection came from another host."""
        self.visitors[conn] = session
        self.free.append(conn)

    def keep(self, item: Any) -> None:
        """For the store, where there is one."""
        self._keep(item)
        if self.visitors:
            self.news(item[0].conn)
