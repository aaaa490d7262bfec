"""What operators say to all users: the newest statement holds everywhere, and nothing malformed is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from server.http.words.sentence_formatter import said as spoken
from server.ops.health.service_state import (
    ANNOUNCEMENT,
    LANGUAGES_MAX,
    MAINTENANCE,
    TEXT_MAX,
    BadStatement,
    ServiceState,
    text_for,
)

NOW = 1_800_000_000.0


def said(*, until: int = 0, **texts: str) -> dict[str, Any]:
    """Return an announcement."""
    return {"id": "a1", "texts": texts or {"en": "Hello"}, "until": until}


def state(path: Path | None = None, now: float = NOW) -> ServiceState:
    """Return a state with a clock that stands."""
    return ServiceState(path, lambda: now)


def test_the_newest_statement_holds_in_whatever_order_they_arrive() -> None:
    first, second = state(), state()
    old = first.state(MAINTENANCE, {"until": 0})
    assert first.take(old)
    new = first.state(MAINTENANCE, None)
    assert first.take(new)
    assert not first.take(old), "it is older"
    assert second.take(new)
    assert not second.take(old)
    assert first.maintenance is second.maintenance is None
    assert first.rows == second.rows


def test_an_announcement_ends_by_itself_and_maintenance_by_an_order_alone() -> None:
    now = [NOW]
    here = ServiceState(None, lambda: now[0])
    here.take(here.state(ANNOUNCEMENT, said(until=int(NOW) + 60)))
    here.take(here.state(MAINTENANCE, {"until": int(NOW) + 60}))
    frame = orjson.loads(here.frame())
    assert frame["announcement"] == {"id": "a1", "texts": {"en": "Hello"}, "until": int(NOW) + 60}
    assert frame["maintenance"] == {"until": int(NOW) + 60}
    now[0] += 61
    assert here.told == {"maintenance": {"until": int(NOW) + 60}}, "it lasts longer than was expected"


def test_a_new_client_is_sent_a_frame_only_if_there_is_something_to_say() -> None:
    here = state()
    assert here.greeting() is None
    here.take(here.state(MAINTENANCE, {"until": 0}))
    assert here.greeting() == b'{"type":"service","maintenance":{}}'
    here.take(here.state(MAINTENANCE, None))
    assert here.greeting() is None
    here.store_away = True
    assert here.greeting() == b'{"type":"service","read_only":true}'


def test_statements_outlive_the_process_that_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "run" / "service.json"
    here = state(path)
    here.take(here.state(ANNOUNCEMENT, said(de="Hallo")))
    assert state(path).told == here.told
    path.write_text("{")
    assert state(path).told == {}, "a damaged file says nothing"


def test_a_clock_that_is_set_back_keeps_no_order_from_being_taken(tmp_path: Path) -> None:
    now, path = [NOW], tmp_path / "run" / "service.json"
    here = ServiceState(path, lambda: now[0])
    here.take(here.state(MAINTENANCE, {"until": 0}))
    now[0] -= 3_600
    again = ServiceState(path, lambda: now[0])
    assert again.maintenance == {}, "a start does not end it"
    for one in (here, again):
        assert one.take(one.state(MAINTENANCE, None))
        assert one.maintenance is None


@pytest.mark.parametrize(
    "rows",
    [
        [],
        {ANNOUNCEMENT: [1]},
        {ANNOUNCEMENT: [1, {"id": "a", "texts": {}, "until": 0}]},
        {ANNOUNCEMENT: [1, {"id": "a/b", "texts": {"en": "x"}, "until": 0}]},
        {ANNOUNCEMENT: [1, {"id": "a", "texts": {"en": "x" * (TEXT_MAX + 1)}, "until": 0}]},
        {ANNOUNCEMENT: [1, {"id": "a", "texts": {"en": "two\nlines"}, "until": 0}]},
        {ANNOUNCEMENT: [1, {"id": "a", "texts": {"en": 7}, "until": 0}]},
        {ANNOUNCEMENT: [1, {"id": "a", "texts": {f"l{at}": "x" for at in range(LANGUAGES_MAX + 1)}, "until": 0}]},
        {MAINTENANCE: [1, {"until": -1}]},
        {MAINTENANCE: ["1", {"until": 0}]},
        {MAINTENANCE: [int(NOW * 1000) + 3_600_000, {"until": 0}]},
        {MAINTENANCE: [0, None]},
    ],
)
def test_a_malformed_statement_changes_nothing(rows: object) -> None:
    here = state()
    with pytest.raises(BadStatement):
        here.take(rows)
    assert here.rows == {}


def test_a_kind_of_a_later_release_is_skipped() -> None:
    here = state()
    assert not here.take({"weather": [1, {"rain": True}]})
    assert here.take({"weather": [1, {}], MAINTENANCE: [1, {"until": 0}]})
    assert set(here.rows) == {MAINTENANCE}


@pytest.mark.parametrize("key", ["announce.soon", "announce.trouble"])
def test_the_prepared_texts_are_taken_in_all_languages(key: str) -> None:
    texts = {language: t.text(key, time=t.moment(NOW)) for language, t in spoken().items()}
    here = state()
    assert here.take(here.state(ANNOUNCEMENT, said(**texts)))
    assert here.announcement is not None
    assert len(here.announcement["texts"]) == 9


def test_a_text_is_that_of_the_language_or_english_or_any() -> None:
    texts = said(en="Hello", de="Hallo", pt="Olá")
    assert [text_for(texts, one) for one in ("de", "pt-BR", "fr")] == ["Hallo", "Olá", "Hello"]
    assert text_for(said(nb="Hei"), "fr") == "Hei"
