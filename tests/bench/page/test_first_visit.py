"""The bench of the page makes a real visit, and says what falls short."""

from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from bench.page import first_visit
from bench.support.serving import Serving

GOOD: dict[str, Any] = {"visits": 3, "answers": 12, "bytes": 70_000, "content_ms": 500, "usable_ms": 900}


def test_a_visit_is_counted_in_bytes_and_answers_and_has_its_times() -> None:
    with Serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=first_visit.ARGUMENTS)
        found = first_visit.visit(browser, f"http://127.0.0.1:{server.port}/")
        browser.close()
    assert 5 <= found.answers <= 20
    assert 40_000 <= found.wire <= first_visit.BYTES_MAX
    assert 2 * first_visit.LATENCY <= found.content <= found.usable


@pytest.mark.parametrize(("name", "value"), [("bytes", 75_001), ("content_ms", 1_001), ("usable_ms", 1_301)])
def test_what_is_not_as_good_as_it_should_be_is_said(name: str, value: int) -> None:
    assert first_visit.falls_short(GOOD) == []
    assert [line.split(":")[0] for line in first_visit.falls_short(GOOD | {name: value})] == [name]


def test_the_middle_of_some_visits_is_told() -> None:
    visits = [first_visit.Visit(12, wire, content, 900.4) for wire, content in ((1, 3), (5, 1), (3, 2))]
    assert first_visit.middle(visits) == GOOD | {"bytes": 3, "content_ms": 2}


def test_the_table_says_how_it_was_measured() -> None:
    machine = {"cpu": "a processor", "cores": 2, "load": 0.1, "date": "2026-11-26"}
    text = first_visit.written({"machine": machine} | GOOD)
    assert "| on the wire, bodies and heads | 70.0 KB in 12 answers | 75 KB |" in text
    assert "a processor, 2 cores" in text
