"""Run a bench in a process whose hashes of text are those of a seed, so that the same seed gives the same figures."""

import os
import subprocess
import sys

VARIABLE = "PYTHONHASHSEED"


def run_with_hash_seed(seed: int) -> int | None:
    """Run the verb of this process again with the hashes of a seed, and return its status; None if this process has them."""
    hashes = str(seed % 2**32)
    if os.environ.get(VARIABLE) == hashes:
        return None
    again = [sys.executable, "-m", "bench", *sys.argv[1:]]
    return subprocess.run(again, env={**os.environ, VARIABLE: hashes}).returncode
