"""Turn a forked process into what it would be had it been executed (forked.py, beside.py)."""

import atexit
import fcntl
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import reload
from typing import Any, NoReturn

from server.ops.process import fault_points


def become(request: dict[str, Any], given: Sequence[int]) -> str:
    """Take over descriptors, folder, arguments and variables of a process; return the line that it must run.

    `request`: a `Wanted`; `given`: its descriptors.
    """
    place(given, request["numbers"])
    if request["session"]:
        os.setsid()
    if request["group"] >= 0:
        os.setpgid(0, request["group"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    reload(fault_points)  # which reads its variable when it is imported
    if "mask" in request:
        os.umask(request["mask"])
    for number, limit in enumerate(request.get("limits", ())):
        resource.setrlimit(number, limit)
    words: list[str] = request["words"]
    sys.orig_argv[:] = words
    if words[1] == "-m":
        sys.argv[:] = words[2:]
        return f"import runpy; runpy.run_module({words[2]!r}, run_name='__main__', alter_sys=True)"
    sys.argv[:] = words[1:2] + words[3:]
    return words[2]


def run(line: str) -> NoReturn:
    """Run a line as a program and exit with its status. The interpreter is not finalised: that would copy all shared memory."""
    try:
        exec(line, {"__name__": "__main__"})  # noqa: S102 - START, or what a test has it run
        status = 0
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does: wait for threads, call who asked for it
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


def place(given: Sequence[int], numbers: Sequence[int]) -> None:
    """Give these descriptors these numbers, and close all others."""
    above = max(numbers) + 1
    for descriptor, number in zip([fcntl.fcntl(one, fcntl.F_DUPFD, above) for one in given], numbers, strict=True):
        os.dup2(descriptor, number)
    for number in opened():
        if number not in numbers:
            os.close(number)


def forget() -> None:
    """Forget, in a child of a process that did more than import, that process's signal and exit handlers."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    atexit._clear()


def opened() -> list[int]:
    """Return the open descriptors of this process."""
    return [number for number in map(int, os.listdir("/proc/self/fd")) if is_open(number)]


def is_open(number: int) -> bool:
    """Whether a descriptor of this number is open; the one used for listing is closed by now."""
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError:
        return False
    return True
