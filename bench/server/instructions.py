"""Count the instructions of a message by callgrind, with and without the counters of the metrics, those of a line in the screening process, those
of a chat on open connections and of its record, those of a chat in the hub, and those of an arrival in the windows of busy pools.

An instruction count has no noise, so `make bench-compare` trusts it. The tree is copied, and every line that counts or takes a time is cut out of
the copy: the difference is the price of the metrics.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench.support import callgrind
from bench.support.c_programs import BUILD
from bench.support.machine import machine
from bench.support.results import ROOT, write

MESSAGES = 4_000
MEASURED = "with metrics"
SCREENED = "with metrics and screening"
DEPTHS = (1, 16)  # messages a read
COUNTING = re.compile(
    r"^(\s*)(?:(?:self\.)?io\.count\[.*\] \+= .*|times_add\(.*|time_messages\(.*|self\.io\.began = clock_now\(\).*)$",
    re.M,
)
COLLECT = "__pyx_pw*Reactor_*drain"  # only what the reactor does in `drain`; the test's own sockets are not counted
SIEVE = "__pyx_pw*LineSieve_*take"
RULES = "__pyx_pw*Rules_*find_and_fold"
TURN = "__pyx_pw*Worker_*_ready"  # a turn of a worker: what its users sent is read, handled and answered
HUB = "__pyx_pw*3hub_3Hub_*read"  # it reads tickets and ends of matches, and makes the matches; sending them is not counted
WINDOWS = (
    "__pyx_pw*Lobby_*advance"  # it ends windows and takes their pairs, and widens searches; arrivals are not counted
)
RINGS = "__pyx_pw*HubChannels_*rounds"  # it also reads the rings, and writes the answers into them
A_CHAT = "a chat of two workers in the hub"
OVER_RINGS = "a chat of two workers in the hub, its rings read and written"
IN_WINDOWS = "an arrival in windows, 1,000 a second"
FIRST_LINE = "a first line screened, by the rules"
ROUNDS = 20  # chats of each user of `chat_program`
CHATS = {
    "open": "a chat on open connections, without a store",
    "kept": "a chat on open connections, its record queued",
    "rows": "a record written to SQLite",
}
KINDS = ("usual", "load")  # of lines that are screened: usual ones of all lengths, and the load's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none: a count has no noise."""


def main(_: argparse.Namespace) -> int:
    """Count both builds and write bench/results/instructions.json."""
    if shutil.which("valgrind") is None:
        raise SystemExit("missing: valgrind. Get it: apt-get install valgrind")
    found: dict[str, float] = {}
    for name in (MEASURED, "without metrics"):
        tree = copied(name == "without metrics", BUILD / name.replace(" ", "-"))
        for depth in DEPTHS:
            found[told(depth, name)] = counted(tree, depth)
            print(f"{told(depth, name)}: {found[told(depth, name)]:.0f}", flush=True)
            if name == MEASURED:
                found[told(depth, SCREENED)] = counted(tree, depth, screened=True)
                print(f"{told(depth, SCREENED)}: {found[told(depth, SCREENED)]:.0f}", flush=True)
    found |= screened_lines() | chats() | chat_in_the_hub() | windows()
    write({"machine": machine(), "instructions": found, "messages": MESSAGES}, "instructions")
    return 0


def told(depth: int, build: str = MEASURED) -> str:
    """Return the name of a count."""
    return f"a message, {depth} a read, {build}"


def present() -> dict[str, float]:
    """Return the counts of the tree as it is built here; nothing is written."""
    builds = {told(depth): counted(ROOT, depth) for depth in DEPTHS}
    return (
        builds
        | {told(depth, SCREENED): counted(ROOT, depth, screened=True) for depth in DEPTHS}
        | screened_lines()
        | chats()
        | chat_in_the_hub()
        | windows()
    )


