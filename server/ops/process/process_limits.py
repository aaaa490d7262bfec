"""What the process may do, set once at the start. Rule: no more than it needs, and what it needs without being asked for it."""

import contextlib
import ctypes
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def raise_descriptors() -> int:
    """As many descriptors as the system lets the process have, since each connection is one; how many, 0: without a bound.

    The soft limit is what programs of the eighties can bear (select(2)), commonly 1,024; the hard one is what is meant.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft


def forbid_dumps() -> None:
    """No core file and no debugger of the same user: the memory holds keys, and what people write."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
