"""Test the table of fuzz targets: it is complete, each row has what a search needs, and dictionaries are written as libFuzzer reads them."""

from tests.fuzz.targets import COSTLY, ROOT, ROWS, TARGETS, Target, dictionary, seeds


def test_every_target_stands_in_the_table_once() -> None:
    files = {path for pattern in ("fuzz_*.py", "fuzz_*.c") for path in (ROOT / "tests").rglob(pattern)}
    assert {target.source for target in ROWS} == files
    assert len(TARGETS) == len(ROWS)


def test_a_target_in_c_begins_with_histories_of_many_lengths_which_are_the_same_each_time() -> None:
    for target in ROWS:
        if target.is_c:
            lengths = {len(data) for data in seeds(target)}
            assert max(lengths) > 500
            assert len(lengths) > 5
            assert seeds(target) == seeds(target)


def test_every_target_has_a_costly_input_that_fits_it() -> None:
    files = sorted(COSTLY.glob("*"))
    assert {file.name for file in files} == TARGETS.keys()
    for file in files:
        target: Target = TARGETS[file.name]
        assert 0 < file.stat().st_size <= target.size


def test_a_dictionary_has_every_byte_escaped_and_no_word_above_64_bytes() -> None:
    assert dictionary([b'a"\n', b"\xff" * 100]) == '"\\x61\\x22\\x0a"\n"' + "\\xff" * 64 + '"\n'
