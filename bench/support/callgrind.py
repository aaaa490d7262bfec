"""Count a part of what a program does: it says when the part begins and ends, and callgrind counts in between."""

import re
import subprocess
import time
from pathlib import Path


def switch(pid: int, what: str) -> None:
    """Switch callgrind's counting on or off. `callgrind_control` would look for its name, which a server replaces by its own."""
    subprocess.run(["vgdb", f"--pid={pid}", "instrumentation", what], check=True, capture_output=True)
    time.sleep(0.1)


def dump(pid: int) -> None:
    """Write what was counted into the next of callgrind's files, and count from zero."""
    subprocess.run(["callgrind_control", "-d", str(pid)], check=True, capture_output=True)


def heard(child: subprocess.Popen[str]) -> str:
    """Return the next line of a child; empty if it ended."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def await_word(child: subprocess.Popen[str], word: str) -> None:
    """Wait for a line of the child. Raises RuntimeError if it is another, or the child ended."""
    line = heard(child)
    if line != word:
        raise RuntimeError(f"it said {line!r}, not {word}")


def go_on(child: subprocess.Popen[str]) -> None:
    """Let the child continue."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def total(path: Path) -> int:
    """Return the instructions in callgrind's output. Raises RuntimeError if there are none."""
    found = re.search(r"^totals: (\d+)", path.read_text(), re.M)
    if found is None or not int(found[1]):
        raise RuntimeError("callgrind counted nothing")
    return int(found[1])
