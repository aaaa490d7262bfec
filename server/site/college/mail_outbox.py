"""Send mails through the operator's SMTP server, with retries for ten minutes.

**Invariant:** the queue is in memory and bounded, and an address is deleted together with its mail.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from server.ops import log
from server.ops.config.settings import Mail
from server.ops.health.background_tasks import cancel_all
from server.ops.metrics.metric_type import Reading
from server.ops.process import mail_relay

WAITS: Final = (0.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0)  # seconds before each try: greylisting needs minutes
LIFE: Final = 600.0  # seconds: an older code has expired
LETTERS_MAX: Final = 500
AT_ONCE: Final = 4  # connections to the mail server

logger = log.get()


class OutboxFull(Exception):
    """Too many mails wait; this one was not accepted."""


class _Waiting:
    """A mail to be sent. `until`: seconds of the loop's clock; `tries`: made so far; `next`: seconds of the next one."""

    __slots__ = ("failed", "letter", "next", "task", "tries", "until")

    def __init__(self, letter: EmailMessage, failed: Callable[[], None], tries: int, until: float) -> None:
        self.letter = letter
        self.failed = failed
        self.tries = tries
        self.until = until
        self.next: float | None = None  # None: a try is in progress
        self.task: asyncio.Task[None]


class Outbox:
    """Mails and the tasks that send them. Call it in the loop."""

    def __init__(self, settings: Mail, waits: Sequence[float] = WAITS) -> None:
        self._settings = settings
        self._waits = waits
        self._letters: dict[bytes, _Waiting] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.tally = {"sent": 0, "retried": 0, "failed": 0}

    def put(self, key: bytes, letter: EmailMessage, failed: Callable[[], None]) -> None:
        """Queue a mail; `key` names it for `forget`, `failed` is called if it is given up. Raises OutboxFull."""
        if len(self._letters) >= LETTERS_MAX:
            raise OutboxFull
        self._begin(key, _Waiting(letter, failed, 0, asyncio.get_running_loop().time() + LIFE), self._waits[0])

    def _begin(self, key: bytes, one: _Waiting, wait: float) -> None:
        self.forget(key)
        one.next = asyncio.get_running_loop().time() + wait
        one.task = asyncio.get_running_loop().create_task(self._bring(one, wait))
        self._letters[key] = one
        one.task.add_done_callback(lambda _: self._letters.get(key) is one and self._letters.pop(key))

    def forget(self, key: bytes) -> None:
        """Cancel a mail."""
        one = self._letters.pop(key, None)
        if one is not None:
            one.task.cancel()

    async def stop(self) -> None:
        """Cancel all mails."""
        await cancel_all([one.task for one in self._letters.values()])

    def pack(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Remove the mails that wait for another try, and yield them for another process. A mail that is being tried stays, and waits here after
        it.
        """
        now = asyncio.get_running_loop().time()
        for key, one in list(self._letters.items()):
            if one.next is not None:
                self.forget(key)
                facts = {"key": key.hex(), "tries": one.tries, "left": one.until - now, "wait": one.next - now}
                yield facts, one.letter.as_bytes()

    def unpack(self, facts: dict[str, Any], blob: bytes, failed: Callable[[], None]) -> None:
        """Accept a mail of another process, even if the outbox is full. Raises KeyError, ValueError."""
        letter = message_from_bytes(blob, policy=policy.default)
        until = asyncio.get_running_loop().time() + float(facts["left"])
        one = _Waiting(letter, failed, int(facts["tries"]), until)
        self._begin(bytes.fromhex(facts["key"]), one, max(0.0, float(facts["wait"])))

    async def _bring(self, one: _Waiting, wait: float) -> None:
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(one.until):
                while True:
                    await asyncio.sleep(wait)
                    one.next = None
                    one.tries += 1
                    if await self._tried(one.letter):
                        self.tally["sent"] += 1
                        return
                    self.tally["retried"] += 1
                    if one.tries >= len(self._waits):
                        break
                    wait = self._waits[one.tries]
                    one.next = clock() + wait
            gave_up: Exception = TimeoutError()
        except Exception as error:  # noqa: BLE001 - permanently refused, out of time, or a fault here: the caller must learn of it
            gave_up = error
        self.tally["failed"] += 1
        logger.warning("college.mail_failed", **log.described(gave_up))
        one.failed()

    async def _tried(self, letter: EmailMessage) -> bool:
        """Try to send a mail; return whether the mail server accepted it. Raises MailRefused if another try is of no use."""
        try:
            async with self._gate:
                await mail_relay.send(letter, self._settings)
        except mail_relay.RelayAway:
            return False
        return True

    def reading(self) -> Reading:
        """Return the counts of mails, as a source of metrics."""
        return {
            "serendip_mail_letters": {(outcome,): count for outcome, count in self.tally.items()},
            "serendip_mail_waiting": len(self._letters),
        }

    def __len__(self) -> int:
        return len(self._letters)
