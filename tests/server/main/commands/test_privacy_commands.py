"""Operators' commands over a real store: what they print, what they leave in the trail, and that data is only ever text."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import sqlite3
import time
from pathlib import Path

import pytest

from server.data.statement.statement_versions import settle
from server.ops.config.settings import Objects, Settings
from server.ops.security import secret_keys
from server.ops.security.identity_cookie import Identities
from tests.server.data.conftest import Kit, ended, make_kit, people, transcript
from tests.server.main.commands.conftest import Run
from tests.support import services


@pytest.fixture
def run(serendip: Run) -> Run:
    """Run `serendip …` on a data folder of the test's own, migrated."""
    return serendip


def kit_of(folder: Path) -> Kit:
    """The same store, opened by the test."""
    return make_kit(f"sqlite+aiosqlite:///{folder / 'serendip.db'}", folder, Objects())


def test_check_says_that_the_schema_is_as_declared(run: Run) -> None:
    found = json.loads(run("db", "check", "--json").output)
    assert found["revision"] == found["head"]
    assert found["differences"] == []
    assert "agree" in run("privacy", "check").output


def test_a_purge_prints_its_proof_and_leaves_a_line_in_the_trail(run: Run, tmp_path: Path) -> None:
    async def fill() -> None:
        kit = kit_of(tmp_path)
        await kit.write(ended(1, now=time.time()), ended(130, now=time.time()))
        await kit.database.close()

    asyncio.run(fill())
    dry = json.loads(run("privacy", "purge", "--dry-run", "--json").stdout)
    assert (dry["dry_run"], dry["deleted"]["chat"], dry["proved"]) == (True, 1, False)
    done = json.loads(run("privacy", "purge", "--json", "--operator", "anna").stdout)
    assert (done["deleted"]["chat"], done["deleted"]["party"], done["proved"]) == (1, 2, True)
    trail = json.loads(run("privacy", "audit", "--json").stdout)
    assert [(line["operator"], line["action"]) for line in trail] == [("anna", "purge")]
    assert "so it is" in run("privacy", "purge").output


def test_a_later_day_is_rehearsed_and_nothing_goes_before_it_by_a_slip(run: Run, tmp_path: Path) -> None:
    async def fill() -> None:
        kit = kit_of(tmp_path)
        await kit.write(ended(1, now=time.time()))
        await kit.database.close()

    asyncio.run(fill())
    later = f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=125):%Y-%m-%d}"
    dry = json.loads(run("privacy", "purge", "--now", later, "--dry-run", "--json").stdout)
    assert dry["deleted"]["party"] == 2
    refused = run("privacy", "purge", "--now", later)
    assert refused.exit_code == 2
    assert "Say --dry-run, or --yes on a copy" in refused.output
    done = json.loads(run("privacy", "purge", "--now", later, "--yes", "--json").stdout)
    assert (done["deleted"]["party"], done["proved"]) == (2, True)


