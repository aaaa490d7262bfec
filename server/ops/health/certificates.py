"""Asks TLS servers how long their certificates are valid: the site's own names at port 443, and NATS.

Rule: nothing is sent, and nothing that is read is believed but a date, so no certificate is verified: an expired one has a date too.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from cryptography import x509

from server.ops.config.cluster_settings import Cluster
from server.ops.config.settings import Settings

FIRST_AFTER_S: Final = 60.0
EVERY_S: Final = 6 * 3600.0
AGAIN_AFTER_S: Final = 3600.0  # after a look at which no server answered
ANSWER_WITHIN_S: Final = 5.0
HTTPS: Final = 443
NATS: Final = 4222  # its port where none is named
WARN_BEFORE_S: Final = 21 * 86_400.0


class Place(NamedTuple):
    """A server whose certificate is looked at. `of`: the metric's label."""

    of: Literal["site", "nats"]
    host: str
    port: int


def site_places(settings: Settings) -> list[Place]:
    """Where browsers come: the names of `server.hosts` that are no patterns and no addresses."""
    names = [name for name in settings.server.hosts if "*" not in name and "." in name and not name[-1].isdigit()]
    return [Place("site", name, HTTPS) for name in names]


def nats_places(cluster: Cluster) -> list[Place]:
    """The servers of NATS that are asked by TLS."""
    urls = [urlsplit(server) for server in cluster.nats]
    return [Place("nats", url.hostname, url.port or NATS) for url in urls if url.scheme == "tls" and url.hostname]


async def expiry(place: Place) -> float:
    """Until when the certificate of a server is valid, Unix time. Raises OSError (TimeoutError is one), ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(ANSWER_WITHIN_S):
        reader, writer = await asyncio.open_connection(place.host, place.port)
        try:
            if place.of == "nats":
                await (
                    reader.readline()
                )  # INFO comes before TLS, docs.nats.io/reference/reference-protocols/nats-protocol
            await writer.start_tls(context, server_hostname=place.host)
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.transport.abort()
    if not shown:
        raise ValueError("no certificate was shown")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()


def authority_expiry(file: Path) -> float:
    """Until when the first to end of the certificates in a file (`cluster.ca`) is valid, Unix time. Blocks. Raises OSError, ValueError."""
    return min(one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(file.read_bytes()))


class Certificates:
    """Of one process."""

    def __init__(self, looked_at: Sequence[Place], authority: Path | None = None) -> None:
        """`authority`: the file by which NATS' certificate is believed."""
        self._places = looked_at
        self._authority = authority
        self._expiries: dict[tuple[str, ...], float] = {}

    async def run(self) -> None:
        """Look, for ever."""
        await asyncio.sleep(FIRST_AFTER_S * (0.5 + random.random()))
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S if self._expiries else AGAIN_AFTER_S)

    async def look(self) -> None:
        """Ask each server once; of one that does not answer nothing is known."""
        found: dict[tuple[str, ...], float] = {}
        for place in self._places:
            with contextlib.suppress(OSError, ValueError):
                ends = await expiry(place)
                if place.of == "nats" and self._authority is not None:
                    ends = min(ends, await asyncio.to_thread(authority_expiry, self._authority))
                found[place.of,] = min(ends, found.get((place.of,), ends))
        self._expiries = found

    def reading(self) -> dict[str, dict[tuple[str, ...], float]]:
        """A source of metrics."""
        return {"serendip_certificate_expiry_timestamp_seconds": dict(self._expiries)}
