"""A flame graph of the server under load, C frames included. Rule: made by perf, folded and drawn here; nothing else is needed.

Python's own frames are named through perf's trampoline (3.12 and later); before that the interpreter is one block.
"""

import html
import shutil
import subprocess
import sys
from collections import Counter

from bench import servers
from bench.whole import RESULTS

WIDTH, ROW, LEAST = 1200, 16, 0.002  # pixels; frames below that share of the whole are left out
Tree = dict[str, "tuple[list[int], Tree]"]


def main(seconds: float) -> int:
    """Records while pairs talk and chats begin, and writes bench/results/flame.svg."""
    if shutil.which("perf") is None:
        raise SystemExit("missing: perf. Get it: apt-get install linux-perf")
    load, data = servers.build_load(), servers.BUILD / "perf.data"
    with servers.running(servers.serendip(), PYTHONPERFSUPPORT="1") as (port, pid):
        loads = [
            subprocess.Popen([str(load), *words, "-p", str(port), "-t", str(seconds + 1)], stdout=subprocess.DEVNULL)
            for words in (("relay", "-n", "400"), ("chat", "-n", "100", "-c", "8"))
        ]
        recorded = subprocess.run(
            ["perf", "record", "-q", "-F", "499", "-e", "cpu-clock", "-g", "-p", str(pid), "-o", str(data), "--", "sleep", str(seconds)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        for process in loads:
            process.wait(60)
    if recorded.returncode:
        raise SystemExit(f"perf: {recorded.stderr.strip()[-300:]}")
    script = subprocess.run(
        ["perf", "script", "-i", str(data), "-F", "comm,ip,sym"], check=True, capture_output=True, text=True
    )
    stacks = folded(script.stdout)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "flame.svg").write_text(drawn(stacks))
    print(f"{sum(stacks.values())} samples: {RESULTS / 'flame.svg'}", file=sys.stderr)
    return 0


def folded(script: str) -> Counter[tuple[str, ...]]:
    """Stacks, outermost first, and how often each was seen."""
    found: Counter[tuple[str, ...]] = Counter()
    for sample in script.split("\n\n"):
        frames = [line.strip().partition(" ")[2] for line in sample.splitlines()[1:] if line.strip()]
        if frames:
            found[tuple(frame.split("+")[0] or "?" for frame in reversed(frames))] += 1
    return found


def grown(stacks: Counter[tuple[str, ...]]) -> Tree:
    """The stacks as a tree of counts."""
    root: Tree = {}
    for stack, count in stacks.items():
        level = root
        for frame in stack:
            node = level.setdefault(frame, ([0], {}))
            node[0][0] += count
            level = node[1]
    return root


def drawn(stacks: Counter[tuple[str, ...]]) -> str:
    """The picture: width is CPU time, a row a call."""
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

    place(grown(stacks), 0.0, 0)
    height = (deepest + 2) * ROW
    body = "\n".join(boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace" font-size="10">\n'
        f'<g transform="translate(0 {height - ROW}) scale(1 1)">\n{body}\n</g>\n</svg>\n'
    )


def box(name: str, x: float, depth: int, width: float, share: float) -> str:
    """One frame; compiled ones of ours are red, Python's blue, the rest grey."""
    colour = (
        "#ff8787"
        if "ext" in name and name.startswith("__pyx")
        else "#74c0fc"
        if name.startswith(("py::", "_Py", "Py"))
        else "#ced4da"
    )
    text = html.escape(name)
    room = int(width / 6)
    return (
        f'<g><title>{text} {share:.1%}</title><rect x="{x:.1f}" y="{-depth * ROW}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>'
        f'<text x="{x + 2:.1f}" y="{-depth * ROW + 11}">{html.escape(name[:room]) if room > 3 else ""}</text></g>'
    )
