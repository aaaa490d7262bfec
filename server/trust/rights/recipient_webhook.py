"""Send a notice of a deletion to a recipient's webhook, in one try, signed as in the Standard Webhooks specification.

The signature is `v1,` + base64(HMAC-SHA256(secret, `ID.TIMESTAMP.BODY`)). The id of a notice is the same at each try, so that a recipient who gets it
twice acts once.

**Invariant:** no redirect is followed, no address outside the public internet is reached unless the recipient's settings allow it, and nothing of an
answer but its status is read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from enum import Enum
from ipaddress import ip_address
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from server.ops.config.recipient_settings import Recipient

PATIENCE: Final = 15.0  # seconds of one try
CONNECT: Final = 10.0  # seconds of these for the connection, before which no byte of the notice leaves
TRY_AGAIN: Final = (408, 425, 429)  # client errors that pass


class Outcome(Enum):
    """Outcome of one try. After AWAY no byte of the notice reached the recipient; after LOST it may have, and is to be sent again."""

    TOLD = "told"
    REFUSED = "refused"
    LOST = "lost"
    AWAY = "away"


class _NotPublic(OSError):
    """The host has an address outside the public internet."""


class _PublicResolver(AbstractResolver):
    """Resolver that refuses a host with any address that is not public."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(ip_address(one["host"].partition("%")[0]).is_global for one in found):
            raise _NotPublic
        return found

    async def close(self) -> None:
        await self._resolver.close()


def signature(secret: str, ident: str, at: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    mac = hmac.digest(secret.encode(), f"{ident}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac).decode()}"


async def send(recipient: Recipient, ident: str, body: bytes, now: int) -> Outcome:
    """Send a notice. `now`: Unix seconds."""
    if not recipient.may_be_reached:
        return Outcome.AWAY
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "serendip",
        "webhook-id": ident,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(recipient.secret.get_secret_value(), ident, now, body),
    }
    resolver = None if recipient.private else _PublicResolver()
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=PATIENCE, connect=CONNECT),
            ) as web,
            web.post(recipient.contact, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ValueError):  # ValueError: an invalid address
        return Outcome.AWAY
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Outcome.LOST
    if 200 <= status < 300:
        return Outcome.TOLD
    return Outcome.REFUSED if 300 <= status < 500 and status not in TRY_AGAIN else Outcome.LOST
