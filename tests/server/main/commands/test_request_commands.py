"""Operators answer requests: the trail has its line before, the law's clocks refuse what they must, and what was written goes."""

from __future__ import annotations

import asyncio
import datetime
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.ops.config.settings import Objects
from server.trust.data_requests.request_store import NewRequest, Requests
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run

ME = 11


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip privacy …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("privacy", *words)


def asked(folder: Path) -> tuple[str, bytes]:
    """A proved objection: its number, and its person as the trail has them."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def take() -> str:
        try:
            now = int(datetime.datetime.now(datetime.UTC).timestamp())
            return await Requests(kit.database, kit.pseudonyms).open(
                NewRequest("object", "page", 3, ME, "\x1b[31mbecause"), now
            )
        finally:
            await kit.database.close()

    return asyncio.run(take()), kit.pseudonyms.audit_subject(kit.pseudonyms.request_identity(ME))


def subjects(folder: Path) -> list[tuple[str, bytes | None, str]]:
    """The trail: action, subject, outcome."""
    with closing(sqlite3.connect(folder / "serendip.db")) as database:
        return database.execute("SELECT action, subject, outcome FROM audit ORDER BY id").fetchall()


def test_a_letter_is_entered_with_its_day_listed_extended_once_and_answered(run: Run) -> None:
    day = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=10)).date()
    made = run(
        "request", "new", "--kind", "know", "--by", "letter", "--received", f"{day}", "--text", "dear you",
        "--contact", "Street 1", "--why", "post of today",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert f"answer by {day + datetime.timedelta(days=30)}" in made.stdout
    (listed,) = json.loads(run("request", "list", "--json").stdout)
    number = listed["number"]
    assert (listed["state"], listed["by"], listed["received"][:10]) == ("in_progress", "letter", f"{day}")
    shown = json.loads(run("request", "show", number, "--why", "my turn", "--json").stdout)
    assert (shown["text"], shown["contact"]) == ("dear you", "Street 1")
    late = day + datetime.timedelta(days=31)
    refused = run("request", "extend", number, "--why", "host is slow", "--now", f"{late}")
    assert refused.exit_code == 1
    assert "first month" in refused.output
    assert f"{day + datetime.timedelta(days=90)}" in run("request", "extend", number, "--why", "host is slow").stdout
    assert "once" in run("request", "extend", number, "--why", "again").output
    assert run("request", "answer", number, "--answer", "here it is", "--why", "done").stdout == "fulfilled\n"
    shown = json.loads(run("request", "show", number, "--why", "look", "--json").stdout)
    assert (shown["state"], shown["text"], shown["contact"], shown["answer"]) == ("fulfilled", "", "", "here it is")
    assert "cannot become" in run("request", "close", number, "--why", "x").output
    assert json.loads(run("request", "list", "--json").stdout) == []
    assert len(json.loads(run("request", "list", "--all", "--json").stdout)) == 1


def test_who_looks_is_in_the_trail_before_with_whom_it_is_about(run: Run, tmp_path: Path) -> None:
    number, subject = asked(tmp_path)
    shown = run("request", "show", number, "--why", "my turn", "--operator", "ada")
    assert "<1b>[31mbecause" in shown.stdout
    assert subjects(tmp_path) == [
        ("request show", None, "asked"),
        ("request show", subject, "about"),
        ("request show", None, number),
    ]
    assert run("request", "deny", number, "--reason", "claim_not_covered", "--why", "law").stdout == "denied\n"
    assert ("request denied", subject, "about") in subjects(tmp_path)


def test_what_cannot_be_is_one_line(run: Run, tmp_path: Path) -> None:
    number, _ = asked(tmp_path)
    for words, said in (
        (("show", "AAAA", "--why", "x"), "there is no such request"),
        (("deny", number, "--reason", "because", "--why", "x"), "denied has the reasons"),
        (("new", "--kind", "sell", "--by", "mail", "--why", "x"), "not one of"),
        (("new", "--kind", "know", "--by", "dove", "--why", "x"), "not mail, letter or operator"),
        (("new", "--kind", "know", "--by", "mail", "--why", "x", "--received", "2999-01-01"), "has not come"),
        (("new", "--kind", "know", "--by", "mail", "--why", "x", "--received", "soon"), "not a time"),
    ):
        done = run("request", *words)
        assert done.exit_code in (1, 2)
        assert said in done.output
        assert "Traceback" not in done.output


def test_a_flood_of_requests_that_nobody_proved_is_refused_at_once(run: Run, tmp_path: Path) -> None:
    proved, _ = asked(tmp_path)
    kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())

    async def flood() -> list[str]:
        try:
            now, requests = int(datetime.datetime.now(datetime.UTC).timestamp()), Requests(kit.database, kit.pseudonyms)
            letter = await requests.open(NewRequest("other", "letter", 0, text="dear you"), now)
            return [letter] + [await requests.open(NewRequest("other", "page", 0, text="x"), now) for _ in range(3)]
        finally:
            await kit.database.close()

    letter, *others = asyncio.run(flood())
    assert "3 requests would be refused" in run("request", "clear", "--why", "flood", "--from", "2026-01-01").stdout
    done = run("request", "clear", "--why", "flood", "--from", "2026-01-01", "--yes")
    assert done.stdout == "3 requests refused\n"
    left = {one["number"]: one["state"] for one in json.loads(run("request", "list", "--all", "--json").stdout)}
    assert left == {proved: "open", letter: "open"} | dict.fromkeys(others, "denied")
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        assert database.execute("SELECT count(*) FROM request_text").fetchone() == (2,)
    assert run("request", "clear", "--why", "x", "--from", "2026-01-01", "--reason", "spam").exit_code == 2
