"""Test what all verbs of `serendip privacy` and `serendip safety` share: JSON, and rehearsals, which change nothing but the audit log."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from server.main.commands.case_commands import app as safety
from server.main.commands.privacy_commands import app as privacy
from server.ops.config.settings import Objects
from server.ops.security.reference_numbers import shown
from server.trust.moderators import emergency_reviews
from server.trust.moderators.roles import Action
from tests.server.data.conftest import make_kit
from tests.server.main.commands.conftest import Run
from tests.server.main.commands.test_case_commands import one
from tests.server.trust.legal_orders.orders import officers, order, orders

READING = {  # verbs that change no row of the store
    *("privacy audit", "privacy statement", "privacy records", "privacy receipt", "privacy release", "privacy check", "privacy scan-logs"),
    *("privacy hold list", "privacy request list", "privacy request show", "privacy ledger list", "privacy ledger verify"),
    *("privacy order list", "privacy order show", "privacy incident list", "privacy emergency list", "privacy know"),
    *("safety report", "safety queues", "safety cases", "safety show", "safety seconds", "safety appeals", "safety notices list"),
    *("safety notices show", "safety rules check", "safety rules try", "safety templates list"),
}  # fmt: skip
UNREHEARSED = {
    "privacy mail",
    "privacy replay",
}  # a mail server runs the one, and the other repeats what a restore left undone
AS_OF = {"privacy close", "privacy announce", "privacy mail", "privacy replay"}  # of the present alone
CASE, ORDER, REVIEW, HOLD = "{case}", "{order}", "{review}", "{hold}"
REQUEST, INCIDENT, LINE = "{request}", "{incident}", "{line}"


def verbs() -> Iterator[tuple[str, set[str]]]:
    """Yield each verb with its options."""

    def walk(command: Any, path: str) -> Iterator[tuple[str, set[str]]]:
        if not hasattr(command, "commands"):
            yield path, {name for option in command.params for name in option.opts}
            return
        for name, below in command.commands.items():
            yield from walk(below, f"{path} {name}")

    yield from walk(get_command(privacy), "privacy")
    yield from walk(get_command(safety), "safety")


def test_every_verb_prints_json_and_every_change_can_be_rehearsed_as_of_a_day() -> None:
    known = dict(verbs())
    assert set(known) >= READING | UNREHEARSED | AS_OF
    assert [verb for verb, options in known.items() if "--json" not in options] == []
    changing = {verb: options for verb, options in known.items() if verb not in READING}
    assert [verb for verb, options in changing.items() if "--dry-run" not in options and verb not in UNREHEARSED] == []
    assert [verb for verb, options in changing.items() if "--now" not in options and verb not in AS_OF] == []


REHEARSED = (
    ("privacy", "hold", "place", "--authority", "A court", "--reason", "7", "--address", "81.0.0.11", "--days", "9"),
    ("privacy", "hold", "release", HOLD, "--why", "over"),
    ("privacy", "request", "new", "--kind", "other", "--by", "letter", "--why", "a letter"),
    ("privacy", "request", "answer", REQUEST, "--why", "done", "--answer", "It is done."),
    ("privacy", "request", "deny", REQUEST, "--why", "no", "--reason", "other"),
    ("privacy", "request", "close", REQUEST, "--why", "withdrawn"),
    ("privacy", "request", "extend", REQUEST, "--why", "it takes long"),
    ("privacy", "request", "clear", "--why", "a flood", "--from", "2026-01-01", "--yes"),
    ("privacy", "order", "hold", ORDER),
    ("privacy", "order", "refuse", ORDER, "--why", "of no court"),
    ("privacy", "order", "gag", ORDER, "--until", "2030-01-01", "--why", "the court"),
    ("privacy", "order", "produce", ORDER, "--out", "{folder}/answer"),
    ("privacy", "incident", "new", "--words", "{folder}/words", "--authority", "Datatilsynet", "--categories", "A"),
    ("privacy", "incident", "close", INCIDENT, "--why-not", "no risk"),
    ("privacy", "emergency", "review", REVIEW, "--verdict", "lawful", "--finding", "a life"),
    ("privacy", "handover", "begin", "--to", "New Operator", "--categories", "A", "--why", "a sale"),
    ("privacy", "handover", "end", LINE),
    ("privacy", "close", "--why", "the end"),
    ("privacy", "purge"),
    ("safety", "decide", CASE, "--why", "spam", "--measure", "ban", "--rule", "R4", "--days", "7"),
    ("safety", "mark", CASE, "--why", "abuse"),
    ("safety", "reveal", CASE, "--recipient", "Police", "--why", "7", "--emergency"),
    ("safety", "export", CASE, "--recipient", "Police", "--why", "7", "--out", "{folder}/case"),
    ("safety", "templates", "save", "Spam", "No adverts here."),
)  # fmt: skip


@pytest.fixture
def named(serendip: Run, tmp_path: Path) -> dict[str, str]:
    """A store with one of everything, and the names of these."""
    (tmp_path / "words").write_text("A disk was lost.")
    case = one(tmp_path)

    async def fill() -> tuple[str, str]:
        kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())
        await officers(kit, "ada", "bob")
        number = await orders(kit).new(order(), "ada")
        async with kit.database.write() as connection:
            await emergency_reviews.begin(connection, Action.REVEAL, bytes(16), "bob", int(kit.now))
        review = (await emergency_reviews.EmergencyReviews(kit.database).listed())[0].number
        await kit.database.close()
        return number, review

    number, review = asyncio.run(fill())
    for words in (REHEARSED[0], REHEARSED[2], REHEARSED[12], REHEARSED[15]):
        done = serendip(*(word.format(folder=tmp_path) for word in words), "--operator", "ada")
        assert done.exit_code == 0, done.output
    found = {"case": case, "order": shown(number), "review": review, "folder": str(tmp_path), "hold": "1"}
    found["request"] = json.loads(serendip("privacy", "request", "list", "--json").stdout)[0]["number"]
    found["incident"] = json.loads(serendip("privacy", "incident", "list", "--json").stdout)[0]["number"]
    line = next(
        one for one in json.loads(serendip("privacy", "ledger", "list", "--json").stdout) if one["what"] == "transfer"
    )
    return found | {"line": str(line["number"])}


def state(folder: Path) -> tuple[dict[str, list[Any]], list[str]]:
    """Return all rows but those of the audit log, and the names of all files but the database's."""
    with closing(sqlite3.connect(folder / "serendip.db")) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in names if name != "audit"}  # noqa: S608
    rows.pop("sqlite_sequence", None)
    files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
    return rows, sorted(file for file in files if not file.startswith("serendip.db") and "lock" not in file)