def test_a_later_day_is_rehearsed_on_a_bucket(
    run: Run, tmp_path: Path, bucket: services.S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {
        "url": f"s3://{bucket.bucket}/rehearsal",
        "endpoint": bucket.endpoint,
        "access_key": bucket.access_key,
        "secret_key": bucket.secret_key,
    }
    for name, value in chosen.items():
        monkeypatch.setenv(f"SERENDIP_OBJECTS__{name.upper()}", value)
    kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects.model_validate(chosen))
    kit.now = time.time()

    async def delete_one_log() -> None:
        saved = await kit.logs.save(transcript("hello"), people())
        assert await kit.logs.delete_by_secret(saved.delete)
        await kit.database.close()

    async def erasures() -> list[str]:
        return [name async for name in kit.objects.names("erasures")]

    asyncio.run(delete_one_log())
    assert len(asyncio.run(erasures())) == 1, "kept as long as a backup, so that no restore brings the log back"
    later = f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=125):%Y-%m-%d}"
    ran = run("privacy", "purge", "--now", later, "--yes", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["proved"]
    assert asyncio.run(erasures()) == []


def test_a_hold_is_placed_listed_and_released(run: Run) -> None:
    words = (
        "privacy",
        "hold",
        "place",
        "--address",
        "8.8.8.8",
        "--authority",
        "[red]a \x1b[31mcourt",
        "--reason",
        "7",
        "--preset",
        "order",
    )
    assert "would hold" in run(*words, "--dry-run").output
    looked = [line["outcome"] for line in json.loads(run("privacy", "audit", "--json").stdout)]
    assert looked == ["would hold 0 chats, 0 saved logs, 0 cases of today", "asked, to count only"]
    assert json.loads(run("privacy", "hold", "list", "--json").stdout) == []
    assert run(*words).exit_code == 0
    shown = run("privacy", "hold", "list").output
    assert "\x1b[31m" not in shown
    assert "[red]a <1b>[31mcourt" in shown
    assert run("privacy", "hold", "release", "1", "--why", "over").exit_code == 0
    assert run("privacy", "hold", "release", "1", "--why", "over").exit_code == 1
    assert (
        run("privacy", "hold", "place", "--address", "x", "--authority", "a", "--reason", "b", "--days", "3").exit_code
        == 1
    )
    assert run("privacy", "hold", "place", "--authority", "a", "--reason", "b", "--days", "3").exit_code == 2


def test_after_two_rotations_a_cookie_still_removes_its_log_and_a_hold_by_it_finds_its_rows(
    run: Run, tmp_path: Path
) -> None:
    cookie = "AbCdEfGhIjKlMnOpQrStUv"

    def person() -> int:
        return Identities(secret_keys.load(tmp_path).lasting[secret_keys.Purpose.COOKIE]).of(cookie.encode())

    async def keep() -> str:
        kit = kit_of(tmp_path)
        await kit.write(ended(1, a=person(), now=time.time()))
        saved = await kit.logs.save(transcript(), people(person()))
        await kit.database.close()
        return saved.log

    ident = asyncio.run(keep())
    for _ in range(2):
        assert run("keys", "rotate").exit_code == 0
    words = ("--identity", cookie, "--authority", "a court", "--reason", "7", "--days", "3", "--dry-run")
    assert "1 chats, 1 saved logs" in run("privacy", "hold", "place", *words).output

    async def remove() -> bool:
        kit = kit_of(tmp_path)
        gone = await kit.logs.delete_by_participant(ident, person())
        await kit.database.close()
        return gone

    assert asyncio.run(remove())


def test_a_log_is_shown_without_escapes_and_removed_with_a_reason(run: Run, tmp_path: Path) -> None:
    async def save() -> str:
        kit = kit_of(tmp_path)
        saved = await kit.logs.save(transcript("a \x1b[2J line", "\u202eback"), people())
        await kit.database.close()
        return saved.log

    ident = asyncio.run(save())
    url = f"https://chat.example/log/{ident}?as=text"
    shown = run("log", "show", url, "--why", "a complaint").output
    assert "a [2J line" in shown  # what a terminal obeys is taken out
    assert "\x1b" not in shown
    assert json.loads(run("log", "count", "--json").stdout) == {"saved": 1, "hidden": 0, "waiting": 0}
    assert "would" in run("log", "remove", ident, "--why", "x", "--dry-run").output
    assert run("log", "remove", ident, "--why", "a complaint").output == "removed\n"
    assert run("log", "show", ident, "--why", "again").exit_code == 1
    trail = [(line["action"], line["outcome"]) for line in json.loads(run("privacy", "audit", "--json").stdout)]
    assert trail[::-1] == [
        *(("log show", outcome) for outcome in ("asked", "about", "about", "shown")),
        *(("log remove", outcome) for outcome in ("asked, to count only", "about", "about", "would be removed")),
        *(("log remove", outcome) for outcome in ("asked", "about", "about", "removed")),
        *(("log show", outcome) for outcome in ("asked", "none")),
    ]


def shut(folder: Path) -> None:
    """The trail takes no line any more."""
    with contextlib.closing(sqlite3.connect(folder / "serendip.db")) as database:
        database.execute("CREATE TRIGGER shut BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'shut'); END")
        database.commit()


def test_a_look_that_cannot_be_noted_is_not_taken(run: Run, tmp_path: Path) -> None:
    async def save() -> str:
        kit = kit_of(tmp_path)
        saved = await kit.logs.save(transcript("a secret line"), people())
        await kit.write(ended(1, now=time.time()))
        await kit.database.close()
        return saved.log

    ident = asyncio.run(save())
    shut(tmp_path)
    held = ("--authority", "a court", "--reason", "7", "--days", "3")
    for words in (
        ("log", "show", ident, "--why", "w"),
        ("log", "remove", ident, "--why", "w"),
        ("log", "remove", ident, "--why", "w", "--dry-run"),
        *(("privacy", "hold", "place", "--address", "81.0.0.11", *held, *dry) for dry in ((), ("--dry-run",))),
        *(("privacy", "hold", "place", "--log", ident, *held, *dry) for dry in ((), ("--dry-run",))),
        ("safety", "appeals"),
    ):
        done = run(*words)
        assert done.exit_code == 1, words
        assert "the database cannot be used" in done.output
        assert "a secret line" not in done.output
        assert "1 chats" not in done.output
    assert json.loads(run("log", "count", "--json").stdout)["saved"] == 1
    assert json.loads(run("privacy", "hold", "list", "--json").stdout) == []


def test_the_trail_knows_a_person_again_whether_by_cookie_or_by_saved_log(run: Run, tmp_path: Path) -> None:
    cookie = "AbCdEfGhIjKlMnOpQrStUv"
    person = Identities(secret_keys.load(tmp_path).lasting[secret_keys.Purpose.COOKIE]).of(cookie.encode())

    async def save() -> str:
        kit = kit_of(tmp_path)
        saved = await kit.logs.save(transcript(), people(person))
        await kit.database.close()
        return saved.log

    ident = asyncio.run(save())
    held = ("--authority", "a court", "--reason", "7", "--days", "3", "--dry-run")
    assert run("log", "show", ident, "--why", "w").exit_code == 0
    assert run("privacy", "hold", "place", "--identity", cookie, *held).exit_code == 0
    assert run("privacy", "hold", "place", "--log", ident, *held).exit_code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "serendip.db")) as database:
        rows = database.execute("SELECT action, outcome, hex(subject) FROM audit ORDER BY id").fetchall()
    by_cookie = {subject for action, outcome, subject in rows if action == "hold place" and "chats" in outcome}
    by_log = {subject for _, outcome, subject in rows if outcome == "about"}
    assert len(by_cookie & by_log) == 1
    assert cookie not in str(rows)


