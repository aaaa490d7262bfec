"""Programs in C that benches need. Rule: compiled anew where the source is newer, and no warning is let pass."""

import subprocess
from pathlib import Path

from bench.support.results import ROOT

BUILD = ROOT / "build" / "bench"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")


def stale(target: Path, source: Path) -> bool:
    """Whether `target` has to be made (anew); its folder is there then."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return not target.exists() or target.stat().st_mtime < source.stat().st_mtime


def compiled(source: Path) -> Path:
    """A program of one file of C, in build/bench/."""
    target = BUILD / source.stem
    if stale(target, source):
        subprocess.run(["gcc", *FLAGS, "-o", str(target), str(source)], check=True)
    return target
