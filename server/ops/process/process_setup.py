"""Set up a process at its start: the limit of open descriptors, no core dumps, no new privileges, the process's name in `ps`."""

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

from server.ops.process.listening_sockets import StartError

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
    """Forbid core files and debuggers of the same user: the memory holds keys, and what users write. Raises StartError."""
    _set(_PR_SET_DUMPABLE, 0)


_SWITCH_S: Final = 0.0001


def yield_soon() -> None:
    """Let a thread that computes yield Python's lock after 0.1 ms instead of 5 ms. Children inherit it.

    uvloop takes the lock anew for each callback: beside a busy thread ten of them needed 50 ms, and each chat line waited that long.
    """
    sys.setswitchinterval(_SWITCH_S)


_PR_SET_NO_NEW_PRIVS: Final = 38


def forbid_privileges() -> None:
    """Forbid this process and its children to gain rights by a program that they run, such as one with a set-user-ID bit; for good.

    Raises StartError.
    """
    _set(_PR_SET_NO_NEW_PRIVS, 1)


def _set(option: int, value: int) -> None:
    """Set an attribute of this process (prctl(2)). Raises StartError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise StartError(
            f"prctl {option}: {os.strerror(ctypes.get_errno())}: this system does not let a process protect itself"
        )


_PR_SET_NAME: Final = 15  # linux/prctl.h
_COMM_MAX: Final = 15  # bytes that the kernel keeps of a name (proc_pid_comm(5))
# The fields of /proc/PID/stat, counted from behind the name, with the addresses of the arguments' start and end.
_ARGUMENTS: Final = slice(45, 47)


def name_process(role: str) -> None:
    """Name this process `serendip ROLE` for the kernel's 15 bytes, and `serendip: ROLE ARGUMENTS` in its command line.

    The arguments are overwritten in place, as setproctitle does; Python has its own copy of them. If the system does not allow it nothing changes.
    """
    short = f"serendip {role.replace('worker ', 'w').replace('frontend', 'front')}".encode()[:_COMM_MAX]
    ctypes.CDLL(None).prctl(_PR_SET_NAME, short, 0, 0, 0)
    with contextlib.suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = map(int, fields[_ARGUMENTS])
        room = end - start - 1  # a last byte that is not 0 would mean that the text continues in the environment
        if start > 0 and room > 0:
            title = " ".join([f"serendip: {role}", *sys.argv[1:]]).encode()[:room]
            ctypes.memmove(start, title.ljust(room + 1, b"\0"), room + 1)
