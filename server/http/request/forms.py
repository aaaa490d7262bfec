"""Read a request's parameters from the query, a form body, or both; the first value of a name counts.

**Invariant:** size, number of parameters and reading time are bounded.
"""

# Clients of Omegle's protocol send quotes unencoded, bodies without a type and the same name twice: none of it is an error.

import asyncio
import re
from binascii import unhexlify
from collections.abc import Callable

from aiohttp import web

BODY_MAX = 64 * 1024  # bytes: a description of 32 KiB doubles when it is form-encoded
BODY_SECONDS = 10.0  # for the whole body
FIELDS_MAX = 256  # ICE candidates come one per field, some dozens at once

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


class BadForm(Exception):
    """The request cannot be read; `status` is the HTTP status, after which the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Form:
    """The parameters of one request."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a name."""
        for known, value in self.pairs:
            if known == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Return every value of a name."""
        return [value for known, value in self.pairs if known == name]

    def flag(self, name: str) -> bool:
        """Whether a switch is on: present, and neither empty, `0` nor `false`."""
        return self.get(name).lower() not in {"", "0", "false"}

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self.pairs)


def read(text: str) -> list[tuple[str, str]]:
    """Parse form-encoded pairs; invalid UTF-8 becomes U+FFFD. Raises BadForm for more than FIELDS_MAX.

    It parses as urllib.parse.parse_qsl does, which takes 50 ms for 64 KiB of per cent signs.
    """
    if not text:
        return []
    if text.count("&") >= FIELDS_MAX:
        raise BadForm(413)
    halves = [part.partition("=") for part in text.replace("+", " ").split("&") if part]
    if "%" not in text:
        return [(name, value) for name, _, value in halves]
    return [(unquoted(name), unquoted(value)) for name, _, value in halves]


def unquoted(text: str) -> str:
    """Decode per cent escapes (`%41` is A); invalid escapes stay as they are."""
    if "%" not in text:
        return text
    return _ESCAPES.sub(_bytes_of, text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def _bytes_of(escapes: re.Match[bytes]) -> bytes:
    return unhexlify(escapes[0].replace(b"%", b""))


async def body(request: web.BaseRequest, most: int = BODY_MAX) -> bytes:
    """Read the whole body, at most `most` bytes within BODY_SECONDS. Raises BadForm."""
    parts: list[bytes] = []
    await take(request, most, parts.append)
    return b"".join(parts)


async def take(request: web.BaseRequest, most: int, taker: Callable[[bytes], object]) -> None:
    """Read the body as `body` does, and call `taker` with each piece. Raises BadForm."""
    if not request.can_read_body:
        return
    if (request.content_length or 0) > most:
        raise BadForm(413)
    size = 0
    try:
        async with asyncio.timeout(None if request.content.is_eof() else BODY_SECONDS):
            while part := await request.content.readany():
                size += len(part)
                if size > most:
                    raise BadForm(413)
                taker(part)
    except TimeoutError:
        raise BadForm(408) from None
    except (web.RequestPayloadError, OSError):  # an invalid body, or the client closed the connection
        raise BadForm(400) from None


async def form(request: web.BaseRequest) -> Form:
    """Return the parameters of a request, those of the query first. Raises BadForm."""
    pairs = read(request.rel_url.raw_query_string)
    sent = await body(request)
    if sent:
        pairs += read(sent.decode("utf-8", "replace"))
    return Form(pairs)
