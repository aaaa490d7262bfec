"""Connections to a server of somebody else that is asked over HTTP. Rule: no cookies, no version of this program, no answer beyond a size."""

import aiohttp


class Elsewhere:
    """To one of them, `at_once` at most. Call it in the loop; `stop` ends it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    def web(self) -> aiohttp.ClientSession:
        """The connections; whoever asks bounds the time."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._at_once),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": "serendip", "Accept": "application/json"},
            )
        return self._session

    async def stop(self) -> None:
        """Let go of them."""
        if self._session is not None:
            await self._session.close()


async def bounded(answer: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body; None where it has more than `most` bytes."""
    parts = bytearray()
    async for part in answer.content.iter_any():
        parts += part
        if len(parts) > most:
            return None
    return bytes(parts)
