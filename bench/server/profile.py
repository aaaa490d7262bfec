"""Record a flame graph of the server under load, C frames included: py-spy samples, this module folds and draws.

py-spy walks the native stack and replaces the interpreter's frames by the Python frames that they run. Waiting threads and a sleeping loop are
left out: the width of a frame is its share of the work.
"""

import argparse
import html
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.load import generator
from bench.server import servers
from bench.support.c_programs import BUILD
from bench.support.results import RESULTS

RATE = 250  # samples a second
WIDTH, ROW, LEAST = 1200, 17, 0.002  # pixels; frames below that share of the whole are left out
# Where a thread stands that has nothing to do.
IDLE = frozenset({"epoll_pwait", "PyThread_acquire_lock_timed", "pthread_cond_timedwait", "pthread_cond_wait"})
TRUNK = "Handle__run"  # of uvloop: what stands below it is the same for all that the loop calls
NAMELESS = ("0x", "Py_XDECREF", "Py_DECREF")  # no symbol, or what the compiler put into its caller
Tree = dict[str, "tuple[list[int], Tree]"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the duration."""
    parser.add_argument("--seconds", type=float, default=20.0)


def main(chosen: argparse.Namespace) -> int:
    """Record while pairs talk and chats begin, and write bench/results/flame.svg."""
    spy = shutil.which("py-spy", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if spy is None:
        raise SystemExit("missing: py-spy. Get it: make build")
    seconds, raw = chosen.seconds, BUILD / "stacks.txt"
    BUILD.mkdir(parents=True, exist_ok=True)
    with servers.running(servers.SERENDIP) as (port, pid, _):
        loads = [
            generator.start([*words, "-t", str(seconds + 2)], port)
            for words in (("relay", "-n", "400"), ("chat", "-n", "100", "-c", "8"))
        ]
        command = [spy, "record", "--native", "--rate", str(RATE), "--duration", f"{seconds:.0f}", "--format", "raw"]
        recorded = subprocess.run(
            [*command, "--output", str(raw), "--pid", str(pid)], check=False, capture_output=True, text=True
        )
        for process in loads:
            generator.ended(process)
    if recorded.returncode:
        raise SystemExit(f"py-spy: {recorded.stderr.strip()[-300:]}")
    stacks = folded(raw.read_text())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "flame.svg").write_text(drawn(stacks))
    print(f"{sum(stacks.values())} samples of work: {RESULTS / 'flame.svg'}", file=sys.stderr)
    return 0


def folded(raw: str) -> Counter[tuple[str, ...]]:
    """Return stacks of work, outermost first, and how often each was seen. `raw`: one stack per line, `outer;inner count`."""
    found: Counter[tuple[str, ...]] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [short(frame) for frame in stack.split(";") if not frame.startswith(NAMELESS)]
        if not frames or any(frame.split(" ")[0] in IDLE for frame in frames[-2:]):
            continue
        starts = [at for at, frame in enumerate(frames) if frame.startswith(TRUNK)]
        found[tuple(frames[starts[-1] + 1 :] if starts and starts[-1] + 1 < len(frames) else frames)] += int(count)
    return found


def short(frame: str) -> str:
    """Shorten a frame: `conn_flush (ext/conn)`, `_turn (server/realtime/worker/worker_loop.py)`."""
    return re.sub(r":\d+\)$", ")", re.sub(r"\.cpython-[\w-]+\.so", "", frame))


def grown(stacks: Counter[tuple[str, ...]]) -> Tree:
    """Return the stacks as a tree of counts."""
    root: Tree = {}
    for stack, count in stacks.items():
        level = root
        for frame in stack:
            node = level.setdefault(frame, ([0], {}))
            node[0][0] += count
            level = node[1]
    return root


def drawn(stacks: Counter[tuple[str, ...]]) -> str:
    """Return the picture: width is CPU time, one row per call."""
    total = max(1, sum(stacks.values()))
    boxes: list[str] = []
    deepest = 0

    def place(level: Tree, x: float, depth: int) -> None:
        nonlocal deepest
        for name, (count, below) in sorted(level.items()):
            width = WIDTH * count[0] / total
            if width >= LEAST * WIDTH:
                deepest = max(deepest, depth)
                boxes.append(box(name, x, depth, width, count[0] / total))
                place(below, x, depth + 1)
            x += width

    boxes.append(box(f"all work, {total:,} samples at {RATE} a second", 0.0, 0, WIDTH, 1.0))
    place(grown(stacks), 0.0, 1)
    height = (deepest + 2) * ROW
    body = "\n".join(boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace" font-size="10">\n'
        f'<g transform="translate(0 {height - ROW}) scale(1 1)">\n{body}\n</g>\n</svg>\n'
    )


def box(name: str, x: float, depth: int, width: float, share: float) -> str:
    """Draw one frame; the project's compiled ones are red, Python's blue, the rest grey."""
    colour = "#ff8787" if "(ext/" in name else "#74c0fc" if ".py)" in name else "#ced4da"
    room = int(width / 6.2)
    return (
        f"<g><title>{html.escape(name)} {share:.1%}</title>"
        f'<rect x="{x:.1f}" y="{-depth * ROW}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>'
        f'<text x="{x + 2:.1f}" y="{-depth * ROW + 12}">{html.escape(name[:room]) if room > 3 else ""}</text></g>'
    )
