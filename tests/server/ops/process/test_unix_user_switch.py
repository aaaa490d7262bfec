"""Commands act as the owner of the data folder, or not at all; a mistyped folder makes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.ops.process.unix_user_switch import NotOurs, enter
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START
from tests.support.users import NOBODY, as_nobody, as_root, folder_of_nobody, needs_root

pytestmark = pytest.mark.timeout(300)  # seconds, for up to six programs one after another
# Without what begins coverage in each program: another user cannot write what it saw, and would say so.
BARE = {name: value for name, value in os.environ.items() if not name.startswith(("SERENDIP_", "COVERAGE_"))}


def serendip(before: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program, as some user."""
    command = [*before, sys.executable, "-c", START, *words]
    return subprocess.run(command, cwd=ROOT, env=BARE, capture_output=True, text=True, timeout=250, check=False)


def modes(folder: Path) -> dict[str, tuple[str, str]]:
    """Owner and mode of all that lies in a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.owner(), f"{path.stat().st_mode & 0o777:o}")
        for path in sorted(folder.rglob("*"))
    }


@needs_root
def test_root_leaves_nothing_of_its_own_in_the_folder_of_another(tmp_path: Path) -> None:
    with folder_of_nobody() as data:
        told = serendip(as_nobody(), "init", "--data", str(data))
        assert (told.returncode, told.stderr) == (0, "")
        for words in (["db", "migrate"], ["keys", "rotate"], ["privacy", "purge"], ["db", "check"]):
            told = serendip(as_root(), *words, "--data", str(data))
            assert (told.returncode, told.stderr) == (0, ""), words
        found = modes(data)
        assert {"secret", "secret.previous", "serendip.db", "purge.lock", "keys/kept.key"} <= found.keys()
        assert {owner for owner, _ in found.values()} == {NOBODY}
        assert {mode for name, (_, mode) in found.items() if not (data / name).is_dir()} == {"600"}
        told = serendip(as_root(), "db", "backup", str(tmp_path / "copy"), "--data", str(data))
        assert told.returncode == 1
        assert "Traceback" not in told.stderr


@needs_root
def test_who_is_not_the_owner_is_refused_with_one_line(tmp_path: Path) -> None:
    with folder_of_nobody() as data:
        assert serendip([], "init", "--data", str(data / "of-root")).returncode == 0
        (data / "of-root").chmod(0o755)
        for words in (["keys", "rotate"], ["db", "check"], ["serve", "--port", "0"], ["init"]):
            told = serendip(as_nobody(), *words, "--data", str(data / "of-root"))
            assert told.returncode == 1
            belongs = f"{data / 'of-root'}: belongs to root, and you are nobody: run this as root"
            assert told.stderr == f"serendip: {belongs}\n"


@pytest.mark.parametrize(
    "words", [["keys", "rotate"], ["keys", "turn"], ["db", "check"], ["db", "migrate"], ["privacy", "purge"]]
)
def test_a_mistyped_folder_makes_nothing(words: list[str], tmp_path: Path) -> None:
    told = serendip([], *words, "--data", str(tmp_path / "mistyped"))
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "serendip init" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_may_be_made_where_that_is_said(tmp_path: Path) -> None:
    enter(tmp_path / "new", make=True)
    with pytest.raises(NotOurs, match="no data folder"):
        enter(tmp_path / "new")


def test_our_own_folder_is_entered_as_who_we_are(tmp_path: Path) -> None:
    before = os.getresuid()
    (tmp_path / "secret").touch()
    enter(tmp_path)
    assert os.getresuid() == before


def test_the_database_is_its_owner_s_alone(tmp_path: Path) -> None:
    assert serendip([], "init", "--data", str(tmp_path)).returncode == 0
    assert serendip([], "db", "check", "--data", str(tmp_path)).returncode == 1
    assert modes(tmp_path)["serendip.db"][1] == "600"
