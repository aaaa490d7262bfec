"""Send HTTP requests to servers of other operators.
**Invariant:** no cookies, no version of this program, bounded response bodies.
"""

import aiohttp


class HttpClient:
    """Connections to one server, `at_once` at most. Call it in the loop; `stop` closes them."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    def web(self) -> aiohttp.ClientSession:
        """Return the client session; the caller sets time limits."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._at_once),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": "serendip", "Accept": "application/json"},
            )
        return self._session

    async def stop(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> bytes | None:
    """Return the response body; None if it has more than `most` bytes."""
    parts = bytearray()
    async for part in answer.content.iter_any():
        parts += part
        if len(parts) > most:
            return None
    return bytes(parts)
