"""Count the instructions of each part of a chat by running the unchanged service under callgrind, with the load under which CPU time is measured
too.

callgrind names a function with its callers (`--separate-callers`): the instructions belong to the first caller that is under a part.
"""

import re
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.budget.parts import ASKED, GARBAGE, owner
from bench.load import generator
from bench.server import chat_cpu
from bench.server.servers import AS_COMPARED
from bench.support import callgrind
from bench.support.c_programs import BUILD, FLAGS, stale
from bench.support.results import ROOT
from bench.support.serving import LOAD_CPU, SERVER_CPU, Serving

APART = (
    ASKED,
    GARBAGE,
)  # the collector looks once in tens of thousands of objects: a counter sees it, a short window may not
SLOWER = 50  # times, about, that callgrind makes it
DEEP = 24  # callers that a function is told apart by
CLIENTS = 100
SETTLES = 4.0  # seconds after which what waits is written, so that batches are large
PATIENCE = 60.0
DIGITS = frozenset("0123456789+-*")
NAME = re.compile(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?")


class Counted(NamedTuple):
    """Instructions by part in a window, and the service's own counters in it."""

    parts: dict[str, int]
    functions: dict[tuple[str, str], int]  # by part and function with its callers, `inner'caller'…`
    chats: float
    connects: float


def frames() -> Path:
    """Return the folder of frames.so, built for this Python."""
    source, target = Path(__file__).with_name("frames.c"), BUILD / "frames.so"
    if stale(target, source):
        include = sysconfig.get_path("include")
        command = [
            "gcc",
            *FLAGS,
            "-Wno-missing-field-initializers",
            "-shared",
            "-fPIC",
            f"-I{include}",
            f"-I{include}/internal",
        ]
        subprocess.run([*command, "-o", str(target), str(source)], check=True)
    return target.parent


def counted(words: Sequence[str], seconds: float) -> Counted:
    """Count a load's window under callgrind, from its start until every record is written. `words`: arguments of the generator. Raises RuntimeError
    if nothing was counted.
    """
    out = BUILD / "budget.out"
    for old in BUILD.glob(f"{out.name}*"):
        old.unlink()
    program = (
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no", f"--separate-callers={DEEP}",
        "--separate-recs=1", sys.executable, "-c", f"from bench.budget.callgrind_launcher import main; main({str(frames())!r}, {SLOWER})",
    )  # fmt: skip
    with Serving(core=SERVER_CPU, program=program, **AS_COMPARED, SERENDIP_STORE__LINGER=str(SETTLES)) as serving:
        prefix = ("taskset", "-c", LOAD_CPU)
        generator.ended(generator.start([*words, "-n", str(CLIENTS), "-w", "0", "-t", "1"], serving.port, prefix))
        before = chat_cpu.all_written(serving.pid, serving.metrics, PATIENCE, SETTLES / 2).metrics
        callgrind.switch(serving.pid, "on")
        generator.ended(
            generator.start([*words, "-n", str(CLIENTS), "-w", "0", "-t", str(seconds)], serving.port, prefix)
        )
        after = chat_cpu.all_written(serving.pid, serving.metrics, PATIENCE, SETTLES / 2).metrics
        callgrind.switch(serving.pid, "off")
    with out.open() as lines:
        found = by_function(lines, str(ROOT))
    parts: Counter[str] = Counter()
    for (part, _), count in found.items():
        parts[part] += count
    if not parts:
        raise RuntimeError("callgrind counted nothing")
    change = {name: after[name] - before.get(name, 0.0) for name in after}
    parted = {part: count for part, count in parts.items() if part not in APART}
    return Counted(parted, found, chat_cpu.chats(change), change["serendip_accepted_total"])


def by_function(lines: Iterable[str], tree: str) -> Counter[tuple[str, str]]:
    """Sum instructions by part and function, from callgrind's output.

    `ob=` and `fn=` name the function that the next lines cost; the line after `calls=` is the cost of a callee, counted with the callee.
    """
    found: Counter[tuple[str, str]] = Counter()
    names: dict[str, dict[str, str]] = {"ob": {}, "fn": {}}
    where, path, callee = ("", ""), "", False
    for line in lines:
        if line[:1] in DIGITS:
            if not callee:
                found[where] += int(line.rsplit(" ", 1)[1])
            callee = False
            continue
        match = NAME.match(line)
        if match is None:
            callee = line.startswith("calls=")
            continue
        called, kind, number, name = match.groups()
        if name is not None:
            names[kind][number] = name
        if called:
            continue
        if kind == "ob":
            path = names["ob"][number]
        else:
            where = (owner(names["fn"][number], path, tree), names["fn"][number])
    return found


def dearest(window: Counted, part: str, count: int) -> list[str]:
    """Return the dearest functions of a part per chat, each with two of its callers."""
    found: Counter[str] = Counter()
    for (name, chain), each in window.functions.items():
        if name == part:
            found[" < ".join([word for word in chain.split("'") if word != "budget_frame"][:3])] += each
    return [f"{each / window.chats:10,.0f}  {name}" for name, each in found.most_common(count)]
