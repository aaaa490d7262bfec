"""Test `make release` in a copy of what is tracked: it refuses what is not fit, by name, and tags what is."""

import datetime
import re
import subprocess
from pathlib import Path

import pytest

from server.ops.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    "Makefile",
    ".ci/release.py",
    "server/ops/version.py",
    "client/pyproject.toml",
    "client/js/package.json",
    "client/js/package-lock.json",
    "deploy/kubernetes",
    "CHANGELOG.md",
    "docs/operate/upgrade-notes.md",
)
TODAY = datetime.datetime.now(datetime.UTC).date()


class Copy:
    """A repository of its own with the files that a release reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["cp", "--parents", "-r", *FILES, folder], cwd=ROOT, check=True)
        self.git("init", "-q")
        for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
            self.git("config", name, value)
        changes = folder / "CHANGELOG.md"  # of today, also in a release of an earlier day
        changes.write_text(
            re.sub(rf"(?m)^## {re.escape(VERSION)} \(.*\)$", f"## {VERSION} ({TODAY})", changes.read_text())
        )
        self.keep()

    def git(self, *words: str) -> str:
        """Return what git prints."""
        return subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def keep(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "As it is")

    def edit(self, file: str, now: str, then: str) -> None:
        """Replace words of a file."""
        path = self.folder / file
        path.write_text(path.read_text().replace(now, then))

    def release(self, *words: str) -> tuple[int, str]:
        """Run `make release`; return its status and what it says."""
        command = ["make", "--no-print-directory", "release", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_fit_commit_gets_an_annotated_tag_with_what_stands_out(copy: Copy) -> None:
    status, said = copy.release(f"VERSION={VERSION}", "DRY=1")
    assert (status, said) == (0, f"fit to be v{VERSION}; nothing was made\n"), said
    assert copy.git("tag") == ""
    status, said = copy.release(f"VERSION={VERSION}")
    assert (status, f"made v{VERSION}" in said) == (0, True), said
    assert copy.git("cat-file", "-t", f"v{VERSION}") == "tag\n"
    message = copy.git("tag", "--list", "--format=%(contents)", f"v{VERSION}")
    assert message.startswith(f"Serendip {VERSION}\n\n")
    assert "### Operators notice" in message
    assert "### All changes" not in message
    status, said = copy.release(f"VERSION={VERSION}")
    assert (status, "a tag is never moved" in said) == (2, True)


def test_what_is_not_fit_is_named_and_no_tag_is_made(copy: Copy) -> None:
    for version in ("", "next", f"v{VERSION}"):
        assert "three numbers" in copy.release(f"VERSION={version}")[1]
    said = copy.release("VERSION=99.0.0")[1]
    for file in ("server/ops/version.py", "client/pyproject.toml", "package.json", "hosts.yaml", "CHANGELOG", "notes"):
        assert file in said
    copy.edit("CHANGELOG.md", f"({TODAY})", "(not released)")
    copy.edit("docs/operate/upgrade-notes.md", f"## {VERSION}", "## 0.0.1")
    said = copy.release(f"VERSION={VERSION}")[1]
    assert f"is to be `## {VERSION} ({TODAY})`" in said
    assert "upgrade-notes.md: its first section" in said
    assert "in no commit: CHANGELOG.md" in said.replace("docs/operate/upgrade-notes.md, ", "")
    assert copy.git("tag") == ""
