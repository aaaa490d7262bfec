"""Implement `serendip db`: migrate, check, back up and restore the database.

**Invariant:** a restore reverts no hold, ban or deletion, and prints how many rows it preserved.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from server.data.backup import database_backup as backups
from server.data.database import folder_lock, key_fingerprints, restore_lock
from server.data.database import schema_migration as migrations
from server.data.objects.object_store import VERSIONED
from server.data.privacy import audit_log
from server.data.store import restore as restoring
from server.data.store.restore import Restored
from server.data.store.store_runner import Parts
from server.main.commands.command_base import Why, say, stop, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings

KINDS = {
    "hold": "holds",
    "hold_match": "values under hold",
    "held_log": "held logs that the backup did not have",
    "held_chat": "held chats",
    "held_party": "held records of people",
    "audit": "lines of the audit log",
    "log": "hidden logs",
    "deletion": "requests for deletion",
    "erased": "values that they hide",
    "request": "requests of people about their data",
    "deletion_notice": "recipients that are told of a deletion",
    "request_text": "texts of requests",
    "request_contact": "addresses for an answer",
    "request_answer": "answers to requests",
    "request_mail": "hashed addresses of mails of a day",
    "rights_key": "people who made keys invalid",
    "agent_use": "agents' codes that were used",
    "emergency_review": "reviews of emergencies",
    "incident": "published incidents",
    "law_order": "legal orders",
    "disclosure": "lines of the disclosure ledger",
    "disclosure_subject": "people whom they concern",
    "ban": "bans, lifted ones too",
    "notice": "warnings, lifted ones too",
    "appeal": "appeals",
    "case": "cases",
    "case_subject": "people whom cases are about",
    "report": "reports",
    "evidence": "pieces of evidence",
    "case_comment": "moderators' comments on cases",
    "operator": "accounts of the console",
    "passkey": "passkeys",
    "console_session": "sessions of the console",
    "answer_template": "saved answers of moderators",
    "api_token": "tokens of moderators' programs",
    "approval": "approvals",
    "law_notice": "notices from the public",
    "month_figure": "figures of months",
}

app = typer.Typer(no_args_is_help=True)


@app.command()
@store_command()
def migrate(run: StoreCommand) -> None:
    """Update the schema of the database, in one transaction."""
    before, after = run.perform(lambda parts, _: migrations.migrate(parts.database))
    say(f"{before or 'empty'} -> {after}" if before != after else f"{after}: nothing to do")


@app.command()
@store_command(as_json=True)
def check(run: StoreCommand) -> None:
    """Check that the database is reachable and has exactly the declared schema, and that the object store really deletes."""

    async def handler(parts: Parts, _: Settings) -> tuple[str, list[str], list[str]]:
        found = await migrations.revision(parts.database)
        problems = [*(await _schema(parts, found)), *(await _keys(parts, found))]
        return found, problems, [VERSIONED] if await parts.objects.versioned() else []

    revision, found, warnings = run.perform(handler)
    report = {"revision": revision, "head": migrations.HEAD, "differences": found, "warnings": warnings}
    if not run.prints_json(report):
        say(f"revision {revision or 'none'}, this program's {migrations.HEAD}")
        for warning in warnings:
            say(f"warning: {warning}")
    if found:
        stop(*found)


async def _schema(parts: Parts, revision: str) -> list[str]:
    """Return what to do about the schema, or how it differs."""
    problem = migrations.problem(revision)
    return [f"{problem.said}: {problem.remedy}"] if problem else await migrations.differences(parts.database)


async def _keys(parts: Parts, revision: str) -> list[str]:
    """Return which keys are not those of the database, and what to do."""
    found = await parts.fingerprints.problems() if revision == migrations.HEAD else []
    return [*found, key_fingerprints.WHAT_TO_DO] if found else []


@app.command("accept-keys")
@store_command(operator=True)
def accept_keys(run: StoreCommand, why: Why) -> None:
    """Accept the present secret and keys as those of this database. What was made with other keys can never be linked again."""

    async def handler(parts: Parts, _: Settings) -> list[str]:
        found = await parts.fingerprints.problems()
        outcome = "; ".join(found) or "nothing differed"
        await audit_log.write_entry(
            parts.database, now=int(time.time()), operator=run.operator, action="accept keys", why=why, outcome=outcome
        )
        await parts.fingerprints.accept()
        return found

    found = run.perform(handler)
    say("\n".join(found) or "nothing differed")


@app.command()
@store_command(operator=True)
def backup(
    run: StoreCommand,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="where to; no keys and no texts of saved logs are in it")
    ],
) -> None:
    """Write a consistent copy of the database while the server runs."""

    async def handler(parts: Parts, _: Settings) -> int:
        size = await backups.backup(parts.database, file)
        await audit_log.write_entry(
            parts.database,
            now=int(time.time()),
            operator=run.operator,
            action=backups.ACTION,
            why="backup",
            outcome=f"{size} bytes",
        )
        return size

    size = run.perform(handler)
    say(f"{file}: {size} bytes. Keep it apart from the data folder's keys, and no longer than retention.backup_days.")


@app.command()
@store_command(operator=True)
def restore(
    run: StoreCommand,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a backup")],
    why: Why,
    yes: Annotated[
        bool, typer.Option("--yes", help="the present database is replaced, and every host is stopped")
    ] = False,
) -> None:
    """Replace the database by a backup. Holds, the audit log, bans and hidden data stay as of today, and what was deleted stays deleted."""
    if not yes:
        stop("this replaces the present database; stop every host that uses it and say --yes")

    async def handler(parts: Parts, settings: Settings) -> list[str]:
        with folder_lock.alone(settings.data):
            async with restore_lock.alone(parts.database):
                done = await restoring.restore(parts, file)
                told = restored(done)
                await audit_log.write_entry(
                    parts.database, now=int(time.time()), operator=run.operator, action="restore", why=why,
                    outcome="; ".join(told),
                )  # fmt: skip
        return told

    for line in ("restored", *run.perform(handler)):
        say(line)


def restored(done: Restored) -> list[str]:
    """Return lines that say what a restore or a replay did, for the operator and the audit log."""
    source = f"from the copies of {when(done.copied)}" if done.copied else "from the database that was there"
    kept = ", ".join(f"{count} {KINDS[name]}" for name, count in done.kept.items())
    lines = [f"as of today, {source}: {kept}"] if kept else []
    if done.nothing:
        lines.append(
            "there was neither a database nor copies of its state: holds, bans and the audit log are the backup's"
        )
    again = f"{done.again} logs were deleted again, and the rows behind {done.people} values of people"
    return [*lines, f"the erasure list has {done.entries} entries, {again}"]