def screened_lines() -> dict[str, float]:
    """Return the instructions of a line that the sieve settles, by the rules alone and with the model."""
    found = {}
    for kind in KINDS:
        for model, word in (("by the rules", "plain"), ("by rules and model", "modelled")):
            name = f"a line screened in C, {kind}, {model}"
            found[name] = run("sieve_program.py", [str(MESSAGES), kind, word], ROOT, SIEVE, "read")
            print(f"{name}: {found[name]:.0f}", flush=True)
    found[FIRST_LINE] = run("sieve_program.py", [str(MESSAGES), "first", "plain"], ROOT, SIEVE, "read", RULES)
    print(f"{FIRST_LINE}: {found[FIRST_LINE]:.0f}", flush=True)
    return found


def chats() -> dict[str, float]:
    """Return the instructions of a chat on open connections in one worker, and of a record until it is in the database."""
    found = {}
    for word, name in CHATS.items():
        found[name] = chat(word)
        print(f"{name}: {found[name]:.0f}", flush=True)
    return found


def chat(word: str) -> float:
    """Return the instructions per chat of what `chat_program` counts under this word: of turns alone, or of all threads that write records."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / "chat.out"
    for old in BUILD.glob(f"{out.name}*"):
        old.unlink()
    turns = () if word == "rows" else ("--collect-atstart=no", f"--toggle-collect={TURN}")
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no", *turns, sys.executable, "-m",
        "bench.server.chat_program", str(ROUNDS), word,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:  # fmt: skip
        callgrind.await_word(child, "ready")
        callgrind.switch(child.pid, "on")
        callgrind.go_on(child)
        count = int(callgrind.heard(child))
        callgrind.switch(child.pid, "off")
        callgrind.dump(child.pid)
        callgrind.go_on(child)
    return callgrind.total(out.with_name(f"{out.name}.1")) / count


def chat_in_the_hub() -> dict[str, float]:
    """Return the instructions of a chat in the hub, from the records of two workers: of the waiting room alone, and with the rings."""
    found = {}
    for name, word, collect in ((A_CHAT, "room", HUB), (OVER_RINGS, "rings", RINGS)):
        found[name] = run("hub_program.py", [str(MESSAGES), word], ROOT, collect, "chats")
        print(f"{name}: {found[name]:.0f}", flush=True)
    return found


def windows() -> dict[str, float]:
    """Return the instructions of an arrival in the turns that end windows, without those of the arrival itself."""
    found = run("window_program.py", [str(MESSAGES)], ROOT, WINDOWS, "arrivals")
    print(f"{IN_WINDOWS}: {found:.0f}", flush=True)
    return {IN_WINDOWS: found}


def copied(bare: bool, target: Path) -> Path:
    """Build a copy of the compiled part; `bare`: without counters. Raises RuntimeError if there was nothing to cut out."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "ext", target / "ext", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    shutil.copy(ROOT / "setup.py", target)
    if bare:
        cut = 0
        for path in (target / "ext").rglob("*.pyx"):
            text, found = COUNTING.subn(r"\1pass", path.read_text())
            path.write_text(text)
            cut += found
        if not cut:
            raise RuntimeError("no line of ext counts as COUNTING has it: both builds would be the same")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=target, check=True, capture_output=True
    )
    return target


def counted(tree: Path, depth: int, screened: bool = False) -> float:
    """Return instructions of a relayed message in `drain`, `depth` messages per read; `screened`: each is also copied to a tap."""
    words = [str(MESSAGES), str(depth), *(["screened"] if screened else [])]
    return run("relay_program.py", words, tree, COLLECT, "messages")


def run(program: str, words: list[str], tree: Path, collect: str, unit: str, also: str = "") -> float:
    """Return the instructions of each `unit` of a program in the functions `collect` (and `also`), of the modules of a tree."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / "callgrind.out"
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={collect}", "--collect-atstart=no",
        *((f"--toggle-collect={also}",) if also else ()), sys.executable, str(Path(__file__).with_name(program)), *words,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    if json.loads(done.stdout)[unit] != MESSAGES:
        raise RuntimeError(f"it did not do all: {done.stderr[-500:]}")
    return callgrind.total(out) / MESSAGES
