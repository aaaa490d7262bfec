"""Name this process in `ps` and `top` by its role, so that an operator can tell equal processes apart."""

import contextlib
import ctypes
import sys
from pathlib import Path
from typing import Final

_PR_SET_NAME: Final = 15  # linux/prctl.h
_COMM_MAX: Final = 15  # bytes that the kernel keeps of a name (proc_pid_comm(5))
_ARGUMENTS: Final = slice(
    45, 47
)  # the fields of /proc/PID/stat, counted from behind the name, with the addresses of the arguments' start and end


def name_process(role: str) -> None:
    """Name this process `serendip ROLE` for the kernel's 15 bytes, and `serendip: ROLE ARGUMENTS` in its command line.

    The arguments are overwritten in place, as setproctitle does; Python has its own copy of them. If the system does not allow it nothing changes.
    """
    short = f"serendip {role.replace('worker ', 'w')}".encode()[:_COMM_MAX]
    ctypes.CDLL(None).prctl(_PR_SET_NAME, short, 0, 0, 0)
    with contextlib.suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = map(int, fields[_ARGUMENTS])
        room = end - start - 1  # a last byte that is not 0 would mean that the text continues in the environment
        if start > 0 and room > 0:
            title = " ".join([f"serendip: {role}", *sys.argv[1:]]).encode()[:room]
            ctypes.memmove(start, title.ljust(room + 1, b"\0"), room + 1)
