"""Implement `serendip privacy emergency`: list the disclosures made because a life was in danger, and review them.

**Invariant:** who had a part in a disclosure does not review it; the review is in the audit log.
"""

from __future__ import annotations

from typing import Annotated

import typer

from server.data.store.store_runner import Parts
from server.main.commands.command_base import clean, stop, table, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.trust.moderators.emergency_reviews import VERDICTS, EmergencyReview, EmergencyReviews

app = typer.Typer(
    no_args_is_help=True, help="Disclosures because a life was in danger, and their review within 48 hours."
)
TITLES = ("number", "what", "about", "by", "at", "due", "verdict", "reviewed by")


@app.command("list")
@store_command(as_json=True, now=True, keyless=True)
def listed(
    run: StoreCommand, every: Annotated[bool, typer.Option("--all", help="those that were reviewed, too")] = False
) -> None:
    """List what waits for a review, the first due first. Status 1 if one is late."""
    found = run.perform(lambda parts, _: EmergencyReviews(parts.database).listed(every))
    if not run.prints_json([as_data(one) for one in found]):
        table(
            TITLES,
            (
                (
                    o.number,
                    o.what.value,
                    o.subject,
                    clean(o.by),
                    when(o.at),
                    when(o.due),
                    o.verdict,
                    clean(o.reviewed_by),
                )
                for o in found
            ),
        )
    if any(one.reviewed is None and one.due < run.at for one in found):
        stop("a review is late")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def review(
    run: StoreCommand,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="as `emergency list` prints it")],
    verdict: Annotated[str, typer.Option(help=f"{VERDICTS[0]}: it was right; {VERDICTS[1]}: it was not")],
    finding: Annotated[str, typer.Option(metavar="TEXT", help="what you looked at, and why you conclude it")],
) -> None:
    """Write the review of a disclosure in which you had no part."""

    async def handler(parts: Parts, _: Settings) -> EmergencyReview:
        return await EmergencyReviews(parts.database, run.clock).review(number, run.operator, verdict, finding)

    done = run.perform(handler)
    run.tell(f"review {done.number}: {verdict}")


def as_data(one: EmergencyReview) -> dict[str, object]:
    """Return a review for JSON."""
    return {
        "number": one.number, "what": one.what.value, "subject": one.subject, "at": when(one.at), "due": when(one.due), "by": one.by,
        "parties": sorted(one.parties), "reviewed": when(one.reviewed), "reviewed_by": one.reviewed_by, "verdict": one.verdict,
        "finding": one.finding,
    }  # fmt: skip
