"""Parameters of a request: in the query, in a form body, or both. Rule: bounded in size, number and time; the first of a name counts.

Clients of this protocol send quotes unencoded, bodies without a type and the same name twice: none of it is an error.
"""

import asyncio
import re
from collections.abc import Callable

from aiohttp import web

BODY_MAX = 64 * 1024  # bytes: a description of 32 KiB doubles when it is form-encoded
BODY_SECONDS = 10.0  # for the whole body
FIELDS_MAX = 256  # candidates come one a field, some dozens at once

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


class BadForm(Exception):
    """The request cannot be read; `status` is the HTTP answer, after which the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Form:
    """The parameters of one request."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """The first value of a name."""
        for known, value in self.pairs:
            if known == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return [value for known, value in self.pairs if known == name]

    def flag(self, name: str) -> bool:
        """Whether a switch is on: present, and neither empty, `0` nor `false`."""
        return self.get(name).lower() not in {"", "0", "false"}

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self.pairs)


def read(text: str) -> list[tuple[str, str]]:
    """Form-encoded pairs; bytes that are no UTF-8 become U+FFFD. Raises BadForm for more than FIELDS_MAX.

    As urllib.parse.parse_qsl reads them, which takes 50 ms for 64 KiB of per cent signs.
    """
    if not text:
        return []
    if text.count("&") >= FIELDS_MAX:
        raise BadForm(413)
    halves = (part.partition("=") for part in text.replace("+", " ").split("&") if part)
    return [(unquoted(name), unquoted(value)) for name, _, value in halves]


def unquoted(text: str) -> str:
    """Text in which `%41` stands for A; what is no such sign stands for itself."""
    if "%" not in text:
        return text
    return _ESCAPES.sub(_bytes_of, text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def _bytes_of(escapes: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escapes[0].replace(b"%", b"").decode())


async def body(request: web.BaseRequest, most: int = BODY_MAX) -> bytes:
    """The whole body, of `most` bytes within BODY_SECONDS. Raises BadForm."""
    parts: list[bytes] = []
    await take(request, most, parts.append)
    return b"".join(parts)


async def take(request: web.BaseRequest, most: int, taker: Callable[[bytes], object]) -> None:
    """The same, piece by piece for `taker`. Raises BadForm."""
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
    except (web.RequestPayloadError, OSError):  # it is no body, or whoever sent it hung up
        raise BadForm(400) from None


async def form(request: web.BaseRequest) -> Form:
    """The parameters of a request, those of the query first. Raises BadForm."""
    pairs = read(request.rel_url.raw_query_string)
    sent = await body(request)
    if sent:
        pairs += read(sent.decode("utf-8", "replace"))
    return Form(pairs)
