"""What a host among others has to have. Rule: without it the server does not start, and `serendip check` says the same before."""

from __future__ import annotations

from collections.abc import Iterator

from server.main.checks.check_finding import Finding, error, warning
from server.ops.config.settings import Settings


def unfit(settings: Settings) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do) of each setting with which a host of a cluster cannot start; nothing: it can, or is alone."""
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
    """The same as findings, and an address that is of no use."""
    for said, remedy in unfit(settings):
        yield error("cluster", said, remedy)
    if settings.cluster.address and not settings.cluster.nats:
        yield warning(
            "cluster", "cluster.address is set, and cluster.nats is not: this host is alone", "set both, or none"
        )
