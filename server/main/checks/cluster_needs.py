"""Check the settings that a host of a cluster needs.

**Invariant:** if one is missing the server does not start, and `serendip check` reports the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.main.checks.check_finding import Finding, error, warning
from server.ops.config.settings import Settings


def unfit(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (problem, remedy) for each setting with which a host of a cluster cannot start; nothing on a single host."""
    if not settings.cluster.nats:
        return
    if not settings.cluster.address:
        yield (
            "cluster.nats is set, and cluster.address is not",
            "say where other hosts reach this one, e.g. 10.0.0.1:9467",
        )
    if not settings.store.enabled:
        return
    if not settings.store.url.get_secret_value().startswith("postgres"):
        yield (
            "cluster.nats is set, and the database is SQLite, which only this host would have",
            "store.url=postgresql://… for all hosts, or store.enabled=false",
        )
    if not settings.objects.url:
        yield (
            "cluster.nats is set, and the texts of saved chats lie in a folder, which only this host would have",
            "objects.url=s3://… for all hosts, or store.enabled=false",
        )


def fitness(settings: Settings) -> Iterator[Finding]:
    """Yield these problems as findings, and an address that has no effect."""
    for said, remedy in unfit(settings):
        yield error("cluster", said, remedy)
    if settings.cluster.address and not settings.cluster.nats:
        yield warning(
            "cluster", "cluster.address is set, and cluster.nats is not: this host is alone", "set both, or none"
        )
