"""Compile the C programs of benches, anew if the source is newer. A warning is an error."""

import subprocess
from pathlib import Path

from bench.support.results import ROOT

BUILD = ROOT / "build" / "bench"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")


def stale(target: Path, source: Path) -> bool:
    """Whether `target` must be made (anew); its folder exists then."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return not target.exists() or target.stat().st_mtime < source.stat().st_mtime


def compiled(source: Path) -> Path:
    """Return a program of one C file, in build/bench/."""
    target = BUILD / source.stem
    if stale(target, source):
        subprocess.run(["gcc", *FLAGS, "-o", str(target), str(source)], check=True)
    return target
