"""What a company says of an answer that somebody gave to its challenge: Turnstile, hCaptcha and reCAPTCHA speak one protocol, siteverify.

Rule: it gets the answer and our secret, and an address only where the operator wants that. What it cannot say in time, or says in no way
that is known, is no verdict. So many are asked at once, so many wait for that; nothing of an answer is kept or logged.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import orjson

from server.http.request.http_client import Elsewhere, bounded
from server.ops import log
from server.ops.config.challenge_settings import RECAPTCHA, Challenge, Company
from server.ops.metrics.challenge_metrics import RESULTS
from server.ops.metrics.exposition import Reading
from server.ops.security import allowed_hosts as known_hosts

ACTION: Final = "find"  # what an answer is for, as the script was told
PATIENCE: Final = 3.0  # seconds for one answer, waiting for its turn included
AT_ONCE: Final = 16
WAITING_MAX: Final = 256  # answers that are asked about or wait for that
OLDEST: Final = 300.0  # seconds since it was solved
EARLIEST: Final = -60.0  # the same, of a clock that is ahead of ours
ANSWER_MAX: Final = 16 * 1024  # bytes; theirs have 200 to 400
AWAY_FOR: Final = 30.0  # seconds for which a company that said nothing is not asked for, where there is another way
SAID_EVERY: Final = 60.0  # seconds between two lines of the log that say so
RESPONSE_MAX: Final = 8 * 1024  # characters
# Their words for what is our fault, or their own: no answer of a stranger's brings one of them.
OURS: Final = frozenset(("missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "internal-error"))

logger = log.get()


class Silent(Exception):
    """It gave no verdict. `cause`: a word of the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Siteverify:
    """A client of one company. Call it in the loop; `stop` ends it. `hosts`: the names that this server answers to."""

    def __init__(self, settings: Challenge, company: Company) -> None:
        self._settings = settings
        self._company = company
        self.hosts: Iterable[str] = ()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._elsewhere = Elsewhere(AT_ONCE)
        self.said = ""  # why it said nothing, the last time
        self._told = -SAID_EVERY  # when the log said so
        self._away = -AWAY_FOR  # when it said nothing last
        self.inside = 0  # answers that are asked about or wait for that
        self.tally = dict.fromkeys(RESULTS, 0)

    @property
    def away(self) -> bool:
        """Whether it said nothing a moment ago."""
        return time.monotonic() - self._away < AWAY_FOR

    async def right(self, response: str, address: str) -> bool | None:
        """Whether an answer is right; `address`: whose it is. None: nobody knows."""
        if self.inside >= WAITING_MAX:
            self.tally["busy"] += 1
            return None
        if not _possible(response):
            self.tally["wrong"] += 1
            return False
        self.inside += 1
        try:
            async with asyncio.timeout(PATIENCE), self._gate:
                found = await self._asked(response, address)
        except (Silent, TimeoutError, aiohttp.ClientError, OSError) as error:
            slow = "slow" if isinstance(error, TimeoutError) else "away"
            self._nothing(error.cause if isinstance(error, Silent) else slow)
            return None
        finally:
            self.inside -= 1
        self.tally["right" if found else "wrong"] += 1
        return found

    async def stop(self) -> None:
        """Let go of the connections."""
        await self._elsewhere.stop()

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_challenge_checks": {(result,): count for result, count in self.tally.items()},
            "serendip_challenge_checks_waiting": self.inside,
        }

    async def _asked(self, response: str, address: str) -> bool:
        """Its verdict. Raises Silent."""
        form = {"secret": self._settings.secret.get_secret_value(), "response": response}
        if self._settings.send_address and address:
            form["remoteip"] = address
        async with self._elsewhere.web().post(self._company.verify_url, data=form, allow_redirects=False) as answer:
            if answer.status >= 500 or 300 <= answer.status < 400:
                raise Silent("refused")
            return self._read(await bounded(answer, ANSWER_MAX))

    def _read(self, body: bytes | None) -> bool:
        """Its verdict, by our own rules; `body` None: too long. Raises Silent."""
        try:
            found: Any = orjson.loads(body or b"")
            success, errors = found["success"], found.get("error-codes") or ()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Silent("malformed") from None
        if type(success) is not bool or not isinstance(errors, list | tuple):
            raise Silent("malformed")
        if not success:
            if any(error in OURS for error in errors if isinstance(error, str)):
                raise Silent("denied")
            return False
        return self._fits(found)

    def _fits(self, found: dict[str, Any]) -> bool:
        """Whether what they say was solved was solved here, for this, and lately."""
        host, solved = found.get("hostname"), _seconds(found.get("challenge_ts"))
        if not isinstance(host, str) or not known_hosts.known(host, self.hosts):
            return False
        if solved is None or not EARLIEST <= time.time() - solved <= OLDEST:
            return False
        score = found.get("score") if self._settings.provider == RECAPTCHA else None  # another's may mean the opposite
        if score is not None and not (type(score) in (int, float) and score >= self._settings.score):
            return False
        return found.get("action") == ACTION or not (
            self._company.actions or score is not None or self._settings.invisible
        )

    def _nothing(self, cause: str) -> None:
        """It says nothing; count that, and log it now and then."""
        self.tally["away"] += 1
        self._away = now = time.monotonic()
        self.said = cause
        if now - self._told >= SAID_EVERY:
            self._told = now
            logger.warning("challenge.unchecked", cause=cause)


def _possible(response: str) -> bool:
    """Whether it may be an answer at all: else the company need not be asked, and is not to complain of it."""
    return 0 < len(response) <= RESPONSE_MAX and response.isascii() and response.isprintable()


def _seconds(told: object) -> float | None:
    """Unix seconds of a time as they write one: ISO 8601, in UTC where it does not say."""
    if not isinstance(told, str) or len(told) > 64:
        return None
    try:
        at = datetime.fromisoformat(told)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
