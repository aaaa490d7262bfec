"""The picture process: takes a JPEG, answers with numbers and thumbs. Rule: no picture leaves it, in whatever way it ends, and no byte is decoded
before it gave up what it could harm with.

It is given one end of a socket pair and the folder of lists. It loads the model and the lists; then it gives up files, sockets, other processes,
cores, memory that is written and run, new privileges, and root where the server has that. It ends with the server, whose end is closed then.
"""

import contextlib
import ctypes
import os
import resource
import socket
from pathlib import Path
from typing import Final, Protocol

import orjson

from server.ops.process.exit_reports import ended_by
from server.ops.process.title import name_process
from server.trust.pictures.picture_messages import JOB_MAX, JUDGE, THUMBS, UNASKED, Job, Judged, pack_answer, unpack_job

PAIR: Final = 3  # its descriptor here: behind the three that every process has, and the last one
MEMORY: Final = 900 * 1024 * 1024  # bytes of addresses; 250 MiB are used without lists
NOBODY: Final = 65534  # the user that nothing belongs to
_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_MDWE: Final = 65  # since Linux 6.3
_MDWE_REFUSE_EXEC_GAIN: Final = 1


class NotAlone(Exception):
    """There are threads or descriptors that are not ours: something loaded would work on by itself."""


def confine() -> list[str]:
    """Give up all that judging does not need: nothing of it comes back. What this kernel, or a container, does not grant, by name. Raises
    NotAlone, OSError."""
    alone()
    libc = ctypes.CDLL(None, use_errno=True)
    without: list[str] = []
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        except OSError:
            without.append("user")
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        if libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, PAIR + 1),  # those that are open: no file and no socket can be opened any more
        (resource.RLIMIT_AS, MEMORY),
    )
    for limit, most in limits:
        resource.setrlimit(limit, (most, most))
    if libc.prctl(_PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        without.append("mdwe")
    return without


def alone() -> None:
    """Raises NotAlone where this process has a second thread, or a descriptor behind PAIR."""
    threads = len(os.listdir("/proc/self/task"))
    open_now = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    ours = [*range(PAIR + 1), PAIR + 1]  # and that of the listing itself
    if threads != 1 or open_now != ours:
        raise NotAlone(f"{threads} threads, descriptors {open_now}")


class Does(Protocol):
    """Who does jobs."""

    def do(self, job: Job) -> Judged:
        """One of them."""


def serve(sock: socket.socket, judge: Does) -> None:
    """Until the server's end is closed. A message that is no job ends it: only the server writes there."""
    while data := sock.recv(JOB_MAX + 1):
        job = unpack_job(data)
        if job.kind not in (JUDGE, THUMBS, UNASKED):
            raise ValueError("no such job")
        sock.send(pack_answer(job.number, judge.do(job)))


def main(arguments: list[str]) -> int:
    """`PAIR HIT UNSURE QUALITY LISTS`: a descriptor, `pictures.hit`, `pictures.unsure`, `pictures.quality`, and a folder."""
    name_process("pictures")
    pair, hit, unsure, quality, folder = arguments
    os.dup2(int(pair), PAIR)
    os.closerange(PAIR + 1, 1024)
    with socket.socket(fileno=PAIR) as sock:
        try:
            # Behind the line above, and here: what this module is imported for elsewhere needs none of it.
            from server.trust.pictures import picture_lists
            from server.trust.pictures.picture_verdict import Judge, Limits, guard

            guard()
            known, bad = picture_lists.read(Path(folder))
            judge = Judge(Limits(float(hit), float(unsure), int(quality)), known)
            judge.warm()
            told = {"ready": len(known), "bad": bad, "without": confine()}
            sock.send(orjson.dumps(told))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                serve(sock, judge)
        except Exception as fault:  # noqa: BLE001 - its text may quote a picture: the server is told its kind
            with contextlib.suppress(OSError):
                sock.send(orjson.dumps(ended_by(fault)), socket.MSG_DONTWAIT)
            return 1
    return 0
