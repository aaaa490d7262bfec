"""Names this process in `ps` and `top` by its role, for an operator who looks which of several equal ones is busy."""

import contextlib
import ctypes
import sys
from pathlib import Path
from typing import Final

_PR_SET_NAME: Final = 15  # linux/prctl.h
_COMM_MAX: Final = 15  # bytes that the kernel keeps of a name (proc_pid_comm(5))
_ARGUMENTS: Final = slice(45, 47)  # where /proc/PID/stat says, behind the name, from where to where the arguments lie


def name_process(role: str) -> None:
    """Call this process `serendip ROLE` where there is room for 15 bytes, and `serendip: ROLE ARGUMENTS` where there is more.

    The arguments are overwritten in place, as setproctitle does; Python has its own copy of them. What the system does not allow stays as it is.
    """
    short = f"serendip {role.replace('worker ', 'w')}".encode()[:_COMM_MAX]
    ctypes.CDLL(None).prctl(_PR_SET_NAME, short, 0, 0, 0)
    with contextlib.suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = map(int, fields[_ARGUMENTS])
        room = end - start - 1  # a last byte that is not 0 would mean that the text goes on in the environment
        if start > 0 and room > 0:
            title = " ".join([f"serendip: {role}", *sys.argv[1:]]).encode()[:room]
            ctypes.memmove(start, title.ljust(room + 1, b"\0"), room + 1)
