"""Test that every kept input of every fuzz target in Python passes, and that the mutator depends on its seed alone."""

import random
from pathlib import Path

import pytest

from tests.fuzz.targets import ROWS, Target, module_of, seeds, words
from tests.support.fuzzing import MOST, Choices, Mutator

PYTHON = [target for target in ROWS if not target.is_c]
KEPT = [(target, file) for target in PYTHON for file in sorted(target.corpus.glob("*"))]


@pytest.mark.parametrize(("target", "file"), KEPT, ids=[f"{target.name}-{file.name}" for target, file in KEPT])
def test_a_kept_input_passes(target: Target, file: Path) -> None:
    module_of(target).fuzz(file.read_bytes())


@pytest.mark.parametrize("target", PYTHON, ids=[target.name for target in PYTHON])
def test_a_target_has_seeds_and_a_dictionary_and_takes_what_is_made_of_them(target: Target) -> None:
    module = module_of(target)
    corpus = seeds(target)
    assert corpus
    assert all(len(data) <= target.size for data in corpus)
    for data in corpus:
        getattr(module, "enter", module.fuzz)(data)
    made = Mutator(random.Random(1), corpus, words(target))
    said = {module.fuzz(data) for data in [*corpus, *(made.next() for _ in range(30))]}
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
