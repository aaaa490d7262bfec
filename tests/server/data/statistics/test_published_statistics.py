"""What is published of use: whatever was counted, no mean under ten, nothing hidden beside it, and the hours at which people are here."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.data.statistics.count_names import DAYS, ENDINGS, LENGTHS, MODES, names_of
from server.data.statistics.published_statistics import LEAST, ROUND, Statistics, busy_hours, merge, month
from tests.server.data.conftest import Kit
from tests.server.data.statistics.test_chat_counts import chat

BEGIN = int(datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC).timestamp())
HOUR, DAY = 3_600, 86_400
CHATS = st.tuples(
    st.integers(0, 31 * DAY - 1), st.sampled_from(MODES), st.sampled_from(("stranger", *ENDINGS)),
    st.integers(0, len(LENGTHS)), st.sampled_from(("en", "de", "ar", "fi", "xx")), st.sampled_from((1, 7, 90, 400, 5_000)),
)  # fmt: skip


def counted(chats: list[tuple[int, str, str, int, str, int]]) -> Counter[str]:
    """The sums of a month with these chats, each so many times."""
    found: Counter[str] = Counter()
    for at, mode, how, length, language, times in chats:
        for name in names_of(mode, how, BEGIN + at, length, language):
            found[name] += times
    return found


def wholes(published: dict[str, Any]) -> list[tuple[str, set[object]]]:
    """Each table with all its parts."""
    hours = [(row["days"], hour) for row in published["hours"] for hour in range(row["from"], row["to"])]
    return [
        ("hours", set(hours)),
        *((name, {part for row in published[name] for part in row["of"]}) for name in ("modes", "endings")),
    ]


@settings(max_examples=150, deadline=None)
@given(chats=st.lists(CHATS, max_size=60), since=st.integers(-40, 20))
def test_no_mean_under_ten_is_published_and_nothing_beside_it_is_hidden(
    chats: list[tuple[int, str, str, int, str, int]], since: int
) -> None:
    published = month("2026-10", counted(chats), BEGIN + since * DAY)
    rows = [row for table in published.values() if isinstance(table, list) for row in table]
    assert all(row["chats"] >= LEAST and row["chats"] % ROUND == 0 for row in rows)
    for name, parts in wholes(published):
        kinds = {row["days"] for row in published["hours"]}
        assert kinds in (set(), {"day"}, {"weekday", "weekend"})
        whole = (
            {(kind, hour) for kind in kinds for hour in range(24)}
            if name == "hours"
            else set(MODES if name == "modes" else ENDINGS)
        )
        assert not parts or parts == whole  # a missing part would be one under ten
    if published["lengths"]:
        ends = [(row["from"], row["to"]) for row in published["lengths"]]
        assert [0, *(end for _, end in ends[:-1])] == [begin for begin, _ in ends]
        assert ends[-1][1] is None
        assert {end for _, end in ends[:-1]} <= set(LENGTHS)


@given(means=st.lists(st.floats(0, 40), max_size=24), ordered=st.booleans())
def test_groups_have_all_chats_and_none_is_small(means: list[float], ordered: bool) -> None:
    groups = merge([(str(place), mean) for place, mean in enumerate(means)], ordered=ordered)
    assert all(mean >= LEAST for _, mean in groups)
    if groups:
        names = [name for some, _ in groups for name in some]
        assert sorted(names, key=int) == [str(place) for place in range(len(means))]
        assert not ordered or names == sorted(names, key=int)
    else:
        assert sum(means) < LEAST or not means


def test_a_busy_hour_stays_by_itself_and_weekends_are_apart() -> None:
    chats = [
        (hour * HOUR + day * DAY, "text", "left", 1, "en", 40 if hour == 20 else 4)
        for day in range(31)
        for hour in range(24)
    ]
    published = month("2026-10", counted(chats), BEGIN)
    assert {row["days"] for row in published["hours"]} == {"weekday", "weekend"}
    assert [row for row in published["hours"] if row["from"] == 20] == [
        {"days": kind, "from": 20, "to": 21, "chats": 40} for kind in ("weekday", "weekend")
    ]
    assert published["languages"] == [{"of": ["en"], "chats": 130}]
    assert (
        month("2026-10", counted(chats), BEGIN + 16 * DAY)["languages"][0]["chats"] == 275
    )  # counted for half the month


def test_a_language_of_few_chats_has_no_line() -> None:
    chats = [(0, "text", "left", 0, language, 310 * many) for language, many in (("en", 90), ("de", 6), ("fi", 4))]
    assert [row["of"] for row in month("2026-10", counted(chats), BEGIN)["languages"]] == [["en"], ["de"], ["other"]]


@pytest.mark.parametrize(
    ("busy", "expected"), [((20, 21, 22), (20, 23)), ((23, 0), (23, 1)), (range(24), None), ((), None)]
)
def test_the_usual_hours_are_the_shortest_time_with_half_of_the_chats(
    busy: range, expected: tuple[int, int] | None
) -> None:
    rows = [
        {"days": kind, "from": hour, "to": hour + 1, "chats": 100 if hour in busy else 5}
        for kind in DAYS
        for hour in range(24)
    ]
    assert busy_hours({"hours": rows if busy else []}) == expected


async def test_the_usual_hours_are_of_a_month_that_is_not_long_over(kit: Kit) -> None:
    kit.now = BEGIN + 20 * HOUR
    statistics = Statistics(kit.database, lambda: kit.now)
    assert (statistics.months, statistics.busy) == (None, None)
    numbers = itertools.count()
    for hour, times in ((10, 400), (19, 1_200), (23, 400)):
        statistics.counts.add(chat(BEGIN + hour * HOUR, next(numbers), next(numbers)) for _ in range(times))
    await statistics.refresh()
    assert (statistics.months, statistics.busy) == ([], None)
    kit.now = BEGIN + 32 * DAY
    await statistics.refresh()
    assert [one["month"] for one in statistics.months or ()] == ["2026-10"]
    assert statistics.busy == (19, 20)
    kit.now = BEGIN + 100 * DAY
    await statistics.refresh()
    assert statistics.busy is None
