"""The ageing map, beside a list of what was put."""

from hypothesis import given
from hypothesis import strategies as st

from ext.base.ageing_map import AgeingMap

STEPS = st.lists(st.tuples(st.integers(0, 8), st.floats(0.5, 5.0), st.floats(0.0, 2.0), st.booleans()), max_size=60)


def test_an_entry_is_gone_when_its_time_has_come() -> None:
    ages: AgeingMap[str, int] = AgeingMap()
    ages.put("a", 1, 10.0, 0.0)
    assert (ages.get("a", 9.9), ages.get("a", 10.0), ages.get("b", 0.0)) == (1, None, None)
    assert ages.items(9.9) == [("a", 1)]
    assert ages.items(10.0) == []


def test_the_entry_put_the_longest_ago_makes_room() -> None:
    ages: AgeingMap[str, int] = AgeingMap(2)
    for key in ("a", "b", "a", "c"):
        ages.put(key, ord(key))
    assert list(ages) == ["a", "c"]
    assert ages.is_full


def test_an_idle_map_shrinks_by_two_for_each_that_comes() -> None:
    ages: AgeingMap[int, None] = AgeingMap()
    for key in range(10):
        ages.put(key, None, 1.0, 0.0)
    sizes = []
    for key in range(10, 14):
        ages.put(key, None, 3.0, 2.0)
        sizes.append(len(ages))
    assert sizes == [9, 8, 7, 6]
    ages.expire(2.0)
    assert list(ages) == [10, 11, 12, 13]


def test_an_entry_is_taken_out_once() -> None:
    ages: AgeingMap[str, int] = AgeingMap()
    ages.put("a", 1)
    assert ("a" in ages, ages.pop("a"), ages.pop("a"), "a" in ages) == (True, 1, None, False)


@given(STEPS)
def test_the_map_has_what_was_put_last_and_never_more_than_its_bound(
    steps: list[tuple[int, float, float, bool]],
) -> None:
    ages: AgeingMap[int, int] = AgeingMap(5)
    known: dict[int, tuple[int, float]] = {}
    now = 0.0
    for number, (key, life, step, removes) in enumerate(steps):
        now += step
        if removes:
            ages.pop(key)
            known.pop(key, None)
        else:
            ages.put(key, number, now + life, now)
            known.pop(key, None)
            known[key] = number, now + life
            assert ages.get(key, now) == number
        assert len(ages) <= 5
        alive = [(key, value) for key, (value, until) in known.items() if until > now]
        assert [found for found in alive if found in ages.items(now)] == ages.items(now)
