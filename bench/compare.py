"""What got worse since the last committed results. Rule: by CPU per work against the floor of the same run, and by instructions.

Time is noisy on a shared machine: a ratio is flagged from `SLACK` on, instruction counts, which are not, from `TIGHT` on.
"""

import json
import subprocess
from typing import Any

from bench.report import ROOT, load

SLACK = 1.15
TIGHT = 1.02


def committed(name: str) -> dict[str, Any]:
    """The document as git has it; empty where it has none."""
    done = subprocess.run(
        ["git", "show", f"HEAD:bench/results/{name}.json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def worse(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Lines about scenarios of Serendip that cost more than before."""
    found = []
    for name, scenario in now.get("scenarios", {}).items():
        old = before.get("scenarios", {}).get(name, {}).get("servers", {}).get("serendip")
        new = scenario["servers"].get("serendip")
        if old is None or new is None:
            continue
        key = (
            "to_floor"
            if "to_floor" in old and "to_floor" in new and scenario["figure"] != "bytes"
            else scenario["figure"]
        )
        if new[key] > old[key] * SLACK:
            found.append(f"{name}: {key} {old[key]:.3g} -> {new[key]:.3g}")
    return found


def heavier(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Lines about instruction counts that grew."""
    old, new = before.get("instructions", {}), now.get("instructions", {})
    return [
        f"{name}: {old[name]:.0f} -> {count:.0f} instructions"
        for name, count in new.items()
        if name in old and count > old[name] * TIGHT
    ]


def main() -> int:
    """1 where something got worse."""
    found = worse(committed("whole"), load("quick") or load("whole")) + heavier(
        committed("instructions"), load("instructions")
    )
    print("\n".join(found) if found else "nothing got worse")
    return 1 if found else 0
