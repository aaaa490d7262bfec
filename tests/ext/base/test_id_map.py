"""Compare the map of ids with a dict."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.base.id_map import IdMap

IDS = st.one_of(st.integers(0, 20), st.integers(0, (1 << 64) - 1))


class Thing:
    """An object that can be followed."""


@given(st.lists(st.tuples(st.sampled_from(["put", "pop", "get"]), IDS)))
def test_it_holds_what_a_dict_holds(moves: list[tuple[str, int]]) -> None:
    ids: IdMap[str] = IdMap()
    plain = dict[int, str]()
    for at, (move, id) in enumerate(moves):
        if move == "put":
            ids.put(id, str(at))
            plain[id] = str(at)
        elif move == "pop":
            assert ids.pop(id) == plain.pop(id, None)
        assert ids.get(id) == plain.get(id)
        assert (id in ids) is (id in plain)
        assert len(ids) == len(plain)
        assert dict(ids.items()) == {**ids} == plain
        assert set(ids) == set(plain)
        assert sorted(ids.values()) == sorted(plain.values())


def test_a_hundred_thousand_come_and_go() -> None:
    ids: IdMap[int] = IdMap()
    for id in range(100_000):
        ids.put(id << 20, id)
    assert all(ids[id << 20] == id for id in range(100_000))
    assert all(ids.pop(id << 20) == id for id in range(0, 100_000, 2))
    assert all(ids.get(id << 20) == (id if id % 2 else None) for id in range(100_000))
    assert all(ids.pop(id << 20) == id for id in range(1, 100_000, 2))
    assert len(ids) == 0
    with pytest.raises(KeyError):
        ids[0]


def test_an_object_lives_as_long_as_it_is_in_the_map() -> None:
    ids: IdMap[Thing] = IdMap()
    things = [Thing() for _ in range(4)]
    refs = [weakref.ref(thing) for thing in things]
    for id, thing in enumerate(things):
        ids.put(id, thing)
    ids.put(0, things[1])
    del thing
    things.clear()
    gc.collect()
    assert [ref() is not None for ref in refs] == [False, True, True, True]
    ids.pop(2)
    assert refs[2]() is None
    del ids
    assert [ref() for ref in refs] == [None] * 4


def test_an_id_has_64_bits_and_an_object() -> None:
    ids: IdMap[str] = IdMap()
    for id in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            ids.put(id, "a")
    with pytest.raises(TypeError):
        ids.put(1, None)  # type: ignore[arg-type]
    assert not ids
