"""Programs of the benches compile without a warning, and a warning is an error."""

import subprocess
from pathlib import Path

import pytest

from bench.support import c_programs
from bench.support.results import ROOT


@pytest.mark.parametrize("source", ["bench/load/load.c", "bench/server/peers/floor.c"])
def test_a_program_compiles_without_a_warning(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_programs, "BUILD", tmp_path / "build")
    assert c_programs.compiled(ROOT / source).exists()


def test_a_warning_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_programs, "BUILD", tmp_path / "build")
    source = tmp_path / "unused.c"
    source.write_text("int main(void) { int unused; return 0; }\n")
    with pytest.raises(subprocess.CalledProcessError):
        c_programs.compiled(source)
