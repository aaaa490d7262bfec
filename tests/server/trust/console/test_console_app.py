"""Test the application: one host name, strict headers, and pages for faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.errors import StoreAway
from server.trust.console import console_app
from tests.server.trust.console.conftest import Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pages of case work, which have tests of their own."""
    monkeypatch.setattr(console_app, "PARTS", [])


@pytest.mark.parametrize("host", ["127.0.0.1:9466", "localhost", "localhost:1", "elsewhere.example", "localhost.:9466"])
async def test_another_name_is_told_the_right_one_and_nothing_else(console: Console, host: str) -> None:
    answer = await Person(console).get("/sign-in", Host=host)
    assert (answer.status, answer.text) == (421, "This console is at http://localhost:9466 (setting console.origin).\n")


async def test_pages_let_nothing_in_and_are_not_kept(console: Console) -> None:
    ada = await console.person("ada", "admin")
    for answer in (await ada.get("/accounts"), await ada.get("/nothing"), await Person(console).get("/sign-in")):
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "trusted-types 'none'", "frame-ancestors 'none'"} <= {
            *policy
        }
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "aiohttp" not in str(answer.headers)


async def test_each_role_comes_in_at_what_is_theirs(console: Console) -> None:
    found = {}
    for role in ("admin", "officer", "lead", "moderator"):
        person = await console.person(role, role)
        answer = await person.get("/")
        found[role] = answer.to if answer.status == 303 else answer.status
    assert found == {"admin": "/accounts", "officer": "/approvals", "lead": "/approvals", "moderator": "/tokens"}


async def test_a_store_that_is_away_is_said(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(console.kit.database, "read", away)
    answer = await Person(console, "a" * 21 + "A").get("/accounts")
    assert answer.status == 503
    assert "The database is away" in answer.text


async def test_a_fault_of_ours_says_nothing_of_itself(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(console.kit.database, "read", fault)
    answer = await Person(console, "a" * 21 + "A").get("/accounts")
    assert answer.status == 500
    assert "secret" not in answer.text
