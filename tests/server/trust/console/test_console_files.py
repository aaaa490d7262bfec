"""Test that the console serves its own files, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.trust.console.console_files import OWN, SHARED, WEB
from tests.server.trust.console.conftest import Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def test_all_that_a_page_names_is_there(console: Console) -> None:
    page = await Person(console).get("/sign-in")
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    assert {"/static/passkey.js", "/static/console.css", "/static/style/tokens.css"} <= named
    fonts = {f"/static/vendor/{name}" for name in re.findall(r"\.\./vendor/([\w.-]+)", (WEB / SHARED[0]).read_text())}
    for path in named | fonts:
        answer = await console.client.get(path, headers={"Host": "localhost:9466"})
        assert answer.status == 200, path
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_nothing_else_is(console: Console) -> None:
    for path in (
        "/static/app.js",
        "/static/../files.py",
        "/static/%2e%2e/files.py",
        "/static/templates/base.html",
        "/static/",
    ):
        assert (await console.client.get(path, headers={"Host": "localhost:9466"}, allow_redirects=False)).status != 200


def test_the_scripts_keep_nothing_in_the_browser_and_make_no_markup() -> None:
    for path in OWN.glob("*.js"):
        assert not re.search(
            r"localStorage|sessionStorage|innerHTML|document\.cookie|indexedDB|eval\(", path.read_text()
        )
