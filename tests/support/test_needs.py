"""Test that a missing program is named with its command, or installed by root without starting a service."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import needs
from tests.support.needs import Need

NOWHERE = Need("no-such-program", "no-such-package", "a test")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands that would have been run; apt succeeds and brings nothing."""
    run: list[list[str]] = []

    def instead(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        run.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", instead)
    monkeypatch.setattr(needs, "NEEDS", (NOWHERE,))
    monkeypatch.setattr(needs, "POLICY", tmp_path / "policy-rc.d")
    return run


def test_a_person_who_is_not_root_is_told_the_command(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert needs.main() == 1
    told = capsys.readouterr().out
    assert "missing: no-such-program, for a test" in told
    assert "apt-get install no-such-package" in told
    assert commands == []


def test_root_installs_and_no_service_is_started(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    assert needs.main() == 1  # it is still not there: said, not hidden
    assert [command[:2] for command in commands] == [["apt-get", "update"], ["apt-get", "install"]]
    assert not needs.POLICY.exists()
    assert "missing: no-such-program" in capsys.readouterr().out


def test_what_is_no_program_is_found_where_a_pattern_fits(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(
        needs, "NEEDS", (Need("no-such-library", "no-such-package", "a test", (f"{tmp_path}/*/lib.a",)),)
    )
    assert needs.main() == 1
    (tmp_path / "19").mkdir()
    (tmp_path / "19" / "lib.a").touch()
    assert needs.main() == 0
    assert commands == []


def test_nothing_is_done_where_nothing_is_missing(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "NEEDS", (Need("sh", "dash", "a test"),))
    assert needs.main() == 0
    assert commands == []
