"""Test that every kept input of every fuzz target passes, that the mutator depends on its seed alone, and that crashing input stays on disk."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.c.build import ROOT
from tests.c.fuzz import run_python, targets
from tests.support.fuzzing import MOST, Choices, Mutator, kept, module_of

PYTHON = [target for target in targets() if target.suffix == ".py"]
KEPT = [(target, file) for target in PYTHON for file in kept(target)]
BAD = """
WORDS = (b"boom",)

def fuzz(data):
    if b"boom" in data:
        {how}
    return len(data) % 7
"""


@pytest.mark.parametrize(("target", "file"), KEPT, ids=[f"{target.stem}-{file.name}" for target, file in KEPT])
def test_a_kept_input_passes(target: Path, file: Path) -> None:
    module_of(target, ROOT).fuzz(file.read_bytes())


@pytest.mark.parametrize("target", PYTHON, ids=[target.stem for target in PYTHON])
def test_a_target_has_a_corpus_and_a_dictionary_and_takes_what_is_made_of_them(target: Path) -> None:
    module = module_of(target, ROOT)
    corpus = [file.read_bytes() for file in kept(target)]
    assert corpus
    made = Mutator(random.Random(1), corpus, module.WORDS)
    said = {module.fuzz(made.next()) for _ in range(30)}
    assert len(said) > 1, "it says the same of everything"


def test_the_same_seed_makes_the_same_inputs_within_the_bound() -> None:
    def made(seed: int) -> list[bytes]:
        mutator = Mutator(random.Random(seed), [b"hello", b"x" * MOST], [b"word"])
        return [mutator.next() for _ in range(500)]

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert max(map(len, made(1))) <= MOST
    assert sum(b"word" in data for data in made(1)) > 50


def test_choices_are_read_from_bytes_and_end_in_nothing() -> None:
    choices = Choices(b"\x05\x03abcd\x82z")
    assert (choices.byte(), choices.bytes(9), choices.byte()) == (5, b"abc", ord("d"))
    assert choices.bytes(9) == b"zzzz"  # 130: two to the second
    assert not choices
    assert (choices.byte(), choices.bytes(9)) == (0, b"")


@pytest.mark.parametrize("how", ["raise ValueError('found')", "import os; os.abort()"])
def test_an_input_that_ends_its_process_stays_and_fails_again(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "fuzz_bad.py"
    target.write_text(BAD.format(how=how))
    monkeypatch.setattr("tests.c.fuzz.ROOT", tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    assert not run_python(target, 20, 1, tmp_path)
    found = tmp_path / "fuzz_bad-crash-1"
    assert b"boom" in found.read_bytes()
    words = [str(tmp_path), str(target), "0", "1", str(tmp_path / "again"), str(found)]
    again = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzzing", *words],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=False, capture_output=True,
    )  # fmt: skip
    assert again.returncode != 0
