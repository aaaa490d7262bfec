"""Check how long the TLS certificates of the site and of NATS remain valid, for `serendip check`."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Sequence
from pathlib import Path

from server.main.checks.check_finding import Finding, error, notice, ok, warning
from server.ops.health.certificates import WARN_BEFORE_S, Place, authority_expiry, expiry

REMEDIES = {
    "site": "look at what renews it (Caddy's log, certbot)",
    "nats": "where NATS runs: nats_keys.py /etc/nats --renew, then systemctl reload nats",
}
AUTHORITY_REMEDY = f"{REMEDIES['nats']}; it makes another ca.pem too: copy that to each host"


async def certificates(looked_at: Sequence[Place]) -> list[Finding]:
    """Return a finding for each server."""
    return [await _certificate(place) for place in looked_at]


async def _certificate(place: Place) -> Finding:
    where = f"{place.host} port {place.port}"
    try:
        ends = await expiry(place)
    except (OSError, ValueError) as fault:
        said = f"{where}: its certificate cannot be asked for from here ({str(fault) or type(fault).__name__})"
        return notice("tls", said, "look at it from elsewhere; nothing tells you before it ends")
    return _finding(f"{where}: its certificate", ends, REMEDIES[place.of])


async def authority(file: Path) -> list[Finding]:
    """Return a finding about the certificate authority that NATS certificates are verified with (`cluster.ca`)."""
    try:
        ends = await asyncio.to_thread(authority_expiry, file)
    except (OSError, ValueError) as fault:
        return [error("tls", f"{file}: {fault}", "copy ca.pem from the folder of nats_keys.py")]
    return [_finding(f"{file}: the certificate of the authority", ends, AUTHORITY_REMEDY)]


def _finding(what: str, ends: float, remedy: str) -> Finding:
    """Return how long a certificate is valid."""
    at, left = datetime.datetime.fromtimestamp(ends, datetime.UTC), ends - time.time()
    if left <= 0:
        return error("tls", f"{what} ended on {at:%Y-%m-%d at %H:%M} UTC", remedy)
    said = f"{what} is valid until {at:%Y-%m-%d at %H:%M} UTC, {left / 86_400:.0f} days"
    return warning("tls", said, remedy) if left < WARN_BEFORE_S else ok("tls", said)
