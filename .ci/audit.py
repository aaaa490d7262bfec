"""Compare every locked package with the published advisories: `make audit`.

pip-audit asks about Python's packages, and npm about those that make the JavaScript client; this reads their answers, because pip-audit says
"no known vulnerabilities" also if it could ask about nothing.
Exit status 0: all were looked up and none has an advisory; 1: some have; 2: some could not be looked up, or 0 with `--unreachable-ok`.
Other words are passed to pip-audit.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / "build/audit-tools/bin/pip-audit"
LOCKS = ("all", "site", "audit")  # the others are parts of the first
NPM = "client/js/package-lock.json"
UNREACHABLE_OK = "--unreachable-ok"


def ask(lock: str, words: list[str]) -> tuple[list[dict[str, Any]], str]:
    """Return what pip-audit says of each package of a lock; nothing, and its last line, if it failed."""
    options = [
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner=off",
        "--format=json",
        f"--requirement=requirements/{lock}.lock",
    ]
    done = subprocess.run([TOOL, *options, *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        return json.loads(done.stdout)["dependencies"], ""
    except ValueError:
        return [], (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]


def ask_npm() -> tuple[list[str], str]:
    """Return a line for each advisory about a package that makes the JavaScript client, and why they could not be looked up, or ""."""
    npm = shutil.which("npm")
    if npm is None:
        return [], "npm is not installed"
    command = [npm, "audit", "--package-lock-only", "--include=dev", "--json"]
    done = subprocess.run(command, cwd=(ROOT / NPM).parent, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        told = json.loads(done.stdout)
        found = told["vulnerabilities"]
    except (ValueError, KeyError):
        return [], (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return [
        f"{name} ({NPM}): {via['url']}, {via['title']}; affected: {via['range']}"
        for name, one in found.items()
        for via in one["via"]
        if isinstance(via, dict)  # otherwise the name of a package that has it
    ], ""


def main(words: list[str]) -> int:
    """Print a line for each advisory and for each lock that could not be looked up. Return the exit status."""
    lenient = UNREACHABLE_OK in words
    words = [word for word in words if word != UNREACHABLE_OK]
    total, bad, unseen = 0, 0, 0
    for lock in LOCKS:
        found, fault = ask(lock, words)
        skipped = [one["skip_reason"] for one in found if "skip_reason" in one]
        if skipped or not found:
            which = f"{len(skipped)} of {len(found)} packages" if found else "the packages"
            say(f"{which} of requirements/{lock}.lock could not be looked up: {skipped[0] if skipped else fault}")
        for one in found:
            for advisory in one.get("vulns", ()):
                bad += 1
                fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
                say(f"{one['name']} {one['version']} (requirements/{lock}.lock): {advisory['id']}, fixed in {fixed}")
        total += len(found) - len(skipped)
        unseen += len(skipped) if found else 1
    lines, fault = ask_npm()
    for line in lines:
        say(line)
    bad += len(lines)
    if fault:
        say(f"the packages of {NPM} could not be looked up: {fault}")
        unseen += 1
    else:
        total += len(json.loads((ROOT / NPM).read_text())["packages"]) - 1
    say(f"{total} packages were looked up: {bad} advisories")
    return 1 if bad else 2 if unseen and not lenient else 0


def say(line: str) -> None:
    """Print one line."""
    print(f"audit: {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
