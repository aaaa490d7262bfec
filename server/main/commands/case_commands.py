"""Implement `serendip safety`: read reports, decide cases and answer appeals from the command line.

**Invariant:** each look and each action is written to the audit log first.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from server.data.objects.sealed_objects import Sealed
from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.main.commands import disclosure_commands, notice_commands, queue_commands, rule_commands
from server.main.commands.command_base import (
    Why,
    clean,
    instant,
    say,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.moderation_policy import DAY, HOUR
from server.ops.config.settings import Settings
from server.trust.child_protection import referral_client, referral_package
from server.trust.console.detection_explanations import DetectionWords, Explanations
from server.trust.decisions.case_work import CaseWork, OpenedCase
from server.trust.evidence.chat_evidence import Evidence
from server.trust.moderators.approvals import State
from server.trust.moderators.roles import Action
from server.trust.sanctions.sanction_scale import Decision, spoken

app = typer.Typer(no_args_is_help=True)
app.add_typer(notice_commands.app, name="notices", help="Notices from the public (/notice).")
app.add_typer(rule_commands.app, name="rules", help="Rules of the text screening.")
app.add_typer(queue_commands.templates, name="templates", help="Saved answers: texts that a decision may carry.")
app.command()(notice_commands.report)
app.command()(queue_commands.queues)
app.command()(disclosure_commands.reveal)
app.command()(disclosure_commands.export)
Ident = Annotated[str, typer.Argument(metavar="CASE", help="its first digits, as `cases` lists them")]


def desk(parts: Parts, clock: Callable[[], float] = time.time) -> CaseWork:
    """Return the case desk of a store."""
    return CaseWork(parts.database, Sealed(parts.database, parts.objects, parts.pseudonyms), parts.pseudonyms, clock)


@app.command()
@store_command(as_json=True)
def cases(
    run: StoreCommand,
    queue: Annotated[str, typer.Option("--queue", help="urgent, people, machine, spam or low; default: all")] = "",
) -> None:
    """List the open cases, the most urgent first."""
    found = run.perform(lambda parts, _: desk(parts).cases(queue))
    if run.prints_json(found):
        return
    titles = ("case", "queue", "opened", "kind", "reasons", "reports", "weight", "points")
    table(
        titles,
        (
            (
                one.id[:12],
                one.queue,
                when(one.opened),
                one.mode,
                ", ".join(one.reasons),
                one.reports,
                one.weight,
                one.points,
            )
            for one in found
        ),
    )
    say(f"{len(found)} open")


@app.command()
@store_command(operator=True, as_json=True)
def show(run: StoreCommand, case: Ident, why: Why) -> None:
    """Print a case: the server's own text of the chat, with the reported side's lines marked."""

    async def handler(parts: Parts, settings: Settings) -> tuple[OpenedCase, Explanations]:
        found = await desk(parts).show(case, run.operator, why)
        words = DetectionWords(settings.screening.folder(settings.data), settings.data)
        return found, await words.explain(found.texts)

    found, explained = run.perform(handler)
    words = [{"rule": rule, "line": line, "words": said} for (rule, line), said in explained.items()]
    if run.prints_json(dataclasses.asdict(found) | {"explained": words}):
        return
    for line in _case(found, explained):
        say(clean(line))


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def decide(
    run: StoreCommand,
    case: Ident,
    why: Why,
    measure: Annotated[str, typer.Option("--measure", help="none, warning, pause, ban, or age: seems under 18")],
    rule: Annotated[str, typer.Option("--rule", help="of all but none: R1 to R7, as /rules has them")] = "",
    hours: Annotated[float | None, typer.Option("--hours", help="of a pause: 0.25 to 24")] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="of a ban, 1 to 90; default: the next step of the rule's ladder")
    ] = None,
    words: Annotated[str, typer.Option("--words", help="what the person reads beside the rule")] = "",
    template: Annotated[
        str, typer.Option("--template", metavar="ID", help="a saved answer in place of --words: `templates list`")
    ] = "",
    language: queue_commands.Language = ENGLISH,
) -> None:
    """Close a case. Reporters read at their receipts that a person looked at it, and whether action was taken."""
    if hours is not None and days is not None:
        stop("a measure has hours or days, not both", status=2)
    if words and template:
        stop("a decision carries --words or a --template, not both", status=2)
    seconds = round(hours * HOUR) if hours is not None else None if days is None else days * DAY

    async def handler(parts: Parts, _: Settings) -> str:
        said = await queue_commands.text_of(parts, run.operator, template, language) if template else words
        decision = Decision(measure, rule, seconds, said)
        return await desk(parts, run.clock).decide(case, run.operator, why, decision)

    run.tell(f"decided: {measure}; {run.perform(handler)}")


@app.command()
@store_command(operator=True, as_json=True)
def seconds(run: StoreCommand) -> None:
    """List the decided cases that wait for your second review: one in twenty that another operator decided."""
    found = run.perform(lambda parts, _: desk(parts).open_second_reviews(run.operator))
    if run.prints_json(found):
        return
    titles = ("case", "queue", "kind", "reasons", "until")
    table(titles, ((one.id[:12], one.queue, one.mode, ", ".join(one.reasons), when(one.until)) for one in found))
    say(f"{len(found)} waiting")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def second(
    run: StoreCommand,
    case: Ident,
    why: Why,
    measure: Annotated[str, typer.Option("--measure", help="what you would have decided, as of `decide`")],
    rule: Annotated[str, typer.Option("--rule", help="of all but none: R1 to R7")] = "",
) -> None:
    """Enter what you would have decided in a case that another operator decided, before you see how. It has no consequence."""

    same = run.perform(
        lambda parts, _: desk(parts, run.clock).answer_second_review(case, run.operator, why, measure, rule)
    )
    run.tell("the same was decided" if same else "something else was decided")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def undo(run: StoreCommand, case: Ident) -> None:
    """Revert your own decision, within 30 seconds: the case is open as before."""
    run.perform(lambda parts, _: desk(parts, run.clock).undo(case, run.operator))
    run.tell("taken back: the case is open")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def mark(run: StoreCommand, case: Ident, why: Why) -> None:
    """Mark the apparent abuse of a child, in pictures or text: kept for a year, apart, for the role child; the user is paused for a day."""
    run.perform(lambda parts, _: desk(parts, run.clock).mark(case, run.operator, why))
    run.tell("marked: it is kept for a year; report it as soon as reasonably possible (serendip safety referral)")


async def _write_and_send(
    run: StoreCommand, package: referral_package.Package, out: Path, settings: Settings | None
) -> str:
    """Write a package, and send it if `settings` are given. Return the number of the report; empty: none was sent."""
    for path in referral_package.write(package, out):
        if not run.as_json:
            say(clean(path))
    if settings is None:
        return ""
    chosen = settings.safety
    password = chosen.child_password.get_secret_value()
    return await referral_client.send(package, chosen.child_endpoint, chosen.child_user, password)


@app.command("referral")
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def refer(
    run: StoreCommand,
    case: Ident,
    why: Why,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="a new folder for the package")] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--type", help=f"of the incident: {', '.join(referral_package.TYPES)}; default: enticement without pictures"
        ),
    ] = "",
    name: Annotated[str, typer.Option("--name", help="who reports, a person; default: operator.name")] = "",
    mail: Annotated[str, typer.Option("--mail", help="where they are reached; default: operator.email")] = "",
    send: Annotated[bool, typer.Option("--send", help="report it to safety.child_endpoint, too")] = False,
    sent: Annotated[
        str,
        typer.Option(
            "--sent", metavar="NUMBER", help="only note that you reported it; it is held for a year from then"
        ),
    ] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="when you reported it, in UTC; default: now")] = "",
    emergency: Annotated[
        bool, typer.Option("--emergency", help="a child is in danger: at once, and reviewed afterwards")
    ] = False,
) -> None:
    """Write the package of a report about child abuse, as files, once a second operator of the role child has approved it. Nothing leaves this
    machine without --send.
    """
    if (out is None) == (not sent) or (send and sent) or (at and not sent) or kind not in ("", *referral_package.TYPES):
        stop(
            f"wanted: --out DIR with a --type of {', '.join(referral_package.TYPES)}, and --send or not; or --sent NUMBER, and --at TIME or not",
            status=2,
        )
    submitted = instant(at) if at else None
    if out is not None:
        run.refuse_another_day()

    async def handler(parts: Parts, settings: Settings) -> tuple[str, State]:
        if send and not settings.safety.child_endpoint:
            raise RuntimeError("safety.child_endpoint is empty: nothing can be sent, and nothing was made")
        at_desk, number, reason = desk(parts, run.clock), sent, why
        if out is not None:
            ident = await at_desk.case_id(case)
            reason, state = await disclosure_commands.approved_words(
                parts, settings, run, Action.REFER, ident, why, emergency=emergency
            )
            if not reason:
                return "", state
            reporter = referral_package.Reporter(name or settings.operator.name, mail or settings.operator.email)
            package = referral_package.build(await at_desk.gather(case, run.operator, reason), reporter, kind)
            number = await _write_and_send(run, package, out, settings if send else None)
        if number:
            await at_desk.referred(case, run.operator, reason, number, submitted)
        return number, State.READY

    number, state = run.perform(handler)
    if out is not None and (run.dry_run or not state.may):
        disclosure_commands.wait_for(run, state)
    else:
        run.tell(clean(f"reported as {number}" if number else "nothing was sent: report it by hand, or with --send"))


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def unban(run: StoreCommand, case: Ident, why: Why) -> None:
    """End the ban of a case, as another operator than the one who banned."""
    run.perform(lambda parts, _: desk(parts, run.clock).unban(case, run.operator, why))
    run.tell("the ban is over")


@app.command()
@store_command(operator=True, as_json=True)
def appeals(run: StoreCommand) -> None:
    """List the appeals that wait, oldest first, with their texts."""
    found = run.perform(lambda parts, _: desk(parts).appeals(run.operator))
    if run.prints_json(found):
        return
    for one in found:
        whose = ", of its network (--network)" if one.network else ""
        say(clean(f"{one.case} {when(one.at)} {one.rule}{whose}, decided by {one.decided_by}: {one.text}"))
    say(f"{len(found)} waiting")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def answer(
    run: StoreCommand,
    case: Ident,
    why: Why,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="uphold or reverse")],
    words: Annotated[str, typer.Option("--words", help="what who appealed reads")] = "",
    network: Annotated[bool, typer.Option("--network", help="the appeal of the case's network")] = False,
) -> None:
    """Answer an appeal, as another operator than the one who banned; a reversal lifts the ban."""
    if outcome not in ("uphold", "reverse"):
        stop("an appeal is upheld or reversed: uphold, reverse", status=2)
    uphold = outcome == "uphold"
    run.perform(
        lambda parts, _: desk(parts, run.clock).answer(
            case, run.operator, why, uphold=uphold, words=words, network=network
        )
    )
    run.tell(f"answered: {outcome}")


def _case(found: OpenedCase, explained: Explanations) -> list[str]:
    """Format a case as lines of text."""
    listed = found.listed
    lines = [
        *((f"passed on to {listed.passed_to}",) if listed.passed_to else ()),
        *(f"{one.by} wrote {when(one.at)}: {one.text}" for one in found.comments),
        f"case {listed.id}: {listed.mode}, {', '.join(listed.reasons)}; {listed.reports} reports, opened {when(listed.opened)}",
        f"country: {found.country or 'unknown'}",
        *(("it is decided, and waits for a second look: `serendip safety second`",) if found.again else ()),
        *((f"a program did at once: {' '.join(found.program)}; until you decide",) if found.program else ()),
        *(
            f"before: {when(one.closed)} {one.measure} {one.rule} ({one.state}, case {one.case[:12]})"
            for one in found.earlier
        ),
        *(f"reporter wrote ({one.reason}): {one.note}" for one in found.reports if one.note),
    ]
    if (crowd := found.listed.crowd) is not None:
        lines.append(
            f"{crowd.reports} reports in {spoken(crowd.seconds)}, {crowd.unproven} by people of whom none was decided before"
        )
    if found.chats > len(found.texts):
        lines.append(f"the newest {len(found.texts)} of {found.chats} chats")
    if not found.texts:
        lines.append("no evidence: the chat's text was gone, or nothing was said")
    for text in found.texts:
        lines += _text(text, explained)
    return lines


def _text(text: Evidence, explained: Explanations) -> list[str]:
    lines = {line.number: line.text for line in text.lines}
    hits = ((one, explained.get((one.rule, lines.get(one.number, "")))) for one in text.found)
    found = ", ".join(f"{one.rule} in {one.number}" + (f' ("{words}")' if words else "") for one, words in hits)
    counted = text.counted
    chats = () if counted is None else (*map(when, counted.earlier), f"{when(text.at)} (this chat)")
    head = f"--- {text.mode}, reported {when(text.at)}" + (", earlier lines are missing" if text.cut else "")
    return [
        head + (f"; a program found: {found}" if found else ""),
        *(() if counted is None else (f"{counted.name} in {len(chats)} chats of a day: {', '.join(chats)}",)),
        *(
            f"{'!' if line.marked else ' '} {'REPORTED' if line.side == text.side else 'other   '} {line.number}: {line.text}"
            for line in text.lines
        ),
    ]
