"""What the engine wants done, on this worker's reactor (`engine.ports.Out`). Rule: most of it is the reactor's own method; nothing waits here."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from engine.views import SessionView, error
from ext.net.reactor import Reactor


class Output:
    """See the module; implements `engine.ports.Out`."""

    def __init__(self, reactor: Reactor) -> None:
        self.send = reactor.send
        self.link = reactor.link
        self.unlink = reactor.unlink
        self.say = reactor.say
        self.typing = reactor.typing
        self.refuse = reactor.refuse
        self.replay = reactor.replay
        self.close = reactor.close
        self._reactor = reactor
        self.signals_refused: Counter[str] = Counter()  # by the code that the sender was told
        self.on_keep: Callable[[Any], None] | None = None

    def signal(self, conn: int, frame: bytes) -> None:
        """For the partner; the sender is told where that was too fast or too much."""
        fault = self._reactor.signal(conn, frame)
        if fault:
            self.signals_refused[fault] += 1
            self.send(conn, error(fault, "signal"))

    def adopt(self, conn: int, session: SessionView) -> None:
        """A session goes on over this connection."""
        self._reactor.adopt(conn, session, True)

    def keep(self, item: Any) -> None:
        """For the store, where there is one."""
        if self.on_keep is not None:
            self.on_keep(item)
