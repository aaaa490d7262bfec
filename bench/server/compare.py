"""Compare results with the last committed ones of the same kind of machine: CPU per unit of work (relative to the floor, a relay of raw TCP, if it
was measured) and instruction counts.

A row that lost more than `LOST` is measured again and fails if it loses twice, since noise seldom repeats; instruction counts have no noise and
may grow by at most `TIGHT`. Results of another kind of machine, or of a row that was measured differently, are only printed. A quick run older
than the sources is made anew.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.server import instructions, quick
from bench.support.machine import machine
from bench.support.results import RESULTS, ROOT, read

LOST = 1.05
TIGHT = 1.02
KIND = ("cpu", "cores", "python", "interpreter")  # what makes figures of two machines comparable


class Row(NamedTuple):
    """A figure before and now; `bound`: allowed ratio; `unlike`: why the two cannot be compared, empty if they can."""

    name: str
    before: float
    now: float
    bound: float = LOST
    unlike: str = ""

    @property
    def lost(self) -> bool:
        """Whether it got worse by more than its bound."""
        return not self.unlike and self.now > self.before * self.bound

    def __str__(self) -> str:
        change = f"{self.now / self.before - 1:+8.1%}" if self.before > 0 else " " * 8
        note = "  LOST" if self.lost else f"  not judged: {self.unlike}" if self.unlike else ""
        return f"{self.name:44} {self.before:10.3f} -> {self.now:10.3f} {change}{note}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none."""


def main(_: argparse.Namespace) -> int:
    """Print every figure beside the committed one; return 1 if a row lost, 0 if there is nothing to compare with."""
    run, here = fresh(), machine()
    before = committed("whole", here)
    suspects = {row.name.partition(":")[0] for row in rows(before, run) if row.lost}
    if suspects:
        print(f"once more, for they seem worse: {', '.join(sorted(suspects))}", file=sys.stderr)
        run = better(run, quick.measured(sorted(suspects)))
    found = [*rows(before, run), *counted(committed("instructions", here))]
    print("\n".join(str(row) for row in found) or "there is nothing to compare")
    return verdict(found)


def verdict(found: list[Row]) -> int:
    """Print which rows lost; return 1 if some did."""
    lost = [row.name for row in found if row.lost]
    judged = sum(not row.unlike for row in found)
    print(f"lost: {'; '.join(lost)}" if lost else f"no row lost, of {judged} that were judged")
    return 1 if lost else 0


def same_kind(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether figures of two machines can be compared; a property that one lacks is no difference."""
    return all(one[key] == other[key] for key in KIND if key in one and key in other)


def committed(name: str, here: dict[str, Any]) -> dict[str, Any]:
    """Return the newest committed results of this kind of machine; else the newest of another, with `unlike`, which is printed."""
    newest: dict[str, Any] = {}
    for document in versions(name):
        if same_kind(document["machine"], here):
            return document
        newest = newest or document
    if not newest:
        print(f"{name}.json: no results were ever committed")
        return {}
    told = ", ".join(str(newest["machine"][key]) for key in KIND if key in newest["machine"])
    print(f"{name}.json: no committed results of this kind of machine ({here['cpu']}); the last are of another: {told}")
    return {**newest, "unlike": "another kind of machine"}


def versions(name: str) -> Iterator[dict[str, Any]]:
    """Return the document's versions in git, newest first."""
    path = f"bench/results/{name}.json"
    for commit in git("log", "--format=%H", "--", path).split():
        text = git("show", f"{commit}:{path}")
        if text:
            found: dict[str, Any] = json.loads(text)
            yield found


def git(*words: str) -> str:
    """Return git's output; empty if it fails, as for a file that was deleted by that commit."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def rows(before: dict[str, Any], now: dict[str, Any]) -> list[Row]:
    """Return one row per scenario of Serendip: against the floor if both runs have one."""
    found = []
    for name, scenario in now.get("scenarios", {}).items():
        then = before.get("scenarios", {}).get(name, {})
        old, new = then.get("servers", {}).get("serendip"), scenario["servers"].get("serendip")
        if old is None or new is None:
            continue
        ratio = "to_floor" in old and "to_floor" in new and scenario["figure"] != "bytes"
        key = "to_floor" if ratio else scenario["figure"]
        otherwise = "" if then["words"] == scenario["words"] else "measured otherwise then"
        found.append(Row(f"{name}: {key}", old[key], new[key], unlike=before.get("unlike", otherwise)))
    return found


def better(run: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """Return the first run with those scenarios of the second in which Serendip was faster."""
    scenarios = dict(run["scenarios"])
    for row in rows(run, again):
        if row.now < row.before:
            name = row.name.partition(":")[0]
            scenarios[name] = again["scenarios"][name]
    return {**run, "scenarios": scenarios}


def fresh() -> dict[str, Any]:
    """Return the quick run; made now if there is none, or a source is newer."""
    path = RESULTS / "quick.json"
    sources = [
        *(source for package in ("ext", "engine", "server") for source in (ROOT / package).rglob("*.so")),
        *(source for package in ("engine", "server", "bench/server") for source in (ROOT / package).rglob("*.py")),
    ]
    if not path.exists() or path.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        quick.run()
    return read("quick")


def counted(before: dict[str, Any]) -> list[Row]:
    """Return one row per instruction count; none without callgrind, or with nothing to compare."""
    old = before.get("instructions", {})
    if not old:
        return []
    if shutil.which("valgrind") is None:
        print("no instructions were counted: apt-get install valgrind", file=sys.stderr)
        return []
    return [
        Row(f"{name}, instructions", old[name], new, TIGHT, before.get("unlike", ""))
        for name, new in instructions.present().items()
        if name in old
    ]
