"""Operators at the command line: cases, what they hold, decisions, appeals. Text of people is only ever text."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from server.ops.config.settings import Objects
from server.trust.decisions import second_reviews
from server.trust.decisions.second_reviews import SecondReviews
from server.trust.evidence.chat_evidence import CountedDetection, Detection
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run
from tests.server.trust.moderation.people import acted, cases, pictures, reported, text
from tests.support.cybertip import REPORT, Cybertip


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip safety …` on a data folder of the test's own, migrated."""
    return lambda *words: serendip("safety", *words)


def one(folder: Path) -> str:
    """A case of a report with a nasty line."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def take() -> bytes:
        try:
            return await cases(kit).take(reported(note="\x1b[31mred", said=text("hello", "\x1b]0;title\x07 buy")))
        finally:
            await kit.database.close()

    return asyncio.run(take()).hex()


def test_a_case_is_listed_read_and_decided(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = one(tmp_path)
    listed = json.loads(run("cases", "--json").stdout)
    assert [(found["id"], found["queue"], found["reports"]) for found in listed] == [(case, "spam", 1)]
    assert case[:12] in run("cases").stdout
    monkeypatch.setenv("COLUMNS", "40")
    assert case[:12] in run("cases").stdout, "what is typed again is never cut"
    assert run("show", f"{case[:6]}…", "--why", "look").exit_code == 0
    shown = run("show", case[:8], "--why", "my turn")
    assert "REPORTED 2: <1b>]0;title<07> buy" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert json.loads(run("show", case, "--why", "my turn", "--json").stdout)["listed"]["id"] == case
    told = run("decide", case, "--why", "adverts", "--measure", "ban", "--rule", "R5", "--operator", "ada")
    assert told.exit_code == 0
    assert "identity for 1 day" in told.stdout
    assert "0 open" in run("cases").stdout


def test_a_case_has_the_words_of_its_rules_and_the_chats_of_its_day(run: Run, tmp_path: Path) -> None:
    kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())
    said = replace(
        text("hello", "muslims are vermin"),
        found=(Detection(2, 1, "hate"),),
        counted=CountedDetection("hate", (1_700_000_000, 1_700_003_600)),
    )

    async def take() -> bytes:
        try:
            return await cases(kit).take(acted("hate", said=said))
        finally:
            await kit.database.close()

    case = asyncio.run(take()).hex()
    shown = run("show", case, "--why", "my turn").stdout
    assert 'a program found: hate in 2 ("muslims are vermin")' in shown
    assert "hate in 3 chats of a day: 2023-11-14 22:13, 2023-11-14 23:13, " in shown
    document = json.loads(run("show", case, "--why", "my turn", "--json").stdout)
    assert document["explained"] == [{"rule": "hate", "line": "muslims are vermin", "words": "muslims are vermin"}]
    assert document["texts"][0]["counted"] == {"name": "hate", "earlier": [1_700_000_000, 1_700_003_600]}


def test_a_decision_is_taken_back_by_a_later_process_with_all_that_belonged_to_it(run: Run, tmp_path: Path) -> None:
    case = one(tmp_path)
    pause = (
        "decide",
        case,
        "--why",
        "rude",
        "--measure",
        "pause",
        "--rule",
        "R4",
        "--hours",
        "0.25",
        "--operator",
        "ada",
    )
    assert "identity for 15 minutes" in run(*pause, "--words", "Slow down.").stdout
    assert "and nobody else" in run("undo", case, "--operator", "bob").output
    assert "taken back" in run("undo", case, "--operator", "ada").stdout
    assert "reporter wrote (spam)" in run("show", case, "--why", "again").stdout
    assert run(*pause).exit_code == 0
    assert "the ban is over" in run("unban", case, "--why", "too long", "--operator", "bob").stdout
    assert "not both" in run(*pause, "--days", "1").output


def test_what_cannot_be_is_one_line(run: Run, tmp_path: Path) -> None:
    for words in (
        ("show", "x", "--why", "w"),
        ("show", "00" * 16, "--why", "w"),
        ("decide", "00" * 16, "--why", "w", "--measure", "none"),
        ("decide", "00" * 16, "--why", "w", "--measure", "shout"),
        ("answer", "00" * 16, "reverse", "--why", "w"),
        ("answer", "00" * 16, "perhaps", "--why", "w"),
    ):
        done = run(*words)
        assert done.exit_code in (1, 2), words
        assert done.output.startswith("serendip: "), words
        assert done.output.count("\n") == 1, words
    assert "0 waiting" in run("appeals").stdout
    assert json.loads(run("appeals", "--json").stdout) == []


def abused(folder: Path, about: int = 44) -> str:
    """A case of a picture that is like a listed one; its bytes are by chance."""
    kit = make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())

    async def take() -> bytes:
        try:
            return await cases(kit).take(acted("known", about=about, said=text("hello"), shown=pictures()))
        finally:
            await kit.database.close()

    return asyncio.run(take()).hex()


def test_a_package_is_made_and_nothing_is_sent_without_the_word(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = Cybertip()
    for name, value in body.settings.items():
        monkeypatch.setenv(name, value)
    case, out = abused(tmp_path), tmp_path / "package"
    words = ("referral", case, "--why", "the law", "--name", "Ada Lovelace")
    alone = run(*words, "--out", str(out))
    assert (alone.exit_code, out.exists()) == (3, False), "a second operator, or the time that replaces one"
    assert "console.wait_hours" in alone.stderr
    case, out = abused(tmp_path, 45), tmp_path / "package"
    words = ("referral", case, "--why", "the law", "--name", "Ada Lovelace", "--emergency")
    assert "would have to confirm" in run(*words, "--out", str(out), "--dry-run").stdout
    done = run(*words, "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "nothing was sent" in done.stdout
    assert body.steps == []
    assert len(list(out.glob("*.jpg"))) == 3
    assert run(*words, "--out", str(out), "--send").exit_code == 1  # the folder is there
    assert body.steps == []
    again = tmp_path / "again"
    sent = run(*words, "--out", str(again), "--send")
    assert sent.exit_code == 0, sent.output
    assert f"reported as {REPORT}" in sent.stdout
    assert body.report == (again / "report.xml").read_bytes() == (out / "report.xml").read_bytes()
    assert body.files == {path.name: path.read_bytes() for path in again.iterdir() if path.suffix in (".jpg", ".txt")}
    body.fails = "finish"
    refused = run(*words, "--out", str(tmp_path / "third"), "--send")
    assert refused.exit_code == 1
    assert "finish: refused" in refused.stderr
    body.stop()


def test_without_an_endpoint_nothing_can_be_sent_and_what_was_sent_by_hand_is_noted(run: Run, tmp_path: Path) -> None:
    case = abused(tmp_path)
    words = ("referral", case, "--why", "the law", "--emergency")
    out = ("--out", str(tmp_path / "package"))
    refused = run(*words, *out, "--send")
    assert (refused.exit_code, "child_endpoint is empty" in refused.stderr) == (1, True)
    assert not (tmp_path / "package").exists()
    for wrong in ((), ("--send",), (*out, "--sent", "7"), (*out, "--type", "other"), (*out, "--at", "2026-11-24")):
        assert run(*words, *wrong).exit_code == 2
    assert "reported as 7" in run(*words, "--sent", "7").stdout
    assert "no more than a year ago" in run(*words, "--sent", "7", "--at", "2020-01-01").stderr
    unmarked = one(tmp_path)
    assert "Mark the case first" in run("referral", unmarked, "--why", "so", "--emergency", *out).stderr
    assert "kept for a year" in run("mark", unmarked, "--why", "a child").stdout
    assert run("referral", unmarked, "--why", "so", "--emergency", *out).exit_code == 0


def test_a_second_look_is_asked_of_somebody_else(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecondReviews, "drawn", staticmethod(lambda: True))
    monkeypatch.setattr(second_reviews, "UNDO", -1)  # at once
    case = one(tmp_path)
    run("decide", case, "--why", "adverts", "--measure", "ban", "--rule", "R5", "--operator", "ada")
    assert "0 waiting" in run("seconds", "--operator", "ada").stdout
    assert case[:12] in run("seconds", "--operator", "bob").stdout
    assert [found["id"] for found in json.loads(run("seconds", "--operator", "bob", "--json").stdout)] == [case]
    assert "waits for a second look" in run("show", case, "--why", "so", "--operator", "bob").stdout
    said = ("second", case, "--why", "so", "--measure", "ban", "--rule", "R5", "--operator")
    assert run(*said, "ada").exit_code == 1
    assert "the same was decided" in run(*said, "bob").stdout
    assert run(*said, "bob").exit_code == 1
