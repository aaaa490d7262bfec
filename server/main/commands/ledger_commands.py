"""Implement `serendip privacy ledger`: list the disclosures of personal data to others, and check that no line was changed.

**Invariant:** nothing here writes to the ledger.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

import typer

from server.data.privacy.disclosure_ledger import DisclosureLedger, Head
from server.main.commands.command_base import say, stop, table, when
from server.main.commands.store_command_runner import StoreCommand, store_command

app = typer.Typer(no_args_is_help=True, help="The ledger of disclosures to others.")
HEAD = re.compile(r"(?:([0-9]{1,15}):)?([0-9a-fA-F]{64})")
COLUMNS = ("number", "at", "phase", "intent", "what", "recipient", "basis", "categories", "count", "reveal_after")


@app.command("list")
@store_command(as_json=True, keyless=True)
def listed(
    run: StoreCommand, newest: Annotated[int, typer.Option(min=1, max=100_000, help="how many lines")] = 100
) -> None:
    """List the newest lines, newest first. No line names a person."""
    found = run.perform(lambda parts, _: DisclosureLedger(parts.database).lines(newest))
    if run.prints_json(
        [{name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()} for row in found]
    ):
        return
    shown = [{**row, "at": when(row["at"]), "reveal_after": when(row["reveal_after"] or None)} for row in found]
    table(COLUMNS, ([row[name] if row[name] is not None else "" for name in COLUMNS] for row in shown))


@app.command()
@store_command(as_json=True, keyless=True)
def verify(
    run: StoreCommand,
    head: Annotated[
        str,
        typer.Option(
            metavar="HASH",
            help="as /transparency showed it once, or LINES:HASH as this command printed it: finds a missing end, too",
        ),
    ] = "",
) -> None:
    """Check each line's hash, and print number and hash of the newest. Status 1 if a line was changed, moved or removed."""
    read = HEAD.fullmatch(head)
    if head and read is None:
        stop("--head is 64 digits, or the number of lines, a colon and 64 digits", status=2)
    known = Head(int(read[1] or 0), read[2].lower()) if read else None
    found = run.perform(lambda parts, _: DisclosureLedger(parts.database).verify(known))
    if not run.prints_json(asdict(found)):
        say(f"{found.head.lines} lines, newest hash {found.head.hash or '-'}")
        for line in found.unfinished[-20:]:
            say(f"line {line}: no outcome; it is an open incident, or was interrupted: the data may have left")
    if found.problems:
        stop(*found.problems)
