"""Test pages: escaped, complete, with a moderator's navigation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from jinja2 import UndefinedError

from server.trust.console.console_pages import TEMPLATES, Pages
from server.trust.moderators.roles import Action, Operator

ADA = Operator("<ada>", frozenset({"moderator"}), 0.0)


@pytest.fixture
def pages() -> Pages:
    """With three places."""
    made = Pages()
    made.offer("/cases", "console.cases", Action.WORK)
    made.offer("/accounts", "console.accounts", Action.ACCOUNTS)
    made.offer("/help", "console.notices", None)
    return made


def test_the_navigation_has_what_an_operator_may(pages: Pages) -> None:
    assert [place.path for place in pages.places(ADA)] == ["/cases", "/help"]
    assert pages.places(None) == []
    text = pages.answer("missing.html", make_mocked_request("GET", "/cases"), ADA, status=404).text
    assert text is not None
    assert '<a href="/cases" aria-current="page">Cases</a>' in text
    assert "/accounts" not in text
    assert "&lt;ada&gt;" in text
    assert "Sign out" in text


def test_nobody_has_no_way(pages: Pages) -> None:
    text = pages.answer("missing.html", make_mocked_request("GET", "/x"), None).text
    assert text is not None
    assert "<nav" not in text
    assert "Sign out" not in text


def test_a_value_that_is_missing_is_an_error(pages: Pages) -> None:
    with pytest.raises(UndefinedError):
        pages.answer("refused.html", make_mocked_request("GET", "/x"), None)


def test_no_template_has_script_or_style_within() -> None:
    for path in Path(TEMPLATES).glob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path.name
        assert "<style" not in text, path.name
        assert not re.search(r"\son[a-z]+=", text), path.name
        assert all("src=" in part for part in text.split("<script")[1:]), path.name
