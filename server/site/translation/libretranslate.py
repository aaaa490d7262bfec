"""Send chat lines to LibreTranslate for translation. **Invariant:** LibreTranslate gets the line and the languages and nothing about the user, and
no line is stored or logged.

Concurrent requests, waiting lines and time are bounded; a line beyond these bounds is refused at once.
"""

import asyncio
import re
import time
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from server.http.request.http_client import HttpClient, read_bounded
from server.ops import log
from server.ops.config.settings import Translation
from server.ops.metrics.metric_type import Reading

AUTO: Final = "auto"  # detect the language from the text
ANSWER_MAX: Final = 64 * 1024  # bytes: 2,000 characters, escaped, several times as long
SAID_EVERY: Final = 60.0  # seconds between two log events about a failing server
# Outcomes of a line, as the metrics name them; all but the first and the last are also codes of refusals.
RESULTS: Final = ("translated", "language", "busy", "away", "limited")

_tag = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII).fullmatch
logger = log.get()


class NotTranslated(Exception):
    """The line was not translated. `code`: `language`: not for these two languages · `busy`: too many wait · `away`: the server does not answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Translated(NamedTuple):
    """A translated line, and its source language, as given or as detected."""

    text: str
    source: str


def is_language(tag: object) -> bool:
    """Whether a value is a short language tag."""
    return isinstance(tag, str) and len(tag) <= 16 and _tag(tag) is not None


class TranslationClient:
    """Client of one LibreTranslate server. Call it in the loop; `stop` ends it."""

    def __init__(self, settings: Translation) -> None:
        self._settings = settings
        self._gate = asyncio.Semaphore(settings.at_once)
        self._most = settings.at_once + settings.waiting
        self._elsewhere = HttpClient(settings.at_once)
        self._said = -SAID_EVERY
        self.inside = 0  # lines that are requested or wait
        self.tally = dict.fromkeys(RESULTS, 0)

    async def translate(self, text: str, source: str, target: str) -> Translated:
        """Translate a line into the language `target`; `source` may be AUTO. Raises Untranslated."""
        try:
            found = await self._in_turn(text, source, target)
        except NotTranslated as error:
            self.tally[error.code] += 1
            raise
        self.tally["translated"] += 1
        return found

    async def translate_line(self, text: str, target: str) -> str | None:
        """Translate a line from any language; return None if it was not translated."""
        try:
            return (await self.translate(text, AUTO, target)).text
        except NotTranslated:
            return None

    async def stop(self) -> None:
        """Close the connections."""
        await self._elsewhere.stop()

    def reading(self) -> Reading:
        """Return the outcomes, as a source of metrics."""
        return {
            "serendip_translations": {(result,): count for result, count in self.tally.items()},
            "serendip_translations_waiting": self.inside,
        }

    async def _in_turn(self, text: str, source: str, target: str) -> Translated:
        if self.inside >= self._most:
            raise NotTranslated("busy")
        self.inside += 1
        try:
            async with asyncio.timeout(self._settings.timeout), self._gate:
                return await self._asked(text, source, target)
        except TimeoutError:
            self._say("slow")
            raise NotTranslated("away") from None
        except (aiohttp.ClientError, OSError):
            self._say("away")
            raise NotTranslated("away") from None
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
                return self._read(await read_bounded(answer, ANSWER_MAX), source)
            status = answer.status
        if status == 400:  # an unsupported language, or none could be detected
            raise NotTranslated("language")
        if status == 429:
            raise NotTranslated("busy")
        self._say("denied" if status in {401, 403} else "refused")
        raise NotTranslated("away")

    def _read(self, body: bytes | None, source: str) -> Translated:
        """Parse the answer; an invalid one counts as a failure of the server."""
        try:
            found: Any = orjson.loads(body or b"")
            text = found["translatedText"]
            if source == AUTO:
                source = found["detectedLanguage"]["language"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str) or not text or not is_language(source):
            self._say("malformed")
            raise NotTranslated("away")
        return Translated(text, source)

    def _say(self, cause: str) -> None:
        """Log a failure, at most once in SAID_EVERY seconds."""
        now = time.monotonic()
        if now - self._said >= SAID_EVERY:
            self._said = now
            logger.warning("translation.failed", cause=cause)
