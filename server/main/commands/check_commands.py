"""Implement `serendip check` and `serendip doctor`: run the checks of `server.main.checks.check_list` and print one line per finding.

**Invariant:** the exit status is the worst severity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import typer

from server.data.store.store_runner import open_parts
from server.main.checks.check_finding import Finding, error
from server.main.checks.check_list import Place, Surroundings, findings
from server.main.commands.command_base import clean, print_json, say
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.process.unix_user_switch import MADE_FIRST
from server.ops.security import secret_keys


def check(settings: Settings, as_json: bool) -> None:
    """Print the findings; exits with status 0 (no problem), 1 (warnings) or 2 (errors)."""
    log.configure(settings.log)
    conclude(asyncio.run(_found(settings, Place.CHECK)), as_json)


def doctor(settings: Settings, as_json: bool, *, send: bool) -> None:
    """Print the findings of `check` and those of the machine, the running server and the alerts. `send`: send a test alert."""
    log.configure(settings.log)
    conclude(asyncio.run(_found(settings, Place.DOCTOR, send=send)), as_json)


def conclude(found: Sequence[Finding], as_json: bool) -> NoReturn:
    """Print findings, and exit with the worst of them as the status."""
    if as_json:
        print_json([one._asdict() | {"level": one.level.word} for one in found])
    else:
        for one in found:
            remedy = f". {one.remedy}" if one.remedy else ""
            say(clean(f"{one.level.word:<8} {one.check:<9} {one.said}{remedy}"))
    raise typer.Exit(max(one.level for one in found))


async def _found(settings: Settings, upto: Place, *, send: bool = False) -> list[Finding]:
    """Open what the checks look at, and run them. Keys or parts that cannot be opened are a finding, and the other checks run."""
    keys = parts = None
    fault: list[Finding] = []
    if (settings.data / MADE_FIRST).exists() or secret_keys.is_lost(settings.data):
        try:
            keys = secret_keys.load(settings.data)
            parts = open_parts(settings, keys) if settings.store.enabled else None
        except (secret_keys.SecretError, ValueError, LookupError, OSError) as damage:
            keys = None
            fault = [error("data", str(damage), "put back a copy, or look at its owner and mode")]
    try:
        return [*await findings(upto, Surroundings(settings, keys, parts, send)), *fault]
    finally:
        if parts is not None:
            await parts.database.close()
