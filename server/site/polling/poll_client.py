"""Hold what one long-polling client has to receive, and number its requests, so that a request which a browser or a proxy sends twice has one effect.

**Invariant:** a batch of frames is kept until the request for the next one confirms it; queued bytes are bounded, beyond QUEUED_MAX nothing is read.
"""

import asyncio
import os
from typing import Final

from server.site.omegle.remote_session import SessionWire, WireState

QUEUED_MAX: Final = 32 * 1024  # bytes of queued frames, after which reading stops


class OutOfOrder(Exception):
    """A request's number is neither the next one nor the last one: something was lost, and the client has to resume."""


class Overtaken(OutOfOrder):
    """A request that a network delivers behind a later one: it has no effect, and nothing was lost."""


class PollClient:
    """One client. `heard`: monotonic time of its last request; `is_over`: its connection to the reactor has ended."""

    def __init__(self, descriptor: int, now: float) -> None:
        """`descriptor`: its end of the socket pair, which this object owns."""
        self.heard = now
        self.is_over = False
        self._frames: list[bytes] = []
        self._size = 0
        self._batch: list[bytes] = []
        self._number = 0  # of the batch that was sent last
        self._code = 0  # with which the server closed; 0: it did not
        self._sent = 0  # number of the last request with frames
        self._waiter: asyncio.Future[None] | None = None
        self._wire = SessionWire(self._hear)
        self._wire.take(WireState(descriptor, b"", b""))

    def touch(self, now: float) -> None:
        """Note a request, which keeps the connection. One that has ended is kept no longer by it."""
        if not self.is_over:
            self.heard = now

    @property
    def is_held(self) -> bool:
        """Whether a poll waits."""
        return self._waiter is not None

    def _hear(self, items: list[bytes | int]) -> None:
        for item in items:
            if isinstance(item, bytes):
                self._frames.append(item)
                self._size += len(item)
            else:
                self._code, self.is_over = item, True
        if self._size > QUEUED_MAX:
            self._wire.hold(True)
        self.release()

    def release(self) -> None:
        """Answer the held poll, if there is one."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def poll(self, after: int, hold: float) -> bytes:
        """Return the answer behind batch `after`: new frames, waiting `hold` seconds for them, or the last batch again. Raises OutOfOrder."""
        if after < self._number - bool(self._batch):
            raise Overtaken
        self.release()  # one poll waits at most: the newest
        if after < self._number:
            return self._answer()
        if after > self._number:
            raise OutOfOrder
        self._batch = []
        if not self._frames and not self.is_over:
            await self._wait(hold)
        if after == self._number and self._frames:
            self._number += 1
            self._batch, self._frames, self._size = self._frames, [], 0
            self._wire.hold(False)
        return self._answer()

    async def _wait(self, hold: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()

        def on_end() -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = loop.call_later(hold, on_end)
        try:
            await waiter
        finally:
            timer.cancel()
            if self._waiter is waiter:
                self._waiter = None

    def _answer(self) -> bytes:
        closed = b',"closed":%d' % self._code if self.is_over and not self._frames else b""
        return b'{"number":%d,"frames":[%s]%s}' % (self._number, b",".join(self._batch), closed)

    def say(self, number: int, frames: list[bytes]) -> bool:
        """Send frames of the client, of its request `number`; a repeated request sends nothing. False: they could not be sent. Raises OutOfOrder."""
        if number <= self._sent:
            return True
        if number != self._sent + 1:
            raise OutOfOrder
        self._sent = number
        return all(self._wire.say(frame) for frame in frames)

    def close(self, code: int) -> None:
        """Close with a client's code, as its WebSocket would."""
        self._wire.leave(code)
        self._end()

    def cut(self) -> None:
        """Close as a connection that was cut: the session can be resumed."""
        left = self._wire.release()
        if left is not None:
            os.close(left.descriptor)
        self._end()

    def _end(self) -> None:
        self.is_over = True
        self._code = self._code or 1006
        self.release()
