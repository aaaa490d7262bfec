"""Implement `serendip privacy know` and `serendip privacy delete`, for a rights key or a saved log's delete address in a letter.

**Invariant:** nothing is looked up without a proof that the person sent, and the audit log has a line before it is checked.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer

from server.data.chat_logs.chat_log_rendering import as_json
from server.data.privacy import audit_log
from server.data.privacy.audit_log import AuditedAction
from server.data.statement.current_statement import PublishedStatement
from server.data.store.store_runner import Parts
from server.main.commands.command_base import Why, say, stop, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.security import secret_keys
from server.ops.security.reference_numbers import shown
from server.trust.data_requests.identity_proof import DELETE, KNOW, Proof
from server.trust.rights.service import Rights, over

UNPROVED = "the key or the address opens nothing: it is wrong, was revoked, or its log is gone"
Key = Annotated[
    str, typer.Option("--key", metavar="KEY", help="a rights key or an agent's code; - reads it from standard input")
]
Log = Annotated[
    str, typer.Option("--log", metavar="URL", help="the delete address of a saved log; it opens that log alone")
]
By = Annotated[str, typer.Option("--by", help="letter, mail or operator: how it came")]


@dataclass(frozen=True, slots=True)
class _Proved:
    """The rights service, and what the written proof opens. `text`: the proof."""

    rights: Rights
    proof: Proof
    text: str


def _written(key: str, log: str, by: str) -> str:
    """Return the proof as it was written."""
    if bool(key) == bool(log):
        stop("say --key or --log", status=2)
    if by not in ("letter", "mail", "operator"):
        stop("--by is letter, mail or operator", status=2)
    return sys.stdin.readline().strip() if key == "-" else key or log


async def _proved(
    run: StoreCommand, parts: Parts, settings: Settings, act: AuditedAction, text: str, scope: str
) -> _Proved:
    """Check a written proof, and note its person in the audit log. Raises RuntimeError if it opens nothing."""
    keys = await asyncio.to_thread(secret_keys.load, settings.data)
    published = await asyncio.to_thread(PublishedStatement, settings)
    rights = over(parts, keys, settings, Tasks(), published, run.clock)
    proof = await rights.prove(text)
    if proof is None or not (proof.level == 2 or proof.may(scope)):
        act.outcome = "nothing was proved"
        raise RuntimeError(UNPROVED)
    if proof.level == 3:
        await act.about([parts.pseudonyms.audit_subject(parts.pseudonyms.kept_identity(proof.identity))])
    return _Proved(rights, proof, text)


@store_command(operator=True, as_json=True, now=True)
def know(run: StoreCommand, why: Why, key: Key = "", log: Log = "", by: By = "letter") -> None:
    """Print everything about the person of a key, or the saved log of an address, as JSON, and record the request."""
    text = _written(key, log, by)

    async def handler(parts: Parts, settings: Settings) -> dict[str, Any]:
        async with audit_log.act(parts.database, operator=run.operator, action="privacy know", why=why) as act:
            one = await _proved(run, parts, settings, act, text, KNOW)
            if one.proof.level == 2:
                found = await one.rights.log(text, as_json)
                act.outcome = "a saved log"
                return dict(found or {})
            number, known = await one.rights.know(one.proof, by)
            act.outcome = f"request {shown(number)}"
            return known

    say(orjson.dumps(run.perform(handler), option=orjson.OPT_INDENT_2).decode())


@store_command(operator=True, as_json=True, dry_run=True, now=True)
def delete(run: StoreCommand, why: Why, key: Key = "", log: Log = "", by: By = "letter") -> None:
    """Begin the deletion of everything about the person of a key, or remove the saved log of an address."""
    text = _written(key, log, by)

    async def handler(parts: Parts, settings: Settings) -> str:
        async with audit_log.act(parts.database, operator=run.operator, action="privacy delete", why=why) as act:
            one = await _proved(run, parts, settings, act, text, DELETE)
            if one.proof.level == 2:
                removed = await parts.logs.delete_by_secret(text.rpartition("/")[2])
                act.outcome = "the saved log is removed" if removed else "the saved log was gone"
                return act.outcome
            state = await one.rights.erase(one.proof, by, records=True, logs=True)
            act.outcome = f"request {shown(state.number)}: hidden, removed after {when(state.due)}"
            return act.outcome

    run.tell(run.perform(handler))
