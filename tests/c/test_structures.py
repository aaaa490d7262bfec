"""The C of ext/match by itself: it compiles, alone and without a warning, and its structures do what plain arrays do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.c.build import HERE, ROOT, STRICT, compiled
from tests.fuzz.targets import ROWS

HEADERS = sorted((ROOT / "ext" / "match" / "c").glob("*.h"))
MATCHER = HERE / "test_matcher.c"
SOURCES = [*HEADERS, *sorted(HERE.glob("*.[ch]"))]


@pytest.mark.parametrize(
    "header", [header for header in HEADERS if not header.stem.endswith("-inl")], ids=lambda h: h.name
)
@pytest.mark.parametrize("debug", [[], ["-DSERENDIP_DEBUG"]], ids=["release", "debug"])
def test_a_header_compiles_by_itself_without_a_warning(header: Path, debug: list[str]) -> None:
    subprocess.run(["gcc", *STRICT, *debug, "-fsyntax-only", str(header)], check=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("source", sorted(HERE.glob("test_*.c")), ids=lambda source: source.stem[5:])
def test_a_structure_does_what_a_plain_array_does(source: Path, tmp_path: Path) -> None:
    # To optimize the matcher, in three builds, with what the sanitizers add takes a hundred times what its run takes.
    program = compiled([source], tmp_path / source.stem, level=0 if source == MATCHER else 1)
    subprocess.run([program], check=True, timeout=200)


def test_the_matcher_is_compiled_without_a_warning_where_it_is_optimized_too() -> None:
    command = ["gcc", *STRICT, "-Og", "-DSERENDIP_DEBUG", "-S", str(MATCHER), "-o", os.devnull]
    subprocess.run(command, check=True)


def test_every_structure_has_a_fuzz_target_and_a_test() -> None:
    names = {source.stem[5:] for source in HERE.glob("test_*.c")}
    assert names >= {"arena", "hashtable", "postings", "matcher"}
    assert names == {target.name for target in ROWS if target.is_c}


def test_functions_in_c_have_seventy_lines_at_most() -> None:
    long = {
        f"{source.name}: {body.group(1)}"
        for source in SOURCES
        for body in re.finditer(r"^(\w[^\n;]*\)) \{\n(?:.*\n)*?\}", source.read_text(), re.M)
        if body.group(0).count("\n") + 1 > 70
    }
    assert not long


def test_the_c_is_formatted() -> None:
    tool = shutil.which("clang-format", path=str(Path(sys.executable).parent))
    assert tool is not None, "run: make build"
    subprocess.run([tool, "--dry-run", "--Werror", *map(str, SOURCES)], cwd=ROOT, check=True)
