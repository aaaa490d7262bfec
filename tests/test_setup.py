"""How the modules are compiled: once. The build itself is `make build`'s, which every run of the tests begins with.

Rule: what compiles is imported where it is needed, for every process of the tests reads this file.
"""

import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command of setup.py that compiles."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(import_module("setuptools"), "setup", lambda **_: None)
    return runpy.run_path("setup.py")["InPlace"]


@pytest.mark.parametrize(("edited", "there"), [(True, False), (False, True)])
def test_an_install_to_be_edited_takes_what_was_compiled_before(
    in_place: Any, tmp_path: Path, edited: bool, there: bool
) -> None:
    project = import_module("setuptools").Distribution()
    project.get_command_obj("build").build_lib = str(tmp_path)  # where an install to be edited builds, and throws away
    command = in_place(project)
    command.editable_mode = edited
    command.ensure_finalized()
    assert (command.build_lib == str(tmp_path)) is there
    assert command.build_lib.startswith("build") is edited
    assert command.build_temp.startswith("build")
