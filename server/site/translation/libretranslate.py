"""What LibreTranslate is asked: one line, from one language into another. Rule: it gets the line and the languages, and nothing of whose they are.

So many are asked at once, so many wait for that, and each within its time; what is beyond is refused at once. Nothing of a line is kept or logged.
"""

import asyncio
import re
import time
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from server.http.request.http_client import Elsewhere, bounded
from server.ops import log
from server.ops.config.settings import Translation
from server.ops.metrics.exposition import Reading

AUTO: Final = "auto"  # the language is to be found by the text
ANSWER_MAX: Final = 64 * 1024  # bytes: 2,000 characters, escaped, several times as long
SAID_EVERY: Final = 60.0  # seconds between two lines of the log that say that it does not answer
# What became of a line: as the metrics say it, and but for the first and the last the word of the refusal.
RESULTS: Final = ("translated", "language", "busy", "away", "limited")

_tag = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII).fullmatch
logger = log.get()


class Untranslated(Exception):
    """There is no translation. `code`: `language`: it does not do these two · `busy`: too many wait · `away`: it does not answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Translated(NamedTuple):
    """A line, and the language that it was in: as it was asked, or as it was found."""

    text: str
    source: str


def is_language(tag: object) -> bool:
    """Whether something is a short language tag."""
    return isinstance(tag, str) and len(tag) <= 16 and _tag(tag) is not None


class Libre:
    """A client of one LibreTranslate server. Call it in the loop; `stop` ends it."""

    def __init__(self, settings: Translation) -> None:
        self._settings = settings
        self._gate = asyncio.Semaphore(settings.at_once)
        self._most = settings.at_once + settings.waiting
        self._elsewhere = Elsewhere(settings.at_once)
        self._said = -SAID_EVERY
        self.inside = 0  # lines that are asked or wait
        self.tally = dict.fromkeys(RESULTS, 0)

    async def translate(self, text: str, source: str, target: str) -> Translated:
        """A line in the language `target`; `source` may be AUTO. Raises Untranslated."""
        try:
            found = await self._in_turn(text, source, target)
        except Untranslated as error:
            self.tally[error.code] += 1
            raise
        self.tally["translated"] += 1
        return found

    async def stop(self) -> None:
        """Let go of the connections."""
        await self._elsewhere.stop()

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_translations": {(result,): count for result, count in self.tally.items()},
            "serendip_translations_waiting": self.inside,
        }

    async def _in_turn(self, text: str, source: str, target: str) -> Translated:
        if self.inside >= self._most:
            raise Untranslated("busy")
        self.inside += 1
        try:
            async with asyncio.timeout(self._settings.timeout), self._gate:
                return await self._asked(text, source, target)
        except TimeoutError:
            self._say("slow")
            raise Untranslated("away") from None
        except (aiohttp.ClientError, OSError):
            self._say("away")
            raise Untranslated("away") from None
        finally:
            self.inside -= 1

    async def _asked(self, text: str, source: str, target: str) -> Translated:
        asked = {"q": text, "source": source, "target": target, "format": "text"}
        if key := self._settings.key.get_secret_value():
            asked["api_key"] = key
        async with self._elsewhere.web().post(
            f"{self._settings.url}/translate",
            data=orjson.dumps(asked),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as answer:
            if answer.status == 200:
                return self._read(await bounded(answer, ANSWER_MAX), source)
            status = answer.status
        if status == 400:  # a language that it does not have, or none that it could find
            raise Untranslated("language")
        if status == 429:
            raise Untranslated("busy")
        self._say("denied" if status in {401, 403} else "refused")
        raise Untranslated("away")

    def _read(self, body: bytes | None, source: str) -> Translated:
        """Its answer; what is none is its fault."""
        try:
            found: Any = orjson.loads(body or b"")
            text = found["translatedText"]
            if source == AUTO:
                source = found["detectedLanguage"]["language"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str) or not text or not is_language(source):
            self._say("malformed")
            raise Untranslated("away")
        return Translated(text, source)

    def _say(self, cause: str) -> None:
        """Log, now and then, that no translation comes."""
        now = time.monotonic()
        if now - self._said >= SAID_EVERY:
            self._said = now
            logger.warning("translation.failed", cause=cause)
