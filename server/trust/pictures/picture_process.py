"""Run the picture process: it receives JPEGs from the server, and answers with scores and thumbs (grey copies of 32 × 32 pixels).

**Invariant:** a received picture is never sent on or written, and none is decoded before the process has dropped its privileges.
"""

import contextlib
import os
import socket
from pathlib import Path
from typing import Final, Protocol

import orjson

from server.ops.process.fault_summary import ended_by
from server.ops.process.process_jail import confine, picture_jail
from server.ops.process.process_setup import name_process
from server.trust.pictures.picture_process_codec import (
    JOB_MAX,
    JUDGE,
    SENT,
    THUMBS,
    UNASKED,
    Job,
    Judged,
    pack_answer,
    unpack_job,
)

PAIR: Final = 3  # its descriptor: after the three standard ones, and the last
MEMORY: Final = 900 * 1024 * 1024  # bytes of addresses; 250 MiB are used without lists


class NotAlone(Exception):
    """Unexpected threads or descriptors: a loaded library would go on working by itself."""


def alone() -> None:
    """Check that this process has one thread, and no descriptor after PAIR. Raises NotAlone."""
    threads = len(os.listdir("/proc/self/task"))
    open_now = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    ours = [*range(PAIR + 1), PAIR + 1]  # and that of the listing itself
    if threads != 1 or open_now != ours:
        raise NotAlone(f"{threads} threads, descriptors {open_now}")


class Does(Protocol):
    """Port of the object that does jobs."""

    def do(self, job: Job) -> Judged:
        """Do a job."""


def serve(sock: socket.socket, judge: Does) -> None:
    """Serve until the server's end is closed. An invalid message raises ValueError: only the server writes there.

    The process has one end of a socket pair, and the folder of lists.
    """
    while data := sock.recv(JOB_MAX + 1):
        job = unpack_job(data)
        if job.kind not in (JUDGE, THUMBS, UNASKED, SENT):
            raise ValueError("no such job")
        sock.send(pack_answer(job.number, judge.do(job)))


def main(arguments: list[str]) -> int:
    """Run with `PAIR HIT UNSURE QUALITY LISTS`: a descriptor, `pictures.hit`, `pictures.unsure`, `pictures.quality`, and a folder."""
    name_process("pictures")
    pair, hit, unsure, quality, folder = arguments
    os.dup2(int(pair), PAIR)
    os.closerange(PAIR + 1, 1024)
    with socket.socket(fileno=PAIR) as sock:
        try:
            # Imported here: other importers of this module do not need these libraries.
            from server.trust.pictures import picture_hash_lists
            from server.trust.pictures.picture_verdict import Judge, Limits, guard

            guard()
            known, bad = picture_hash_lists.read(Path(folder))
            judge = Judge(Limits(float(hit), float(unsure), int(quality)), known)
            judge.warm()
            alone()
            without = confine(picture_jail(PAIR + 1, MEMORY))  # those that are open: nothing can be opened any more
            told = {"ready": len(known), "bad": bad, "without": without}
            sock.send(orjson.dumps(told))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                serve(sock, judge)
        except Exception as fault:  # noqa: BLE001 - its text may quote a picture: the server gets its kind alone
            with contextlib.suppress(OSError):
                sock.send(orjson.dumps(ended_by(fault)), socket.MSG_DONTWAIT)
            return 1
    return 0
