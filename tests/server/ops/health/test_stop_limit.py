"""A process that was told to stop and waits for ever says for what, and ends."""

import subprocess
import sys

import orjson
import pytest

from tests.server.site.web.servers import ROOT

pytestmark = pytest.mark.timeout(120)
WAITS = """
import asyncio, ctypes, signal, sys, threading
import uvloop
from server.ops import log
from server.ops.config.settings import Log
from server.ops.health import stop_limit
from server.ops.health.stop_limit import StopLimit

async def waits():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def main(what):
    log.configure(Log(), strict=True)
    stop_limit.HELD_S = 0.5 if what in ("lifted", "lock") else 60.0
    limit = StopLimit("server", 3.0 if what == "lock" else 0.5, ends=True)  # it must have the lock before
    if what == "lifted":
        limit.begin()
        limit.lift()
        limit.begin()
        await asyncio.sleep(1.5)
        return
    limit.begin()
    limit.begin()
    if what == "task":
        await asyncio.create_task(waits(), name="store-purge")
    elif what == "thread":
        threading.Thread(target=threading.Event().wait, name="log_0").start()  # which the interpreter joins at its end
    elif what == "lock":
        ctypes.PyDLL(None).pause()  # with the interpreter's lock

uvloop.run(main(sys.argv[1]))
"""


def waits(what: str) -> tuple[int, list[dict[str, str]]]:
    """Run a process that waits for something: (status, its log)."""
    words = [sys.executable, "-c", WAITS, what]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=100, check=False)
    return done.returncode, [orjson.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("kind", "name", "place"), [("task", "store-purge", "<string>:"), ("thread", "log_0", "threading.py:")]
)
def test_what_it_waits_for_is_logged_with_its_place_and_it_ends(kind: str, name: str, place: str) -> None:
    status, said = waits(kind)
    assert status == 1
    assert {(line["event"], line["process"]) for line in said} == {("process.unended", "server")}
    (where,) = (line["where"] for line in said if line["what"] == f"{kind} {name}")
    assert place in where


def test_it_ends_also_while_something_holds_the_interpreter() -> None:
    assert waits("lock") == (1, [])


def test_one_whose_successor_serves_ends_when_it_can() -> None:
    assert waits("lifted") == (0, [])
