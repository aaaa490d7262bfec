"""Published statistics in words, bars and CSV."""

import csv
import io
from typing import Any

import pytest

from server.data.statistics.statistics_page import HEIGHT, as_csv, tables
from server.http.words.sentence_formatter import said

MONTH: dict[str, Any] = {
    "month": "2026-10",
    "hours": [
        {"days": "day", "from": 0, "to": 18, "chats": 90},
        {"days": "day", "from": 18, "to": 24, "chats": 1_200},
    ],
    "lengths": [{"from": 0, "to": 180, "chats": 40}, {"from": 180, "to": 3_600, "chats": 20}, {"from": 3_600, "to": None, "chats": 10}],
    "modes": [{"of": ["text"], "chats": 1_280}, {"of": ["spy", "college"], "chats": 10}],
    "endings": [], "languages": [{"of": ["en"], "chats": 1_000}, {"of": ["nb", "other"], "chats": 290}],
}  # fmt: skip


def test_a_month_is_tables_with_bars_as_high_as_an_hour_is_busy() -> None:
    hours, lengths, modes, languages = tables(MONTH, said()["en"])
    assert hours.rows == (("00:00–18:00", "90"), ("18:00–24:00", "1,200"))
    assert [(bar.x, bar.width, bar.height) for bar in hours.bars] == [(0, 18, 2.5), (18, 6, HEIGHT)]
    assert hours.most.endswith("200 an hour")
    assert lengths.rows == (("under 3 minutes", "40"), ("3 minutes to 1 hour", "20"), ("1 hour and longer", "10"))
    assert modes.rows[1][0] == "a question that two discuss and college students"
    assert languages.rows[1][0] == "Norwegian Bokmål and other languages"


@pytest.mark.parametrize("language", sorted(said()))
def test_every_language_words_every_part(language: str) -> None:
    every = {
        **MONTH,
        "endings": [{"of": ["left", "lost", "moderation", "restart"], "chats": 10}],
        "modes": [{"of": ["text", "video", "spy", "college"], "chats": 10}],
    }
    assert len(tables(every, said()[language])) == 5


def test_the_csv_has_a_line_for_each_number() -> None:
    rows = list(csv.reader(io.StringIO(as_csv([MONTH]))))
    assert rows[0] == ["month", "table", "part", "chats_a_day"]
    assert len(rows) == 1 + 2 + 3 + 2 + 2
    assert rows[5] == ["2026-10", "lengths", "3600-", "10"]
