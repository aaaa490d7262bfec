"""Test that similar texts are found, by keyed hashes, in a table that forgets the oldest."""

import random
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.net.similarity import Shingles

KEY = bytes(range(16))
LINE = b"heygorgeousimboredtonightwannaseemypicsaddmeonmypage"
VARIANT = b"heygorgeousimsoboredtonightwannaseemypicsaddmeonmypage"
OTHER = b"doyouthinkthatahotdogisasandwichornot"


def numbers(alike: list[tuple[int, int, int, float]]) -> list[int]:
    return [number for number, *_ in alike]


def test_a_text_is_alike_to_itself_and_to_one_with_a_word_more_and_not_to_another() -> None:
    table = Shingles(KEY, 100)
    assert table.put(LINE, 7, 1, 1.0, 0.0) == (1, [])
    assert table.put(LINE, 8, 0, 2.0, 0.0) == (2, [(1, 7, 1, 1.0)])
    assert sorted(numbers(table.put(VARIANT, 9, 0, 3.0, 0.0)[1])) == [1, 2]
    assert table.put(OTHER, 10, 0, 4.0, 0.0) == (4, [])
    assert len(table) == 4


def test_what_is_too_old_is_alike_to_nothing_and_the_oldest_are_written_over() -> None:
    table = Shingles(KEY, 3)
    for at in range(1, 6):
        _, alike = table.put(LINE, at, 0, float(at), 0.0)
        assert sorted(numbers(alike)) == list(range(max(1, at - 3), at))
    assert len(table) == 3
    assert sorted(numbers(table.put(LINE, 6, 0, 6.0, 4.5)[1])) == [5]


def test_of_equal_texts_the_five_newest_are_told() -> None:
    table = Shingles(KEY, 100)
    for at in range(50):
        _, alike = table.put(LINE, at, 0, float(at), 0.0)
        assert numbers(alike) == list(range(at, max(0, at - 5), -1))


def test_no_more_than_six_similar_ones_are_told() -> None:
    table, dice = Shingles(KEY, 1_000), random.Random(3)
    counts = set()
    for at in range(500):
        place = dice.randrange(len(LINE))
        _, alike = table.put(LINE[:place] + b"x" + LINE[place:], at, 0, float(at), 0.0)
        counts.add(len(alike))
    assert max(counts) == 6


def test_a_text_is_found_among_many_that_share_words_with_it() -> None:
    """Each bucket keeps its newest texts; those of an advert are in buckets of their own, whatever else is said meanwhile."""
    dice = random.Random(4)
    words = [bytes(dice.choices(range(97, 123), k=6)) for _ in range(40)]
    table, found = Shingles(KEY, 20_000), 0
    for at in range(10_000):
        table.put(b"".join(dice.choices(words, k=8)), at, 0, float(at), 0.0)
        if at % 100 == 0:
            found += bool(table.put(LINE if at % 200 else VARIANT, at, 1, float(at), 0.0)[1])
    assert found >= 98


def test_two_tables_under_other_keys_find_the_same_and_have_other_hashes() -> None:
    """What is alike by chance alone under one key is not under another."""
    texts = [f"{n:032b}".encode() for n in range(400)]
    found = []
    for key in (KEY, bytes(16)):
        table = Shingles(key, 1000)
        found.append([frozenset(numbers(table.put(text, 0, 0, 0.0, 0.0)[1])) for text in texts])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("key", "room", "least"), [(b"short", 10, 8), (KEY, 0, 8), (KEY, 10, 0), (KEY, 10, 17), (KEY, 1 << 25, 8)]
)
def test_what_is_no_table_is_refused(key: bytes, room: int, least: int) -> None:
    with pytest.raises(ValueError):
        Shingles(key, room, least)


def test_a_text_of_less_than_four_bytes_is_refused() -> None:
    with pytest.raises(ValueError):
        Shingles(KEY, 10).put(b"abc", 0, 0, 0.0, 0.0)


def exact(a: bytes, b: bytes) -> float:
    """The share of shingles that two have in common."""
    ones, others = ({text[at : at + 4] for at in range(len(text) - 3)} for text in (a, b))
    return len(ones & others) / len(ones | others)


def test_the_share_of_equal_bins_is_about_that_of_common_shingles() -> None:
    """Each of many pairs under many keys: with `least` 8 of 16 those far above a half are found, those far below are not."""
    near, far = LINE + b"xyz", LINE[:20] + OTHER
    assert exact(LINE, near) > 0.9
    assert exact(LINE, far) < 0.3
    found = {near: 0, far: 0}
    for seed in range(200):
        for text in found:
            table = Shingles(seed.to_bytes(16, "big"), 10)
            table.put(LINE, 1, 0, 0.0, 0.0)
            found[text] += len(table.put(text, 2, 0, 0.0, 0.0)[1])
    assert found[near] >= 195
    assert found[far] <= 10


@given(
    st.lists(st.tuples(st.binary(min_size=4, max_size=80), st.integers(0, 2**63 - 1), st.integers(0, 1)), max_size=60)
)
def test_what_is_told_was_put_and_is_there_and_what_is_there_is_alike_to_itself(
    texts: list[tuple[bytes, int, int]],
) -> None:
    table = Shingles(KEY, 8)
    for at, (text, chat, side) in enumerate(texts, 1):
        number, alike = table.put(text, chat, side, float(at), 0.0)
        assert number == at
        assert len(set(numbers(alike))) == len(alike) <= 6
        for there, its_chat, its_side, its_time in alike:
            assert 0 < at - there <= 8
            assert (its_chat, its_side, its_time) == (*texts[there - 1][1:], float(there))
    if texts:
        assert len(texts) in numbers(table.put(texts[-1][0], 0, 0, len(texts) + 1.0, 0.0)[1])


def test_a_cleared_table_knows_nothing_and_goes_on() -> None:
    table = Shingles(KEY, 3)
    for at in range(1, 6):
        table.put(LINE, at, 0, float(at), 0.0)
    assert table.latest == 5.0
    table.clear()
    assert (len(table), table.latest) == (0, 0.0)
    assert table.put(LINE, 9, 0, 6.0, 0.0) == (1, [])
    assert numbers(table.put(LINE, 10, 0, 7.0, 0.0)[1]) == [1]


def test_a_table_is_cleared_where_no_more_memory_is_given() -> None:
    table = Shingles(KEY, 1_000)
    table.put(LINE, 1, 0, 1.0, 0.0)
    limit = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, limit[1]))
    try:
        table.clear()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limit)
    assert table.put(LINE, 2, 0, 2.0, 0.0) == (1, [])
