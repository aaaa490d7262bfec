"""Mail on its way: tried again until it is out, or for ten minutes. Rule: bounded, in memory, and an address is forgotten with its mail."""

import asyncio
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Final

import aiosmtplib

from server import log
from server.config.settings import Mail
from server.metrics.exposition import Reading

WAITS: Final = (0.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0)  # seconds before each try: greylisting wants minutes
LIFE: Final = 600.0  # seconds: an older code is worth nothing
PATIENCE: Final = 15.0  # seconds of one try
LETTERS_MAX: Final = 500
AT_ONCE: Final = 4  # connections to the mail server

logger = log.get()


class OutboxFull(Exception):
    """Too many letters wait; nothing was taken."""


class Outbox:
    """Letters and the tasks that bring them out. Call it in the loop."""

    def __init__(self, settings: Mail, waits: Sequence[float] = WAITS) -> None:
        self._settings = settings
        self._waits = waits
        self._letters: dict[bytes, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.tally = {"sent": 0, "retried": 0, "failed": 0}

    def put(self, key: bytes, letter: EmailMessage, failed: Callable[[], None]) -> None:
        """Take a letter; `key` names it to `forget`, `failed` hears that it is given up. Raises OutboxFull."""
        if len(self._letters) >= LETTERS_MAX:
            raise OutboxFull
        self.forget(key)
        task = asyncio.get_running_loop().create_task(self._bring(letter, failed))
        self._letters[key] = task
        task.add_done_callback(lambda done: self._letters.get(key) is done and self._letters.pop(key))

    def forget(self, key: bytes) -> None:
        """A letter is not wanted any more."""
        task = self._letters.pop(key, None)
        if task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Give up what waits."""
        tasks = list(self._letters.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _bring(self, letter: EmailMessage, failed: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(LIFE):
                for wait in self._waits:
                    await asyncio.sleep(wait)
                    if await self._tried(letter):
                        self.tally["sent"] += 1
                        return
                    self.tally["retried"] += 1
            gave_up: Exception = TimeoutError()
        except Exception as error:  # noqa: BLE001 - said no for good, out of time, or a fault of ours: whoever waits must hear of it
            gave_up = error
        self.tally["failed"] += 1
        logger.warning("college.mail_failed", **log.described(gave_up))
        failed()

    async def _tried(self, letter: EmailMessage) -> bool:
        """Whether the mail server took it; raises SMTPException where another try is of no use."""
        chosen = self._settings
        try:
            async with self._gate:
                await aiosmtplib.send(
                    letter,
                    hostname=chosen.host,
                    port=chosen.port,
                    username=chosen.user or None,
                    password=chosen.password.get_secret_value() or None,
                    use_tls=chosen.security == "tls",
                    start_tls=chosen.security == "starttls",
                    timeout=PATIENCE,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refused.code >= 500 for refused in error.recipients):
                raise
            return False
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= 500 and not isinstance(error, aiosmtplib.SMTPConnectError):
                raise
            return False
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_mail_letters": {(outcome,): count for outcome, count in self.tally.items()},
            "serendip_mail_waiting": len(self._letters),
        }

    def __len__(self) -> int:
        return len(self._letters)
