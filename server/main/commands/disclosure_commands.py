"""Implement `serendip safety reveal` and `serendip safety export`: hand over the address of a case's subject, or a case as a file.

**Invariant:** a second officer approves it first, as in the console; the audit log and the disclosure ledger have their lines before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.data.connection_source import SourceEndpoint
from server.data.objects.sealed_objects import Sealed
from server.data.store.store_runner import Parts
from server.main.commands.command_base import Why, clean, say, stop, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.trust.cases.case_disclosure import NAMED, named_reason
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.approvals import HOUR, Approvals, State
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action

Ident = Annotated[str, typer.Argument(metavar="CASE", help="its first digits, as `cases` lists them")]
Recipient = Annotated[
    str, typer.Option("--recipient", metavar="NAME", help="the authority that asks, as the person reads it")
]


async def approved_words(
    parts: Parts, settings: Settings, run: StoreCommand, action: Action, ident: bytes, words: str, *, emergency: bool
) -> tuple[str, State]:
    """Return the approved words, or none and the state of the approval. Raises RuntimeError for an account without the role."""
    chosen, accounts = settings.console, Accounts(parts.database, parts.pseudonyms)
    person = await accounts.at_a_shell(run.operator, action)
    if person is None:
        role = "has not the role child" if action is Action.REFER else "is no officer"
        raise RuntimeError(f"{run.operator} {role}: say --operator with the name of an account that has it")
    approvals = Approvals(parts.database, accounts, pairs=chosen.pairs, wait=chosen.wait_hours * HOUR, clock=run.clock)
    if run.dry_run:
        return "", await approvals.find(action, ident, person)
    return await approvals.obtain(
        person, action, ident, words, emergency=emergency, mark="" if action is Action.REFER else NAMED
    )


def _desk(parts: Parts, run: StoreCommand) -> CaseWork:
    sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
    return CaseWork(parts.database, sealed, parts.pseudonyms, run.clock)


def wait_for(run: StoreCommand, state: State) -> None:
    """Stop unless it is approved, or nothing was to be done."""
    if run.dry_run:
        run.tell(
            "it would be given" if state.may else "another of the same role would have to confirm it", state=state.value
        )
        return
    if state is State.ASKED:
        stop("another of the same role confirms it in the console, at /approvals; then call this again", status=3)
    if state is State.WAITING:
        stop("no other of the same role has an account: call this again after console.wait_hours", status=3)


@store_command(operator=True, as_json=True, dry_run=True, now=True)
def reveal(
    run: StoreCommand,
    case: Ident,
    recipient: Recipient,
    why: Why,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="a life is in danger: at once, and reviewed afterwards")
    ] = False,
) -> None:
    """Print the address of a case's subject with port and time, once a second officer has approved it."""
    run.refuse_another_day()

    async def handler(parts: Parts, settings: Settings) -> tuple[SourceEndpoint | None, State]:
        desk, words = _desk(parts, run), named_reason(recipient, why)
        ident = await desk.case_id(case)
        approved, state = await approved_words(parts, settings, run, Action.REVEAL, ident, words, emergency=emergency)
        if not approved:
            return None, state
        to, _, reason = approved.partition(NAMED)
        return await desk.address(ident.hex(), run.operator, reason, to), state

    found, state = run.perform(handler)
    if found is None:
        wait_for(run, state)
        return
    if not run.prints_json(found._asdict()):
        at = f" at {when(found.at)}" if found.at else ""
        say(clean(f"{found.address} port {found.port or 'unknown'}{at}" if found.address else "none is kept"))


@store_command(operator=True, as_json=True, dry_run=True, now=True)
def export(
    run: StoreCommand,
    case: Ident,
    recipient: Recipient,
    why: Why,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="a new file, readable by you alone")],
) -> None:
    """Write a case with its evidence as JSON, once a second officer has approved it: no identity and no address."""
    run.refuse_another_day()

    async def handler(parts: Parts, settings: Settings) -> tuple[bool, State]:
        desk, words = _desk(parts, run), named_reason(recipient, why)
        ident = await desk.case_id(case)
        approved, state = await approved_words(parts, settings, run, Action.EXPORT, ident, words, emergency=False)
        if not approved:
            return False, state
        to, _, reason = approved.partition(NAMED)
        with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: ASYNC230 - a command of its own
            try:
                file.write(await desk.export(ident.hex(), run.operator, reason, to))
            except BaseException:
                out.unlink()  # it is empty
                raise
        return True, state

    done, state = run.perform(handler)
    if not done:
        wait_for(run, state)
        return
    run.tell(clean(f"written: {out}"))
