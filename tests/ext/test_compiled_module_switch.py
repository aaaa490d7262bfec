"""Test the choice between compiled modules and their source."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.wire.protocol_copy_generator import ROOT
from ext import compiled_module_switch

WHERE = (
    "import engine.chats.search, engine.matching.lobby as lobby, server.realtime.worker.local_bus as bus; "
    "print(engine.chats.search.__file__, lobby.__file__, bus.__file__)"
)


def run_from(**more: str) -> list[str]:
    """The endings of the files that three of the modules are run from."""
    environment = {name: value for name, value in os.environ.items() if name != compiled_module_switch.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", WHERE], cwd=ROOT, env=environment | more, capture_output=True, text=True, check=True
    )
    return [Path(file).suffix for file in done.stdout.split()]


def test_the_environment_says_whether_the_source_runs() -> None:
    assert run_from(SERENDIP_PLAIN="1") == [".py"] * 3
    built = bool([*(ROOT / "engine" / "chats").glob("search.*.so")])  # a tree that looks into ext has none
    assert run_from() == ([".so"] if built else [".py"]) * 3


def test_a_module_that_was_compiled_before_its_source_changed_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "engine" / "core"
    folder.mkdir(parents=True)
    for name in ("chat.py", "chat.pxd", "chat.cpython-311.so", "other.py", "never.py", "never.pxd"):
        (folder / name).touch()
        os.utime(folder / name, (1000, 1000))
    assert compiled_module_switch.stale(tmp_path) == []
    os.utime(folder / "chat.pxd", (2000, 2000))
    assert compiled_module_switch.stale(tmp_path) == ["engine/core/chat.py"]


def test_a_module_of_elsewhere_is_not_looked_for() -> None:
    assert compiled_module_switch.Source.find_spec("json.decoder", ["/nowhere"]) is None
    assert compiled_module_switch.Source.find_spec("engine.chats.search", None) is None


@pytest.mark.parametrize(
    "source",
    sorted(
        path.with_suffix(".py") for folder in compiled_module_switch.FOLDERS for path in (ROOT / folder).rglob("*.pxd")
    ),
    ids=str,
)
def test_each_has_its_source(source: Path) -> None:
    assert source.exists()


def test_what_has_a_declaration_is_in_a_folder_that_is_compiled() -> None:
    declared = {path.relative_to(ROOT) for top in ("engine", "server") for path in (ROOT / top).rglob("*.pxd")}
    beside = {path for path in declared if not path.as_posix().startswith(compiled_module_switch.FOLDERS)}
    assert beside == set(), "a module that moved would be interpreted, without a word"
