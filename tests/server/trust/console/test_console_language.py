"""Test `/language`: the choice is a cookie, precedes the browser's languages, and redirects nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.trust.console.console_pages import LANGUAGE
from tests.server.trust.console.conftest import ORIGIN, Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_a_language_that_is_chosen_is_kept_in_a_cookie_and_goes_before_the_browsers(console: Console) -> None:
    nobody = Person(console)
    page = await nobody.get("/sign-in", **{"Accept-Language": "fr, de;q=0.5"})
    assert '<html lang="fr" dir="ltr">' in page.text
    assert 'name="next" value="/sign-in"' in page.text
    answer = await nobody.ask("POST", "/language", {"language": "ar", "next": "/sign-in?next=/cases"})
    assert (answer.status, answer.to) == (303, "/sign-in?next=/cases")
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert name == LANGUAGE
    assert set(rest.split("; ")[1:]) == {"HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Strict", "Secure"}
    chosen = await nobody.get("/sign-in", **{"Accept-Language": "fr", "Cookie": f"{LANGUAGE}=ar"})
    assert '<html lang="ar" dir="rtl">' in chosen.text
    assert re.search(r'value="ar" lang="ar" dir="rtl" aria-current="true"', chosen.text)
    unknown = await nobody.get("/sign-in", **{"Accept-Language": "tlh", "Cookie": f"{LANGUAGE}=xx"})
    assert '<html lang="en" dir="ltr">' in unknown.text


async def test_a_choice_sends_nobody_elsewhere_and_takes_no_other_page_s_form(console: Console) -> None:
    nobody = Person(console)
    for there in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere"):
        assert (await nobody.ask("POST", "/language", {"language": "de", "next": there})).to == "/"
    answer = await nobody.ask("POST", "/language", {"language": "xx", "next": "/"})
    assert "Set-Cookie" not in answer.headers
    strange = await nobody.ask("POST", "/language", {"language": "de"}, Origin="https://elsewhere.example")
    assert strange.status == 403
    assert "Set-Cookie" not in strange.headers
    assert (await nobody.ask("POST", "/language", {"language": "de"}, Origin=ORIGIN)).status == 303


async def test_what_was_answered_to_a_form_begins_anew_in_another_language(console: Console) -> None:
    ada = await console.person("ada", "admin")
    refused = await ada.post("/accounts/roles", name="nobody", role="lead")
    assert 'name="next" value="/"' in refused.text
    assert 'name="next" value="/accounts"' in (await ada.get("/accounts")).text