def test_a_restore_needs_yes_and_replays_the_erasure_list(run: Run, tmp_path: Path) -> None:
    async def save() -> str:
        kit = kit_of(tmp_path)
        saved = await kit.logs.save(transcript(), people())
        await kit.database.close()
        return saved.log

    ident = asyncio.run(save())
    file = str(tmp_path / "one.backup")
    assert run("db", "backup", file).exit_code == 0
    assert run("log", "remove", ident, "--why", "asked").exit_code == 0
    assert run("db", "restore", file, "--why", "test").exit_code == 1
    assert "1 logs were deleted again" in run("db", "restore", file, "--why", "test", "--yes").output
    assert json.loads(run("log", "count", "--json").stdout)["saved"] == 0


def test_a_database_that_is_away_is_one_line_and_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_STORE__URL", "postgresql://u:secretword@127.0.0.1:1/x")
    found = run("privacy", "purge")
    assert found.exit_code == 1
    assert "secretword" not in found.output
    assert "database" in found.output


def test_scan_logs_finds_and_says_so_by_its_status(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("peer 8.8.8.8\n")
    assert run("privacy", "scan-logs", str(tmp_path / "x.log")).exit_code == 1
    (tmp_path / "x.log").write_text("peer\n")
    assert run("privacy", "scan-logs", str(tmp_path / "x.log")).exit_code == 0


def test_a_statement_is_announced_once_with_the_notice_that_it_needs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(Settings(data=tmp_path))
    assert "exactly this already" in run("privacy", "announce", "--effective", "14").stderr
    monkeypatch.setenv("SERENDIP_RETENTION__BACKUP_DAYS", "60")
    assert "14 days at least" in run("privacy", "announce", "--effective", "13").stderr
    tried = run("privacy", "announce", "--effective", "14", "--dry-run")
    assert "adds  backups.longer: 60" in tried.stdout
    assert "would hold from" in tried.stdout
    assert "holds from" in run("privacy", "announce", "--effective", "14").stdout
    assert run("privacy", "announce", "--effective", "14").exit_code == 1
    assert json.loads(run("privacy", "statement").stdout)["coming"] is not None


def test_who_places_a_hold_is_told_that_the_reason_is_kept_and_shown(serendip: Run) -> None:
    told = serendip("privacy", "hold", "place", "--help").output
    assert told.count("kept for a year, and shown to the person") == 2
