"""What got worse since the last committed results. Rule: by CPU per work against the floor of the same run, and by instructions.

Time is noisy on a shared machine: a ratio is flagged from `SLACK` on, instruction counts, which are not, from `TIGHT` on.
What is compared is of now: a quick run that is older than the sources is made anew, and the instructions are counted.
"""

import argparse
import json
import shutil
import subprocess
import sys
from typing import Any

from bench.server import instructions, quick
from bench.support.results import RESULTS, ROOT, read

SLACK = 1.15
TIGHT = 1.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def main(_: argparse.Namespace) -> int:
    """Every figure beside the committed one; 1 where something got worse."""
    before, counts = committed("whole"), committed("instructions")
    run, count = fresh(), counted()
    for what, old, new in pairs(before, run):
        print(f"{what:34} {old:12.3f} -> {new:12.3f}")
    for what, new in count.get("instructions", {}).items():
        print(f"{what:34} {counts.get('instructions', {}).get(what, 0):12.0f} -> {new:12.0f} instructions")
    found = worse(before, run) + heavier(counts, count)
    print("\n".join(["worse:", *found]) if found else "nothing got worse")
    return 1 if found else 0


def committed(name: str) -> dict[str, Any]:
    """The document as git has it; empty where it has none."""
    done = subprocess.run(
        ["git", "show", f"HEAD:bench/results/{name}.json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def pairs(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, float, float]]:
    """(scenario and figure, before, now) of Serendip: against the floor where both runs have one."""
    found = []
    for name, scenario in now.get("scenarios", {}).items():
        old = before.get("scenarios", {}).get(name, {}).get("servers", {}).get("serendip")
        new = scenario["servers"].get("serendip")
        if old is None or new is None:
            continue
        ratio = "to_floor" in old and "to_floor" in new and scenario["figure"] != "bytes"
        key = "to_floor" if ratio else scenario["figure"]
        found.append((f"{name}: {key}", old[key], new[key]))
    return found


def worse(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Lines about scenarios of Serendip that cost more than before."""
    return [f"{what} {old:.3g} -> {new:.3g}" for what, old, new in pairs(before, now) if new > old * SLACK]


def heavier(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Lines about instruction counts that grew."""
    old, new = before.get("instructions", {}), now.get("instructions", {})
    return [
        f"{name}: {old[name]:.0f} -> {count:.0f} instructions"
        for name, count in new.items()
        if name in old and count > old[name] * TIGHT
    ]


def fresh() -> dict[str, Any]:
    """The quick run; made now where there is none, or a source is newer."""
    path = RESULTS / "quick.json"
    sources = [*(ROOT / "ext").rglob("*.so"), *(ROOT / "engine").rglob("*.py"), *(ROOT / "server").rglob("*.py")]
    if not path.exists() or path.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        quick.run()
    return read("quick")


def counted() -> dict[str, Any]:
    """Instructions of now; nothing where callgrind is not there."""
    if shutil.which("valgrind") is None:
        print("no instructions were counted: apt-get install valgrind", file=sys.stderr)
        return {}
    return {"instructions": instructions.present()}
