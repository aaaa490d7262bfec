"""Limit, per network and per person, how many data requests are made and how many wrong proofs of identity are tried, with token buckets in memory.

**Invariant:** a correct proof costs no attempt. Every table of buckets is bounded; a bucket that is full again is removed.
"""

from __future__ import annotations

from server.ops.security.token_buckets import BucketRegistry, Buckets, NetworkBuckets

HOUR, DAY = 3_600.0, 86_400.0
TRIES = 10.0  # wrong proofs an hour and network (`NetworkBuckets`)
TICKETS = 3.0  # requests without a proof, a day and network
ACTS = 60.0  # acts with a right proof, an hour and network: enough for a school class on one address
EXPORTS = 1.0  # downloads an hour and person


class Limits:
    """The four tables, kept in `spent`. `on`: the deployment's `limits.enabled`; times by a monotonic clock."""

    def __init__(self, spent: BucketRegistry, *, on: bool) -> None:
        self._on = on
        self._tries = spent.add("rights.tries", NetworkBuckets(TRIES, TRIES / HOUR))
        self._tickets = spent.add("rights.tickets", NetworkBuckets(TICKETS, TICKETS / DAY))
        self._acts = spent.add("rights.acts", NetworkBuckets(ACTS, ACTS / HOUR))
        self._exports = spent.add("rights.exports", Buckets(EXPORTS, EXPORTS / HOUR))

    def guessing(self, address: str, now: float) -> float:
        """Return the seconds until this network may try another proof; 0: now."""
        return self._tries.wait(address, now) if self._on else 0.0

    def missed(self, address: str, now: float) -> None:
        """Count a wrong proof."""
        self._tries.take(address, now)

    def ticket(self, address: str, now: float) -> float:
        """Return the seconds until this network may send another request without a proof; if 0, this one is counted."""
        return self._one(self._tickets, address, now)

    def act(self, address: str, now: float) -> float:
        """Return the same for acts with a proof."""
        return self._one(self._acts, address, now)

    def export(self, identity: int, now: float) -> float:
        """Return the same for a person's downloads."""
        return self._one(self._exports, str(identity), now)

    def _one(self, buckets: Buckets, name: str, now: float) -> float:
        wait = buckets.wait(name, now) if self._on else 0.0
        if not wait:
            buckets.take(name, now)
        return wait
