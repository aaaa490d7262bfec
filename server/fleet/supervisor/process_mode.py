"""Decide from the settings whether this host runs as one process or as several. It imports nothing of the latter, which a single process need not
load.
"""

import os

from server.ops.config.settings import Settings


def number_of_workers(settings: Settings) -> int:
    """Return the number of workers; 1: one process does everything."""
    if settings.workers != "auto":
        return settings.workers
    cores = len(os.sched_getaffinity(0))
    return 1 if cores == 1 else max(2, cores - 1)


def has_several(settings: Settings) -> bool:
    """Whether this host runs several processes: also if it is one of several hosts, which meet in their hubs."""
    return bool(settings.cluster.nats) or number_of_workers(settings) > 1
