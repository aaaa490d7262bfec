"""Verify captcha answers with the provider's siteverify API, which Turnstile, hCaptcha and reCAPTCHA share.

**Invariant:** the provider gets the answer and the secret, and the user's IP address only if the operator enables that; a late or unknown response
counts as no verdict. Running and waiting requests are bounded, and no answer is stored or logged.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import orjson

from engine.wire.protocol import SOLUTION_MAX
from server.http.request.http_client import HttpClient, read_bounded
from server.ops import log
from server.ops.config.challenge_settings import RECAPTCHA, Challenge, Company
from server.ops.metrics.challenge_metrics import RESULTS
from server.ops.metrics.metric_type import Reading
from server.ops.security import allowed_hosts as known_hosts

ACTION: Final = "find"  # the action's name, as given to the script
PATIENCE: Final = 3.0  # seconds for one verdict, including the wait for a free connection
AT_ONCE: Final = 16
WAITING_MAX: Final = 256  # answers in request or waiting
OLDEST: Final = 300.0  # seconds since it was solved
EARLIEST: Final = -60.0  # the same, for a provider's clock that is ahead
ANSWER_MAX: Final = 16 * 1024  # bytes; real ones have 200 to 400
AWAY_FOR: Final = 30.0  # seconds without the provider after a failure, if there is a fallback
SAID_EVERY: Final = 60.0  # seconds between two log lines about failures
# The provider's codes for a fault of this server or its own: no user's answer causes them.
OURS: Final = frozenset(("missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "internal-error"))

logger = log.get()


class Silent(Exception):
    """No verdict. `cause`: a word of the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Siteverify:
    """Client of one provider. Call it in the loop; `stop` ends it. `hosts`: the names of this server."""

    def __init__(self, settings: Challenge, company: Company) -> None:
        self._settings = settings
        self._company = company
        self.hosts: Iterable[str] = ()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._elsewhere = HttpClient(AT_ONCE)
        self.said = ""  # cause of the last failure
        self._told = -SAID_EVERY  # time of the last log line
        self._away = -AWAY_FOR  # time of the last failure
        self.inside = 0  # answers in request or waiting
        self.tally = dict.fromkeys(RESULTS, 0)

    @property
    def away(self) -> bool:
        """Whether it failed within the last AWAY_FOR seconds."""
        return time.monotonic() - self._away < AWAY_FOR

    async def right(self, response: str, address: str) -> bool | None:
        """Return whether an answer is right, or None without a verdict. `address`: the user's."""
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
        """Close the connections."""
        await self._elsewhere.stop()

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_challenge_checks": {(result,): count for result, count in self.tally.items()},
            "serendip_challenge_checks_waiting": self.inside,
        }

    async def _asked(self, response: str, address: str) -> bool:
        """Request a verdict. Raises Silent."""
        form = {"secret": self._settings.secret.get_secret_value(), "response": response}
        if self._settings.send_address and address:
            form["remoteip"] = address
        async with self._elsewhere.web().post(self._company.verify_url, data=form, allow_redirects=False) as answer:
            if answer.status >= 500 or 300 <= answer.status < 400:
                raise Silent("refused")
            return self._read(await read_bounded(answer, ANSWER_MAX))

    def _read(self, body: bytes | None) -> bool:
        """Parse a verdict, and apply this server's rules; `body` None: too long. Raises Silent."""
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
        """Whether the challenge was solved on this server, for this action, and recently."""
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
        """Count a failure, and log it every SAID_EVERY seconds at most."""
        self.tally["away"] += 1
        self._away = now = time.monotonic()
        self.said = cause
        if now - self._told >= SAID_EVERY:
            self._told = now
            logger.warning("challenge.unchecked", cause=cause)


def _possible(response: str) -> bool:
    """Whether this can be an answer at all; otherwise the provider is not asked."""
    return 0 < len(response) <= SOLUTION_MAX and response.isascii() and response.isprintable()


def _seconds(told: object) -> float | None:
    """Return Unix seconds of the provider's time: ISO 8601, in UTC by default."""
    if not isinstance(told, str) or len(told) > 64:
        return None
    try:
        at = datetime.fromisoformat(told)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
