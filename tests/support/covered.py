"""Compare the test coverage of each package with the recorded minimum.

**Invariant:** standard library only. A share is in percent of lines; it may not fall by more than `SLACK` points below
`tests/coverage.json`, which `--write` raises. Reads the output of `coverage json`.
"""

import json
import sys
from collections import Counter
from pathlib import Path

FLOOR = Path(__file__).resolve().parents[1] / "coverage.json"
SLACK = 0.3  # points: chance decides which branch of a race runs, a few lines of thousands


def shares(reports: list[Path]) -> dict[str, float]:
    """Return the percentage of lines by the first folder of a file, over all reports."""
    reached: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for report in reports:
        for name, file in json.loads(report.read_text())["files"].items():
            package = Path(name).parts[0]
            reached[package] += file["summary"]["covered_lines"]
            lines[package] += file["summary"]["num_statements"]
    return {package: round(100 * reached[package] / total, 1) for package, total in sorted(lines.items()) if total}


def fallen(floor: dict[str, float], now: dict[str, float]) -> list[str]:
    """Return a message for each package that lost, is no longer measured, or has no minimum yet."""
    lost = [
        f"{package}: {now.get(package, 0.0)} % of the lines are covered, {before} % were"
        for package, before in sorted(floor.items())
        if now.get(package, 0.0) < before - SLACK
    ]
    return lost + [f"{package}: has no floor; write it with T=--write" for package in sorted(now.keys() - floor.keys())]


def main(arguments: list[str]) -> int:
    """Return 1 if a package fell."""
    now = shares([Path(name) for name in arguments if name != "--write"])
    for package, share in now.items():
        print(f"{package:8} {share:5.1f} %")
    if "--write" in arguments:
        FLOOR.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    lost = fallen(json.loads(FLOOR.read_text()), now)
    for line in lost:
        print(line)
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
