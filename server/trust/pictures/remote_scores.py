"""Request the score of a picture from a remote HTTP server, if the operator configured one.

**Invariant:** that server gets the picture and nothing about its user. If it does not answer in time, the local picture process computes the score,
as it does everything else.
"""

import asyncio
import base64
import time
from typing import Any, Final

import aiohttp
import orjson

from server.http.request.http_client import HttpClient, read_bounded
from server.ops import log
from server.ops.config.picture_settings import Pictures
from server.trust.pictures.picture_client import PictureClient
from server.trust.pictures.picture_process_codec import UNSCORED, Judged

PATIENCE: Final = 3.0  # seconds for an answer, including the wait for a free connection
AT_ONCE: Final = 16
ANSWER_MAX: Final = 4096  # bytes
AWAY_FOR: Final = 30.0  # seconds without requests after a failure
SAID_EVERY: Final = 60.0  # seconds between two log lines about failures
STRIP: Final = "strip"

logger = log.get()


class Silent(Exception):
    """No score. `cause`: a word of the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class RemoteJudge:
    """Judge with remote scores, with the same two calls as `local`. Call it in the loop; `stop` ends it.

    Request: `{"kind": "strip", "image": base64}`, a JPEG of three stacked pictures of 320 × 240; answer: `{"score": 0 to 1}`. After a failure the
    server is not asked for AWAY_FOR seconds.
    """

    def __init__(self, chosen: Pictures, local: PictureClient) -> None:
        self._chosen = chosen
        self._local = local
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._elsewhere = HttpClient(AT_ONCE)
        self._away = -AWAY_FOR  # time of the last failure
        self._told = -SAID_EVERY
        self._inside = 0  # strips in request or waiting

    async def judge(self, strip: bytes, reported: bool = False) -> Judged | None:
        """Return the verdict on a strip, or None, as `PictureClient.judge`."""
        score = await self._score(strip) if self._local.up else UNSCORED
        return await self._local.judge(strip, reported, score)

    async def thumb(self, own: bytes) -> bytes | None:
        """Return the thumb of a tile, as `PictureClient.thumb`, without a remote request."""
        return await self._local.thumb(own)

    async def stop(self) -> None:
        """Close the connections."""
        await self._elsewhere.stop()

    async def _score(self, strip: bytes) -> float:
        """Return a score of 0 to 1, or UNSCORED after a failure."""
        if time.monotonic() - self._away < AWAY_FOR or self._inside >= self._chosen.queue:
            return UNSCORED
        self._inside += 1
        try:
            async with asyncio.timeout(PATIENCE), self._gate:
                return await self._asked(strip)
        except (Silent, TimeoutError, aiohttp.ClientError, OSError) as error:
            slow = "slow" if isinstance(error, TimeoutError) else "away"
            self._nothing(error.cause if isinstance(error, Silent) else slow)
            return UNSCORED
        finally:
            self._inside -= 1

    async def _asked(self, strip: bytes) -> float:
        """Request a score. Raises Silent."""
        head = {"Content-Type": "application/json"}
        if key := self._chosen.key.get_secret_value():
            head["Authorization"] = f"Bearer {key}"
        body = orjson.dumps({"kind": STRIP, "image": base64.b64encode(strip).decode()})
        async with self._elsewhere.web().post(
            self._chosen.url, data=body, headers=head, allow_redirects=False
        ) as answer:
            if answer.status != 200:
                raise Silent("denied" if answer.status in {401, 403} else "refused")
            return _read(await read_bounded(answer, ANSWER_MAX))

    def _nothing(self, cause: str) -> None:
        """Note a failure, and log it every SAID_EVERY seconds at most."""
        self._away = now = time.monotonic()
        if now - self._told >= SAID_EVERY:
            self._told = now
            logger.warning("pictures.unchecked", cause=cause)


def _read(body: bytes | None) -> float:
    """Return the score in an answer; `body` None: it was too long. Raises Silent."""
    try:
        found: Any = orjson.loads(body or b"")
        score = found["score"]
    except (ValueError, KeyError, TypeError):
        raise Silent("malformed") from None
    if type(score) not in (int, float) or not 0 <= score <= 1:
        raise Silent("malformed")
    return float(score)
