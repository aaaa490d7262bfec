"""Implement `serendip check`: run all checks of `server.main.checks` and print one line per finding.

**Invariant:** the exit status is the worst severity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import typer

from server.data.store.store_runner import open_parts
from server.main.checks.check_finding import Finding, error
from server.main.checks.external_service_checks import outside
from server.main.checks.local_checks import local
from server.main.commands.command_base import clean, print_json, say
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.process.unix_user_switch import MADE_FIRST
from server.ops.security import secret_keys


def check(settings: Settings, as_json: bool) -> None:
    """Print the findings; exits with status 0 (no problem), 1 (warnings) or 2 (errors)."""
    log.configure(settings.log)
    found = local(settings)
    if (settings.data / MADE_FIRST).exists():
        found += asyncio.run(_outside(settings))
    conclude(found, as_json)


def conclude(found: Sequence[Finding], as_json: bool) -> NoReturn:
    """Print findings, and exit with the worst of them as the status."""
    if as_json:
        print_json([one._asdict() | {"level": one.level.word} for one in found])
    else:
        for one in found:
            remedy = f". {one.remedy}" if one.remedy else ""
            say(clean(f"{one.level.word:<8} {one.check:<9} {one.said}{remedy}"))
    raise typer.Exit(max(one.level for one in found))


async def _outside(settings: Settings) -> list[Finding]:
    try:
        held = secret_keys.load(settings.data)
        parts = open_parts(settings, held) if settings.store.enabled else None
    except (secret_keys.SecretError, ValueError, LookupError, OSError) as fault:
        return [error("data", str(fault), "put back a copy, or look at its owner and mode")]
    try:
        return await outside(settings, held, parts)
    finally:
        if parts is not None:
            await parts.database.close()
