"""What is remembered of who wrote that they are under 18: for a day, of so many, and it goes along."""

import orjson

from engine.conduct.age_answers import ASKED, KEPT, AgeAnswer, AgeAnswers
from engine.wire.protocol import ADULT, MINOR


def test_it_is_known_for_a_day() -> None:
    ages = AgeAnswers()
    assert ages.of(7, 0.0) is None
    ages.put(7, ASKED, 100.0, 14)
    assert ages.of(7, 100.0) == AgeAnswer(ASKED, 14, 100.0 + KEPT)
    ages.put(7, ADULT, 200.0)
    assert ages.of(7, 199.0 + KEPT) == AgeAnswer(ADULT, 0, 200.0 + KEPT)
    assert ages.of(7, 200.0 + KEPT) is None
    ages.put(8, ASKED, 300.0 + KEPT)
    assert len(ages) == 1  # who is forgotten takes no room
    ages.forget(8)
    ages.forget(8)
    assert len(ages) == 0


def test_of_too_many_those_of_the_longest_ago_are_forgotten() -> None:
    ages = AgeAnswers(most=3)
    for person in range(1, 4):
        ages.put(person, ASKED, float(person))
    ages.put(1, ADULT, 4.0)
    ages.put(4, ASKED, 5.0)
    assert [person for person in range(1, 5) if ages.of(person, 6.0)] == [1, 3, 4]
    assert AgeAnswers(most=0).of(1, 0.0) is None
    none = AgeAnswers(most=0)
    none.put(1, ASKED, 0.0)
    assert len(none) == 0


def test_it_goes_along_and_the_newer_one_holds() -> None:
    ages, other = AgeAnswers(), AgeAnswers()
    ages.put(7, ASKED, 100.0, 15)
    ages.put(8, MINOR, 110.0)
    record = orjson.loads(orjson.dumps(ages.leave(7, 150.0, keep=False)))
    assert record == [ASKED, 15, KEPT - 50.0]
    assert ages.of(7, 150.0) is None
    assert ages.leave(7, 150.0, keep=False) is None
    other.enter(7, record, 1_000.0)  # another process's clock
    assert other.of(7, 1_000.0) == AgeAnswer(ASKED, 15, 1_000.0 + KEPT - 50.0)
    other.put(7, ADULT, 1_000.0)
    other.enter(7, record, 1_000.0)
    assert other.of(7, 1_000.0) == AgeAnswer(ADULT, 0, 1_000.0 + KEPT)
    other.enter(9, [ASKED, 0, -1.0], 1_000.0)
    other.enter(10, [ASKED, 0, 10 * KEPT], 1_000.0)
    assert other.of(9, 1_000.0) is None
    assert other.of(10, 1_000.0 + KEPT) is None
    assert ages.rest(150.0) == [(8, [MINOR, 0, KEPT - 40.0])]
    assert ages.of(8, 150.0) is not None
