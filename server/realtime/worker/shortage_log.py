"""Log when the worker begins to refuse new connections for lack of descriptors or memory, and when this is over: one line each."""

from server.ops import log

QUIET = 60.0  # seconds without a refused newcomer until the shortage is over

logger = log.get()


class ShortageLog:
    """The shortage of one reactor, seen in its count of refused newcomers."""

    def __init__(self) -> None:
        self._count = 0
        self._began = 0
        self._at: float | None = None  # when the last one was seen; None: nothing is short

    def look(self, count: int, now: float) -> None:
        """Take the count of newcomers refused since the start; `now`: monotonic seconds."""
        if count != self._count:
            if self._at is None:
                self._began = self._count
                logger.error("server.short")
            self._count = count
            self._at = now
        elif self._at is not None and now - self._at >= QUIET:
            self._at = None
            logger.warning("server.short_over", count=count - self._began)
