"""Whether this host is several processes. Rule: asked before anything of them is imported, which one process alone has no use for."""

import os

from server.ops.config.settings import Settings


def number_of_workers(settings: Settings) -> int:
    """How many workers there are to be; 1: one process does all."""
    if settings.workers != "auto":
        return settings.workers
    cores = len(os.sched_getaffinity(0))
    return 1 if cores == 1 else max(2, cores - 1)


def has_several(settings: Settings) -> bool:
    """Whether this host is several processes: several hosts meet in their hubs, so that each has one."""
    return bool(settings.cluster.nats) or number_of_workers(settings) > 1
