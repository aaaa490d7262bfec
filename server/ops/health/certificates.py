"""Measure how long the TLS certificates of the site (port 443) and of the NATS servers remain valid.

Certificates are not verified and no request is sent, because only the expiry date is needed, also of an expired one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from cryptography import x509

from server.ops.config.cluster_settings import Cluster
from server.ops.config.settings import Settings

FIRST_AFTER_S: Final = 60.0
EVERY_S: Final = 6 * 3600.0
AGAIN_AFTER_S: Final = 3600.0  # after a check that a server did not answer, and while a certificate is to be renewed
URGENT_S: Final = 60.0  # while one ends at once: the alert is over when it was renewed
ANSWER_WITHIN_S: Final = 5.0
HTTPS: Final = 443
NATS: Final = 4222  # the port of an address that names none
WARN_BEFORE_S: Final = 21 * 86_400.0  # as the alert SerendipCertificateEnds
URGENT_BEFORE_S: Final = 2 * 86_400.0  # as the alert SerendipCertificateEnded


class Place(NamedTuple):
    """A server whose certificate is checked. `of`: the metric's label."""

    of: Literal["site", "nats"]
    host: str
    port: int


def site_places(settings: Settings) -> list[Place]:
    """List the addresses that browsers use: the names in `server.hosts` that are neither patterns nor IP addresses."""
    names = [name for name in settings.server.hosts if "*" not in name and "." in name and not name[-1].isdigit()]
    return [Place("site", name, HTTPS) for name in names]


def nats_places(cluster: Cluster) -> list[Place]:
    """List the NATS servers that are reached by TLS."""
    urls = [urlsplit(server) for server in cluster.nats]
    return [Place("nats", url.hostname, url.port or NATS) for url in urls if url.scheme == "tls" and url.hostname]


async def expiry(place: Place) -> float:
    """Return the Unix time at which a server's certificate expires. Raises OSError (TimeoutError is one), ValueError."""
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
    """Return the Unix time at which the first certificate in a file (`cluster.ca`) expires. Blocks. Raises OSError, ValueError."""
    return min(one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(file.read_bytes()))


class CertificateDates:
    """The certificate expiry dates that one process checks."""

    def __init__(self, looked_at: Sequence[Place], authority: Path | None = None) -> None:
        """`authority`: the file of the certificate authority that NATS certificates are verified with."""
        self._places = looked_at
        self._authority = authority
        self._expiries: dict[tuple[str, ...], float] = {}

    async def run(self) -> None:
        """Check all servers periodically, without end."""
        await asyncio.sleep(FIRST_AFTER_S * (0.5 + random.random()))
        while True:
            await self.look()
            await asyncio.sleep(self.pause_s(time.time()))

    def pause_s(self, now: float) -> float:
        """Return the seconds until the next check: few while a certificate ends soon, because only a check ends the alert about it."""
        left = min(self._expiries.values(), default=now) - now
        if self._expiries and left < URGENT_BEFORE_S:
            return URGENT_S
        complete = len(self._expiries) == len({place.of for place in self._places})
        return EVERY_S if complete and left > WARN_BEFORE_S else AGAIN_AFTER_S

    async def look(self) -> None:
        """Ask each server once; one that does not answer has no value."""
        found: dict[tuple[str, ...], float] = {}
        for place in self._places:
            with contextlib.suppress(OSError, ValueError):
                ends = await expiry(place)
                if place.of == "nats" and self._authority is not None:
                    ends = min(ends, await asyncio.to_thread(authority_expiry, self._authority))
                found[place.of,] = min(ends, found.get((place.of,), ends))
        self._expiries = found

    def reading(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return the expiry dates, as a source of metrics."""
        return {"serendip_certificate_expiry_timestamp_seconds": dict(self._expiries)}
