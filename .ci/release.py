"""Check that a commit is fit to be a release, and make its annotated tag: `make release VERSION=0.3.0`, with DRY=1 the checks alone.

Standard library only. Nothing leaves this machine: the last lines say what to push and to publish. **Invariant:** a tag is made only of a clean
commit whose every file names this version, with its changes and its upgrade notes.
"""

import datetime
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEXT = """made {tag}. Then:
    .ci/run                        # of the tag, in a fresh clone, if it was not run of this commit
    make audit                     # advisories about the locked packages
    make dist                      # build/dist/, with SHA256SUMS: what is published
    podman build --format docker -f deploy/Containerfile --build-arg COMMIT=$(git describe --always --abbrev=12) -t serendip:{version} .
    git push origin {tag}
and begin the next one: its number in server/ops/version.py, client/pyproject.toml, client/js/package.json (and its lock) and deploy/kubernetes/,
`## NUMBER (not released)` at the head of CHANGELOG.md, and `## NUMBER` at that of docs/operate/upgrade-notes.md."""


def git(*words: str, given: str | None = None) -> str:
    """Return what git prints. Raises CalledProcessError."""
    command = ["git", *words]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return done.stdout.rstrip()


def section(document: str, version: str) -> tuple[str, str]:
    """Return the rest of the heading of a version, and the text below it; empty ones if the newest heading is of another version."""
    found = re.search(r"^## (\S+)(.*)\n((?:(?!## ).*\n?)*)", (ROOT / document).read_text(), re.M)
    return (found[2].strip(), found[3].strip()) if found is not None and found[1] == version else ("", "")


def named() -> Iterator[tuple[str, str]]:
    """Yield each file that names the version, and the version in it."""
    source = (ROOT / "server/ops/version.py").read_text()
    yield "server/ops/version.py", "".join(re.findall(r'^VERSION = "(.*)"', source, re.M))
    yield "client/pyproject.toml", tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]["version"]
    yield "client/js/package.json", json.loads((ROOT / "client/js/package.json").read_text())["version"]
    lock = json.loads((ROOT / "client/js/package-lock.json").read_text())
    yield "client/js/package-lock.json", lock["version"]
    yield "client/js/package-lock.json, packages", lock["packages"][""]["version"]
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")):
        for tag in sorted(set(re.findall(r"/serendip:(\d\S*)", file.read_text()))):
            yield f"deploy/kubernetes/{file.name}", tag


def problems(version: str, today: datetime.date) -> Iterator[str]:
    """Yield what keeps this commit from being the release."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"VERSION={version}: three numbers are wanted, e.g. make release VERSION=0.3.0"
        return
    for file, said in named():
        if said != version:
            yield f"{file} says {said or 'nothing'}, not {version}"
    day, changes = section("CHANGELOG.md", version)
    if not changes:
        yield f"CHANGELOG.md: its first section is not `## {version}`, or is empty"
    elif day != f"({today})":
        yield f"CHANGELOG.md: the heading is to be `## {version} ({today})`, and is `## {version} {day}`"
    if not section("docs/operate/upgrade-notes.md", version)[1]:
        yield f"docs/operate/upgrade-notes.md: its first section is not `## {version}`, or is empty"
    if changed := git("status", "--porcelain"):
        yield "there are changes that are in no commit: " + ", ".join(line[3:] for line in changed.splitlines()[:5])
    if git("tag", "--list", f"v{version}"):
        yield f"v{version} is there: a tag is never moved"


def main(version: str, dry: bool) -> int:
    """Return the exit status."""
    found = list(problems(version, datetime.datetime.now(datetime.UTC).date()))
    for line in found:
        sys.stderr.write(f"release: {line}\n")
    if found:
        return 1
    tag = f"v{version}"
    if dry:
        sys.stdout.write(f"fit to be {tag}; nothing was made\n")
        return 0
    summary = section("CHANGELOG.md", version)[1].partition("\n### All changes")[0].strip()
    git("tag", "--annotate", "--cleanup=whitespace", "--file=-", tag, given=f"Serendip {version}\n\n{summary}\n")
    sys.stdout.write(NEXT.format(tag=tag, version=version) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", "--dry" in sys.argv))
