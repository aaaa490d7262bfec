"""Set resource limits at the start of a process: as many descriptors as allowed, and no core dumps."""

import contextlib
import ctypes
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def raise_descriptors() -> int:
    """Raise the limit of descriptors to the system's maximum, since each connection is one; return it, 0 for no limit.

    The soft limit is commonly 1,024, for programs that use select(2); the hard limit is the one that is meant.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft


def forbid_dumps() -> None:
    """Forbid core files and debuggers of the same user: the memory holds keys, and what users write."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
