"""Test detections of a day: counted once per chat, bounded, and merged whatever the order in which processes hear of them."""

from random import Random

import pytest

from engine.conduct.daily_detections import CHATS, DAY, DailyDetections, mark_of
from engine.conduct.detection_consequences import HATE, LIMITS, THREAT
from engine.conduct.friction_points import FACTS, Friction

NOW = 1_000.0


def counted(daily: DailyDetections, person: int, now: float = NOW) -> dict[str, int]:
    return {name: daily.chats(person, name, now) for name in LIMITS}


def test_a_class_counts_once_per_chat_for_a_day() -> None:
    daily = DailyDetections()
    assert [daily.add(7, HATE, chat, NOW, NOW) for chat in (1, 1, 2)] == [1, 0, 2]
    assert daily.add(7, THREAT, 1, NOW, NOW) == 1
    assert daily.add(8, HATE, 1, NOW, NOW) == 1
    assert counted(daily, 7) == {HATE: 2, THREAT: 1, "nudity": 0}
    assert daily.chats(7, HATE, NOW + DAY - 1) == 2
    assert daily.chats(7, HATE, NOW + DAY) == 0
    assert daily.add(7, HATE, 3, NOW, NOW + DAY) == 0  # it is a day old already


def test_chats_and_persons_are_bounded_and_the_oldest_person_is_dropped_first() -> None:
    daily = DailyDetections(most=3)
    for chat in range(1000):
        daily.add(1, HATE, chat, NOW, NOW)
    assert daily.chats(1, HATE, NOW) == CHATS >= max(limit.case for limit in LIMITS.values())
    for person in range(2, 10):
        daily.add(person, THREAT, 1, NOW, NOW)
    assert len(daily) == 3
    assert daily.chats(1, HATE, NOW) == 0


def test_rows_of_several_processes_are_one_whatever_their_order() -> None:
    draw = Random(3)
    rows = [(HATE, draw.randrange(6), float(draw.randrange(1000))) for _ in range(20)]
    one, two = DailyDetections(), DailyDetections()
    one.enter(7, rows, NOW)
    draw.shuffle(rows)
    two.enter(7, rows, NOW)
    record = two.leave(7, NOW, keep=True)
    assert record is not None
    assert one.enter(7, record, NOW) == []
    assert counted(one, 7) == counted(two, 7)
    assert [person for person, _ in one.rest(NOW)] == [7]


def test_an_exported_entry_is_gone_unless_it_stays_and_keeps_its_age() -> None:
    daily, other = DailyDetections(), DailyDetections()
    daily.add(7, HATE, 1, NOW, NOW)
    assert daily.leave(7, NOW + 60, keep=True) == [(HATE, 1, 60.0)]
    assert other.enter(7, [(HATE, 1, 60.0), ("a later class", 1, 0.0)], 5_000.0) == [(HATE, 1, 60.0)]
    assert other.chats(7, HATE, 5_000.0 + DAY - 61) == 1
    assert other.chats(7, HATE, 5_000.0 + DAY - 60) == 0
    assert daily.leave(7, NOW, keep=False) is not None
    assert daily.leave(7, NOW, keep=False) is None


@pytest.mark.parametrize("chats", range(1, 5))
def test_hate_in_three_chats_of_a_day_is_a_fact_of_friction(chats: int) -> None:
    daily = DailyDetections()
    friction = Friction(daily=daily)
    before = friction.points(7, 7, "net", NOW)
    for chat in range(chats):
        daily.add(7, HATE, chat, NOW, NOW)
    assert friction.points(7, 7, "net", NOW) - before == (FACTS["detected"].points if chats >= 3 else 0)


def test_a_mark_tells_chats_apart_and_names_none() -> None:
    assert mark_of("7fffffffffffffff") == 2**31 - 1
    assert mark_of("7fffffff00000001") == mark_of("1") == 1
