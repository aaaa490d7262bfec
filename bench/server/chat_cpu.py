"""Measure the CPU time per chat, up to the moment when every record is written, so that a writer that falls behind is included.

All threads of the server count, and of the processes beside it, from the load's start on; chats are those that the server counted in the same time.
"""

import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bench.load import generator
from bench.support.process_inspection import family_times, times

POLL = 0.25  # seconds between two looks
TIDIED = 1.5  # seconds after which SQLite's log was moved into its file, which is a part of writing
PATIENCE = 30.0  # seconds for what waits to be written
ENDED = "serendip_chats_ended_total{"
WAITING = "serendip_store_waiting"
LOST = "serendip_store_lost_total"


class Written(NamedTuple):
    """The server's counters when no record was queued, its CPU seconds then, and those of all its processes (`whole`)."""

    metrics: dict[str, float]
    user: float
    system: float
    whole: float


def scraped(metrics: int) -> dict[str, float]:
    """Return every metric of the server by name and labels. `metrics`: the port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def chats(found: Mapping[str, float]) -> float:
    """Return the number of ended chats."""
    return sum(value for name, value in found.items() if name.startswith(ENDED))


def all_written(pid: int, metrics: int, patience: float = PATIENCE, every: float = POLL) -> Written:
    """Wait until no record is queued, checking `every` seconds. Raises RuntimeError if one was lost, or it took too long."""
    end = time.monotonic() + patience
    while True:
        spent = (*times(pid), sum(family_times(pid)))  # before the question, which costs some milliseconds
        found = scraped(metrics)
        if found.get(LOST, 0.0):
            raise RuntimeError(f"{found[LOST]:.0f} records were lost: the figure would be too small")
        if not found.get(WAITING, 0.0):
            return Written(found, *spent)
        if time.monotonic() > end:
            raise RuntimeError(f"{found[WAITING]:.0f} records still wait after {patience:.0f} s")
        time.sleep(every)  # a poll: a record that is written has no event


def run(words: Sequence[str], port: int, pid: int, metrics: int, prefix: Sequence[str]) -> dict[str, Any]:
    """Return the load's figures, with `chat_us` until all is written: `user_us` and `system_us` of it in the server's own process, `beside_us` in
    those that it started. `window_us`: of the load's own window.

    Also the server's counters per chat: `reads`, `sends`, `connects_a_chat`, and microseconds of its garbage collector.
    """
    before = all_written(pid, metrics)
    found = generator.ended(generator.start(words, port, prefix))
    after = all_written(pid, metrics)
    time.sleep(TIDIED)
    user, system = times(pid)
    whole = sum(family_times(pid))
    change = {name: after.metrics[name] - before.metrics.get(name, 0.0) for name in after.metrics}
    count = chats(change)
    if not count:
        raise RuntimeError("not one chat ended")
    user, system = (user - before.user) / count * 1e6, (system - before.system) / count * 1e6
    whole = (whole - before.whole) / count * 1e6
    return {
        **found,
        "window_us": found["chat_us"],
        "chat_us": whole,
        "beside_us": max(0.0, whole - user - system),
        "user_us": user,
        "system_us": system,
        "garbage_us": change["serendip_gc_seconds_total"] / count * 1e6,
        "reads": change["serendip_reads_total"] / count,
        "sends": change["serendip_sends_total"] / count,
        "connects_a_chat": change["serendip_accepted_total"] / count,
    }
