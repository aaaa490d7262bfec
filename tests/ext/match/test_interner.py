"""Test the interner: reference counts, bounds, weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.interest_normalisation import BadInterest, normal
from engine.wire.protocol import INTEREST_MAX
from ext.match.interner import Ids, Interner, alive
from tests.support import ledger


def intern(interner: Interner, word: str) -> int:
    """The number of one normalised word; -1 where the table is full."""
    ids = interner.intern_all([word], {word: word}, str)
    return -1 if ids is None else ids[0]


def test_a_number_lives_as_long_as_somebody_uses_it() -> None:
    interner = Interner()
    one = intern(interner, "chess")
    assert intern(interner, "chess") == one
    interner.release((one,))
    assert interner.word(one) == "chess"
    interner.release((one,))
    with pytest.raises(KeyError):
        interner.word(one)
    with pytest.raises(KeyError):
        interner.release((one,))
    assert len(interner) == 0


def test_a_full_table_refuses_the_new_word_only() -> None:
    interner = Interner(2)
    a, b = intern(interner, "a"), intern(interner, "b")
    assert intern(interner, "c") == -1
    assert intern(interner, "a") == a
    interner.release((b,))
    assert intern(interner, "c") >= 0


def test_rare_words_weigh_more_and_frequencies_outlive_the_number() -> None:
    interner = Interner()
    for _ in range(1000):
        interner.release((intern(interner, "music"),))
    rare = intern(interner, "glassblowing")
    common = intern(interner, "music")
    assert interner.weight(rare) > 3 * interner.weight(common)
    assert interner.weight(common) == 8


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=300))
def test_it_behaves_like_a_counter(moves: list[tuple[bool, int]]) -> None:
    interner = Interner(15)
    held: dict[str, list[int]] = {}
    for take, which in moves:
        word = str(which)
        if take:
            found = intern(interner, word)
            if found < 0:
                assert len(held) == 15
                assert word not in held
                continue
            assert interner.word(found) == word
            assert all(found != ids[0] for other, ids in held.items() if other != word)
            held.setdefault(word, []).append(found)
        elif word in held:
            interner.release((held[word].pop(),))
            if not held[word]:
                del held[word]
        assert len(interner) == len(held)


def test_any_script_comes_back_as_it_went_in_and_what_is_no_word_is_refused() -> None:
    interner = Interner()
    words = ["ж", "日本語", "a" * 16, "a" * 17, "é" * 64, "😀", "x" * 4096]
    ids = [intern(interner, word) for word in words]
    assert [interner.word(found) for found in ids] == words
    assert len(set(ids)) == len(words)
    for bad in ("", "x" * 4097, "\ud800"):
        with pytest.raises(ValueError):
            intern(interner, bad)
    assert len(interner) == len(words)


@pytest.mark.parametrize("wrong", [None, 5, b"tea"])
def test_what_is_no_text_is_refused(wrong: object) -> None:
    interner = Interner()
    with pytest.raises(TypeError):
        interner.intern_all([wrong, "tea"], {}, normal)  # type: ignore[list-item]
    assert len(interner) == 0


@given(st.lists(st.text(st.characters(codec="utf-8", max_codepoint=0x17F), max_size=80), min_size=1, max_size=20))
def test_words_are_numbered_as_if_each_were_normalised_by_itself(words: list[str]) -> None:
    interner = Interner()
    expected = []
    for word in words:
        try:
            expected.append(normal(word))
        except BadInterest:
            with pytest.raises(BadInterest):
                interner.intern_all(words, {}, normal)
            assert len(interner) == 0
            return
    ids = interner.intern_all(words, {}, normal)
    assert ids is not None
    assert interner.words_of(ids) == expected
    assert len(interner) == len(set(expected))


@given(st.lists(st.tuples(st.booleans(), st.text("ab", min_size=1, max_size=40)), max_size=400))
def test_places_and_numbers_are_given_again(moves: list[tuple[bool, str]]) -> None:
    interner = Interner()
    held: dict[str, int] = {}
    for take, word in moves:
        if take and word not in held:
            held[word] = intern(interner, word)
        elif not take and word in held:
            interner.release((held.pop(word),))
        assert all(interner.word(found) == text for text, found in held.items())
    assert len(interner) == len(held)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40))
def test_ids_are_the_numbers_that_went_in(numbers: list[int]) -> None:
    ids = Ids(numbers)
    assert len(ids) == len(numbers)
    assert list(ids) == [ids[place] for place in range(len(ids))] == numbers
    assert all(number in ids for number in numbers)
    assert (2**32) not in ids
    assert list(ids.unique()) == list(dict.fromkeys(numbers))
    for place in (-1, len(numbers)):
        with pytest.raises(IndexError):
            ids[place]


@pytest.mark.parametrize("numbers", [[-1], [1] * 20 + [2**32]])
def test_what_is_no_number_makes_no_ids(numbers: list[int]) -> None:
    with pytest.raises(OverflowError):
        Ids(numbers)


def test_a_plain_word_is_at_most_as_long_as_an_interest_of_the_protocol() -> None:
    longest, longer = "a" * INTEREST_MAX, "a" * (INTEREST_MAX + 1)
    asked: list[str] = []

    def normal(word: str) -> str:
        asked.append(word)
        return word

    assert Interner().intern_all([longest, longer], {}, normal) is not None
    assert asked == [longer], "only the engine, which knows the limit, judges a longer one"


def test_words_of_a_find_are_interned_together_or_not_at_all() -> None:
    interner = Interner(3)
    asked = []

    def normal(word: str) -> str:
        asked.append(word)
        if word == "\u00e9":
            raise ValueError(word)
        return " ".join(word.lower().split())

    ids = interner.intern_all(["Chess", "chess", "  Chess", "go  ", "GO!"], {"go  ": "go!"}, normal)
    assert ids is not None
    assert interner.words_of(ids) == ["chess", "chess", "chess", "go!", "go!"]
    assert asked == ["  Chess"], "plain words are normalised by the interner, the fourth is known"
    assert interner.intern_all(["go!", "tea", "milk"], {}, normal) is None
    with pytest.raises(ValueError):
        interner.intern_all(["go!", "tea", "\u00e9"], {}, normal)
    assert len(interner) == 2
    interner.release(ids)
    assert len(interner) == 0


def test_an_entry_that_nobody_gives_back_is_counted_until_its_interner_goes() -> None:
    before = ledger.alive()
    interner = Interner()
    ids = interner.intern_all(["chess", "go", "go"], {}, str)
    assert ids is not None
    assert alive()["interner entries"] == before["interner entries"] + 2
    interner.release([ids[1]])
    assert ledger.left_since(before) == {"interner entries": 2}  # one of two uses of "go" is left
    interner.release([ids[2]])
    assert ledger.left_since(before) == {"interner entries": 1}
    del interner
    assert ledger.left_since(before) == {}


def test_words_are_the_normalised_ones_of_their_ids_or_not() -> None:
    interner = Interner()
    words = ["chess", "\u0448\u0430\u0445", "go"]
    ids = interner.intern_all(words, {}, str.lower)
    assert ids is not None
    assert interner.spelled(ids, words)
    assert interner.spelled(list(ids), words)
    assert not interner.spelled(ids, ["Chess", *words[1:]])
    assert not interner.spelled(ids, ["ches", *words[1:]])
    assert not interner.spelled(ids, words[:2])
    assert not interner.spelled(ids, words[::-1])
    interner.release(ids)
    with pytest.raises(KeyError):
        interner.spelled(ids, words)