def test_a_rehearsal_says_what_would_happen_and_changes_nothing_but_the_audit_log(
    serendip: Run, named: dict[str, str], tmp_path: Path
) -> None:
    before = state(tmp_path)
    for words in REHEARSED:
        command = [word.format(**named) for word in words]
        done = serendip(*command, "--operator", "ada", "--dry-run", "--json")
        assert "Traceback" not in done.output
        assert done.exit_code == 0 or words[1] == "close", (command, done.output)  # `close` lists what waits
        assert isinstance(json.loads(done.stdout), dict), command
        after = state(tmp_path)
        assert after[1] == before[1], command
        for table, rows in before[0].items():
            assert after[0][table] == rows, (command, table)
    with closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        outcomes = [row[0] for row in database.execute("SELECT outcome FROM audit WHERE action = 'order refuse'")]
    assert outcomes[0].startswith("asked, to count only")
    assert outcomes[1].startswith("not done, counted only: order ")


def test_a_rehearsal_is_done_by_the_same_words_without_the_option(
    serendip: Run, named: dict[str, str], tmp_path: Path
) -> None:
    refuse = ("privacy", "order", "refuse", named["order"], "--why", "of no court", "--operator", "ada")
    assert "dry run, nothing was changed: the order is refused" in serendip(*refuse, "--dry-run").stdout
    assert json.loads(serendip(*refuse, "--json").stdout) == {"said": "the order is refused", "dry_run": False}
    assert serendip(*refuse, "--dry-run").exit_code == 1, "it is closed now"


def test_an_act_is_dated_as_of_the_day_that_is_said(serendip: Run, named: dict[str, str]) -> None:
    place = [word.format(**named) for word in REHEARSED[0]]
    assert serendip(*place, "--operator", "ada", "--now", "2031-02-03").exit_code == 0
    newest = max(json.loads(serendip("privacy", "hold", "list", "--json").stdout), key=lambda one: one["id"])
    assert newest["placed"] == 1_927_843_200


def test_an_act_as_of_another_day_is_in_the_audit_log_of_today(serendip: Run, named: dict[str, str]) -> None:
    """Else a purge would remove the line before the owner reads of it."""
    begun = int(time.time())
    mark = ("safety", "mark", named["case"], "--why", "abuse", "--operator", "ada", "--now", "2020-01-01")
    done = serendip(*mark)
    assert done.exit_code == 0, done.output
    lines = json.loads(serendip("privacy", "audit", "--json").stdout)
    assert [line["time"] >= begun for line in lines if line["action"] == "safety mark"] != []
    assert all(line["time"] >= begun for line in lines if line["action"] == "safety mark")
