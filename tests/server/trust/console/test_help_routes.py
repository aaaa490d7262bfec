"""The manual over HTTP: for those who are signed in, by alert, page and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.trust.console.conftest import Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The manual is in no database."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_an_operator_reads_the_entry_of_an_alert_and_searches(console: Console) -> None:
    ada = await console.person("ada", "moderator")
    assert '<a href="/help/runbook">' in (await ada.get("/help")).text
    entry = (await ada.get("/help/SerendipDown")).text
    assert '<h2 id="serendipdown">SerendipDown</h2>' in entry
    assert "SerendipRestarting</h2>" not in entry
    assert '<a href="/help/runbook#serendipdown">' in entry
    found = (await ada.get("/help?q=nats+certificate")).text
    assert '<a href="/help/runbook#serendipcertificateended">' in found
    assert "nothing about this" in (await ada.get("/help?q=xyzzy")).text


async def test_what_is_no_topic_is_missing_and_words_of_the_reader_are_text(console: Console) -> None:
    ada = await console.person("ada", "moderator")
    for topic in ("xyzzy", "..%2f..%2fsecret", "a" * 500):
        assert (await ada.get(f"/help/{topic}")).status == 404
    assert "<script>" not in (await ada.get("/help?q=%3Cscript%3E")).text


async def test_a_stranger_signs_in_first_and_comes_back_to_the_entry(console: Console) -> None:
    answer = await Person(console).get("/help/SerendipDown")
    assert (answer.status, answer.to) == (303, "/sign-in?next=/help/SerendipDown")
