"""Which commit runs: what a package was given, else what git says of the checkout, else that nobody knows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from server.ops import version
from server.ops.version import UNKNOWN, VERSION, commit

ROOT = Path(version.__file__).parents[2]
WHO = ("-c", "user.name=n", "-c", "user.email=e@example.org")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit and a package `server` in it."""
    package = tmp_path / "server"
    package.mkdir()
    (package / "a.py").write_text("1\n")
    for words in (["init", "-q"], ["add", "."], [*WHO, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return package


def test_a_checkout_says_its_commit_and_whether_its_files_differ(checkout: Path) -> None:
    clean = commit(checkout)
    assert re.fullmatch("[0-9a-f]{12}", clean)
    (checkout / "a.py").write_text("2\n")
    assert commit(checkout) == f"{clean}-dirty"


def test_a_package_says_the_commit_that_it_was_given(checkout: Path) -> None:
    (checkout / "commit.txt").write_text("0123456789ab\n")
    assert commit(checkout) == "0123456789ab"


def test_where_nobody_says_it_is_unknown(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = checkout / "venv" / "server"  # installed inside of a checkout that is not its own
    inner.mkdir(parents=True)
    assert commit(inner) == UNKNOWN
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    assert commit(checkout) == UNKNOWN


def test_this_programs_commit_is_asked_for_once() -> None:
    assert version.own() == commit(Path(version.__file__).resolve().parents[1])
    assert version.own.cache_info().currsize == 1


def test_the_newest_release_in_the_changes_is_this_version_and_has_upgrade_notes() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text()
    newest, *_ = re.findall(r"(?m)^## (\S+)", changes)
    assert newest == VERSION
    part = changes.split("\n## ")[1]
    assert re.findall(r"(?m)^### (\w+ notice)$", part) == ["Users notice", "Operators notice", "Callers notice"]
    assert f"\n## {VERSION}\n" in (ROOT / "docs" / "operate" / "upgrade-notes.md").read_text()
