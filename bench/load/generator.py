"""Build, start and read the load generator in C (`load.c`).

**Invariant:** a caller that does not judge the generator's errors gets an exception for them.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.support.c_programs import compiled

PATIENCE = 60.0  # seconds for its end


def built() -> Path:
    """Return the program, built if necessary."""
    return compiled(Path(__file__).with_name("load.c"))


def start(words: Sequence[str], port: int, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start a run against `port`; one that only waits ends with its standard input. `prefix`: command in front, as `taskset -c 1`."""
    command = [*prefix, str(built()), *words, "-p", str(port)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return its output when all clients are in place. Raises RuntimeError if it ends instead."""
    line = process.stdout.readline() if process.stdout is not None else ""
    if "ready" not in line:
        raise RuntimeError("not all of a load came")
    found: dict[str, Any] = json.loads(line)
    return found


def phase(process: subprocess.Popen[str]) -> dict[str, Any]:
    """End a phase of a run with phases (`-i`): return its figures. Raises RuntimeError if the run is over."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("not started by `start`")
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a load ended before its time")
    found: dict[str, Any] = json.loads(line)
    return found


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return its figures at the end. Raises RuntimeError if it counted an error or ended early, TimeoutExpired."""
    found = figures(process)
    if process.returncode or found["errors"]:
        raise RuntimeError(f"the load ended with {process.returncode}: {found}")
    return found


def figures(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the same with the errors that it counted, to be judged; `errors` is -1 if there was no output. Raises TimeoutExpired."""
    try:
        out, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    lines = out.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {"errors": -1}
    return found
