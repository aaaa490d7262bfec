"""Check how long the TLS certificates of the site and of NATS remain valid, for `serendip check`."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence

from server.main.checks.check_finding import Finding, error, notice, ok, warning
from server.ops.health.certificates import WARN_BEFORE_S, Place, expiry

REMEDIES = {
    "site": "look at what renews it (Caddy's log, certbot)",
    "nats": "make another: remove cert.pem and key.pem, call nats_keys.py again with the same --server, reload NATS",
}


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
    day = f"{datetime.datetime.fromtimestamp(ends, datetime.UTC):%Y-%m-%d}"
    left = ends - time.time()
    if left <= 0:
        return error("tls", f"{where}: its certificate ended on {day}", REMEDIES[place.of])
    said = f"{where}: its certificate is valid until {day}, {left / 86_400:.0f} days"
    return warning("tls", said, REMEDIES[place.of]) if left < WARN_BEFORE_S else ok("tls", said)
