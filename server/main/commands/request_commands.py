"""Implement `serendip privacy request`: list and answer people's requests about their own data.

**Invariant:** each look and answer is first written to the audit log, with the person concerned.
"""

from __future__ import annotations

from typing import Annotated

import typer

from server.data.store.store_runner import Parts
from server.main.commands.command_base import (
    Now,
    Since,
    Until,
    Why,
    Yes,
    clean,
    instant,
    moment,
    say,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.security.reference_numbers import shown
from server.trust.data_requests import request_states
from server.trust.data_requests.request_store import NewRequest
from server.trust.data_requests.rights_ports import Request
from server.trust.rights.request_work import RequestWork

app = typer.Typer(no_args_is_help=True, help="Requests of people about their own data.")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="of the request")]
Words = Annotated[str, typer.Option("--answer", metavar="TEXT", help="what the person reads, up to 2,000 characters")]


def work(parts: Parts, settings: Settings) -> RequestWork:
    """Return the work on the requests of a store."""
    return RequestWork(parts.database, parts.pseudonyms, settings)


@app.command("list")
@store_command(operator=True, as_json=True, keyless=True)
def listed(
    run: StoreCommand,
    every: Annotated[bool, typer.Option("--all", help="those that are closed, too")] = False,
) -> None:
    """List the open requests, the earliest due date first."""

    found = run.perform(lambda parts, settings: work(parts, settings).listed(run.operator, every=every))
    if run.prints_json([as_data(one) for one in found]):
        return
    rows = (
        (shown(one.number), one.kind, one.by, one.level, one.standing.state, when(one.standing.due)) for one in found
    )
    table(("number", "kind", "by", "level", "state", "due"), rows)
    say(f"{len(found)} requests")


@app.command()
@store_command(operator=True, as_json=True)
def show(
    run: StoreCommand,
    number: Number,
    why: Why,
) -> None:
    """Print a request: its text, and the contact for the answer."""
    found = run.perform(lambda parts, settings: work(parts, settings).show(run.operator, number, why))
    if run.prints_json(as_data(found)):
        return
    for name, value in as_data(found).items():
        if value not in ("", None, []):
            say(clean(f"{name}: {value}"))


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def answer(
    run: StoreCommand,
    number: Number,
    why: Why,
    words: Words,
    now: Now = "",
) -> None:
    """Answer a request and close it: the request is fulfilled."""
    _moved(run, number, why, request_states.FULFILLED, "", words, now)


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def deny(
    run: StoreCommand,
    number: Number,
    why: Why,
    reason: Annotated[str, typer.Option("--reason", help=", ".join(request_states.REFUSALS))],
    words: Words = "",
    now: Now = "",
) -> None:
    """Refuse a request for one of the reasons, and close it."""
    _moved(run, number, why, request_states.DENIED, reason, words, now)


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def close(
    run: StoreCommand,
    number: Number,
    why: Why,
    now: Now = "",
) -> None:
    """Close a request that the person withdrew."""
    _moved(run, number, why, request_states.REVOKED, "", "", now)


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def clear(
    run: StoreCommand,
    why: Why,
    since: Since,
    until: Until = "",
    reason: Annotated[str, typer.Option("--reason", help=", ".join(request_states.REFUSALS))] = "insuf_verification",
    by: Annotated[str, typer.Option("--by", help="page or mail")] = "page",
    yes: Yes = False,
) -> None:
    """Refuse all requests of a period at once that came by the page, or by mail, and were never proved, unread. For a flood."""
    if by not in ("page", "mail"):
        stop(f"{clean(by)}: not page or mail", status=2)
    if reason not in request_states.REFUSALS:
        stop(f"{clean(reason)}: not of {', '.join(request_states.REFUSALS)}", status=2)
    now = run.at
    first, last = instant(since), instant(until) if until else now + 1

    done = run.perform(
        lambda parts, settings: work(parts, settings).clear(
            run.operator, why, first, last, now, reason, by=by, dry=run.dry_run or not yes
        )
    )
    run.tell(f"{done} requests refused" if yes and not run.dry_run else f"{done} requests would be refused: say --yes")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def extend(
    run: StoreCommand,
    number: Number,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="the reason, which the person reads")],
    now: Now = "",
) -> None:
    """Postpone the answer to day 90: once, within the first month."""
    at = moment(now)
    extended = run.perform(lambda parts, settings: work(parts, settings).extend(run.operator, number, why, at))
    run.tell(f"due {when(extended.due)}")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def new(
    run: StoreCommand,
    kind: Annotated[str, typer.Option("--kind", help=", ".join(request_states.KINDS))],
    by: Annotated[str, typer.Option("--by", help="mail, letter or operator")],
    why: Why,
    text: Annotated[str, typer.Option("--text", help="what was asked; kept sealed until it is closed")] = "",
    contact: Annotated[str, typer.Option("--contact", help="where the answer goes; the same")] = "",
    received: Annotated[
        str, typer.Option("--received", metavar="DATE", help="when it came; its clocks run from then")
    ] = "",
) -> None:
    """Enter a request that came by mail or letter: it proves nothing about its sender."""
    if kind not in request_states.KINDS:
        stop(f"{kind}: not one of {', '.join(request_states.KINDS)}", status=2)
    if by not in ("mail", "letter", "operator"):
        stop(f"{by}: not mail, letter or operator", status=2)
    now = run.at
    came = instant(received) if received else now
    if came > now:
        stop(f"{received}: that day has not come", status=2)

    asked = NewRequest(kind, by, 0, text=text, contact=contact)
    ident = run.perform(lambda parts, settings: work(parts, settings).new(run.operator, asked, why, now, came))
    run.tell(
        f"{shown(ident)}: answer by {when(came + request_states.due_in(kind))}, at the latest by {when(came + request_states.OUTER)}"
    )


def as_data(found: Request) -> dict[str, object]:
    """Return a request as plain values, its dates in words."""
    standing = found.standing
    dates = {name: when(getattr(standing, name)) for name in ("received", "due", "outer", "answered", "closed")}
    return {
        "number": found.number,
        "kind": found.kind,
        "by": found.by,
        "level": found.level,
        "state": standing.state,
        "reason": standing.reason,
        **dates,
        "extended": standing.why,
        "text": found.text,
        "contact": found.contact,
        "answer": found.answer,
        "steps": [f"{one.recipient}: {one.state} {when(one.at)}" for one in found.steps],
    }


def _moved(run: StoreCommand, number: str, why: str, state: str, reason: str, words: str, now: str) -> None:
    at = moment(now)
    done = run.perform(
        lambda parts, settings: work(parts, settings).close(
            run.operator, number, why, state, at, reason=reason, words=words
        )
    )
    run.tell(f"{done.standing.state}{done.mailed and f', the mail with the answer: {done.mailed}'}")
