"""`serendip help`: by alert, page and words, with nothing else at hand."""

import pytest
from typer.testing import CliRunner

from server.main.cli import app


def told(*words: str) -> tuple[int, str]:
    done = CliRunner(env={"SERENDIP_SERVER__PORT": "not a number", "SERENDIP_DATA": "/nowhere"}).invoke(
        app, ["help", *words]
    )
    return done.exit_code, done.output


def test_an_alert_prints_its_entry_and_no_other_though_the_settings_are_wrong() -> None:
    status, text = told("SerendipDown")
    assert status == 0
    assert text.startswith("### SerendipDown\n")
    assert "**Do not**" in text
    assert "### SerendipRestarting" not in text


def test_without_a_topic_it_lists_the_pages() -> None:
    status, text = told()
    assert status == 0
    assert "[run-book](runbook.md)" in text
    assert "serendip help ALERT" in text


def test_words_list_titles_that_print_their_text() -> None:
    status, text = told("disk", "full")
    assert status == 0
    assert "SerendipDiskFull  (runbook)" in text


@pytest.mark.parametrize("words", [("xyzzy",), ("\x1b[31m",)])
def test_what_the_manual_does_not_know_is_said_in_a_line(words: tuple[str, ...]) -> None:
    status, text = told(*words)
    assert status == 1
    assert "\x1b" not in text
    assert "the manual says nothing of" in text
