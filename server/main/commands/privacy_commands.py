"""Implement `serendip privacy`: purge, legal holds, the privacy statement, registry check, log scan, audit log.

**Invariant:** each look-up and change is written to the audit log first.
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Annotated

import typer

from server.data.privacy import audit_log, log_scan, registry_check, registry_history
from server.data.retention import audited_holds, legal_holds
from server.data.retention.audited_holds import NewHold, chosen_selector
from server.data.retention.deletion_notices import DeletionNotices
from server.data.retention.purge import Purge, Purged
from server.data.statement import processing_records, statement_versions
from server.data.statement.current_statement import PublishedStatement
from server.data.store import restore
from server.data.store.store_runner import Parts
from server.main.commands.closure_commands import close, handover_app
from server.main.commands.command_base import (
    TYPED_NOTE,
    AsJson,
    ConfigFile,
    DataFolder,
    DryRun,
    Now,
    Why,
    clean,
    enter,
    moment,
    print_json,
    read,
    say,
    stop,
    table,
    when,
)
from server.main.commands.database_commands import restored
from server.main.commands.emergency_commands import app as emergency_app
from server.main.commands.incident_commands import app as incident_app
from server.main.commands.ledger_commands import app as ledger_app
from server.main.commands.mail_commands import mail
from server.main.commands.order_commands import app as order_app
from server.main.commands.person_commands import delete, know
from server.main.commands.request_commands import app as request_app
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings

app = typer.Typer(no_args_is_help=True)
hold_app = typer.Typer(no_args_is_help=True, help="Legal holds.")
app.add_typer(hold_app, name="hold")
app.add_typer(request_app, name="request")
app.add_typer(ledger_app, name="ledger")
app.add_typer(order_app, name="order")
app.add_typer(incident_app, name="incident")
app.add_typer(emergency_app, name="emergency")
app.add_typer(handover_app, name="handover")
app.command()(mail)
app.command()(know)
app.command()(delete)
app.command()(close)
DAY = 86_400
RECEIPT_MAX = 64 * 1024  # bytes


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def purge(
    run: StoreCommand,
    now: Now = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="with --now: delete as of that day, for a rehearsal on a copy")
    ] = False,
) -> None:
    """Delete expired data, except held rows, and print the proof. Status 1 if something is older than it may be.

    Rehearse later days on a copy of the data, with --now: S3 refuses requests that are signed by a machine with a moved clock.
    """
    from rich.console import Console

    quiet = Console(stderr=True)
    at = moment(now)
    if at > int(time.time()) and not (run.dry_run or yes):
        stop(f"{now} has not come: what goes on that day would go today. Say --dry-run, or --yes on a copy", status=2)

    async def handler(parts: Parts, settings: Settings) -> Purged:
        with quiet.status("purging") as status:
            gone = {"count": 0}

            def progress(place: str, count: int) -> None:
                gone["count"] += count
                status.update(f"purging {place}: {gone['count']}")

            made = Purge(
                parts.database, parts.logs, parts.objects, settings.retention,
                notices=DeletionNotices(parts.pseudonyms, settings),
                clock=(lambda: float(at)) if now else time.time, progress=progress,
            )  # fmt: skip
            done = await made.run(dry=run.dry_run)
        if not run.dry_run:
            counts = ", ".join(f"{place} {count}" for place, count in done.deleted.items() if count)
            await audit_log.write_entry(
                parts.database,
                now=int(time.time()),
                operator=run.operator,
                action="purge",
                why="retention",
                outcome=counts or "nothing",
            )
        return done

    done = run.perform(handler)
    if not run.prints_json(_as_data(done)):
        _show(done)
    if not done.proved and not run.dry_run:
        stop("something is older than it may be")


def _as_data(done: Purged) -> dict[str, object]:
    """Return the result of a purge as plain values."""
    return {
        "dry_run": done.dry,
        "deleted": done.deleted,
        "held": done.held,
        "keys_destroyed": done.keys,
        "proved": done.proved,
        "proofs": [
            {"place": p.place, "oldest": p.oldest, "limit": p.limit, "held": p.held, "holds": p.holds}
            for p in done.proofs
        ],
    }


def _show(done: Purged) -> None:
    """Print the numbers of deleted rows, and the proof."""
    table(
        ("place", "would be deleted" if done.dry else "deleted", "held"),
        ((k, v, done.held.get(k, "")) for k, v in done.deleted.items()),
    )
    table(
        ("proof", "oldest", "may be as old as", "held", "so it is"),
        (
            (p.place, when(p.oldest) or "nothing", when(p.limit), p.held, "yes" if p.holds else "NO")
            for p in done.proofs
        ),
    )


@hold_app.command("place")
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def hold_place(
    run: StoreCommand,
    authority: Annotated[str, typer.Option(help=f"the court or office that orders it: {TYPED_NOTE}")],
    reason: Annotated[str, typer.Option(help=f"the order's number: {TYPED_NOTE}")],
    identity: Annotated[
        str, typer.Option(metavar="VALUE", help="a cookie's value, or a stored keyed value as hex")
    ] = "",
    address: Annotated[str, typer.Option(metavar="IP")] = "",
    log: Annotated[str, typer.Option(metavar="URL", help="a saved log's address")] = "",
    days: Annotated[int | None, typer.Option(min=1, help="until its end; or --preset")] = None,
    preset: Annotated[
        str, typer.Option(help=", ".join(f"{name}: {length} days" for name, length in legal_holds.PRESETS.items()))
    ] = "",
    secret: Annotated[bool, typer.Option("--secret", help="the person must not learn of it")] = False,
) -> None:
    """Preserve stored and future data about an identity, an address or a saved log."""
    length = days or legal_holds.PRESETS.get(preset, 0)
    if sum(map(bool, (identity, address, log))) != 1 or not length:
        stop("say one of --identity, --address, --log, and --days or a known --preset", status=2)

    async def handler(parts: Parts, settings: Settings) -> str:
        one = NewHold(chosen_selector(settings.data, identity, address), log, authority, reason, length, secret)
        return await audited_holds.place(parts.database, parts.logs, one, run.operator, run.at, dry=run.dry_run)

    run.tell(run.perform(handler))


@hold_app.command("list")
@store_command(as_json=True, keyless=True)
def hold_list(run: StoreCommand) -> None:
    """List the holds that are in force or not yet cleared."""
    found = run.perform(lambda parts, _: legal_holds.list_holds(parts.database))
    if run.prints_json([{name: getattr(hold, name) for name in hold.__slots__} for hold in found]):
        return
    table(
        ("number", "kind", "authority", "reason", "secret", "placed", "until", "released"),
        (
            (
                h.id,
                h.kind,
                h.authority,
                h.reason,
                "yes" if h.secret else "",
                when(h.placed),
                when(h.until),
                when(h.released),
            )
            for h in found
        ),
    )


@hold_app.command("release")
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def hold_release(run: StoreCommand, number: int, why: Why) -> None:
    """End a hold; the next purge deletes what only this hold preserved."""

    async def handler(parts: Parts, _: Settings) -> bool:
        return await audited_holds.release(parts.database, number, run.operator, why, run.at)

    if not run.perform(handler):
        stop(f"no hold {number} is in force")
    run.tell(f"hold {number} released")


@app.command()
@store_command(operator=True, as_json=True)
def replay(run: StoreCommand) -> None:
    """Repeat what `db restore` does after a database was restored by other means. Run it before the server starts."""

    async def handler(parts: Parts, _: Settings) -> list[str]:
        told = restored(await restore.replay(parts))
        await audit_log.write_entry(
            parts.database, now=int(time.time()), operator=run.operator, action="replay", why="restore",
            outcome="; ".join(told),
        )  # fmt: skip
        return told

    told = run.perform(handler)
    if not run.prints_json(told):
        for line in told:
            say(line)


@app.command("audit")
@store_command(as_json=True, keyless=True)
def audit_list(run: StoreCommand, days: Annotated[int, typer.Option(min=1, help="how far back")] = 30) -> None:
    """Print the audit log: the actions of operators."""
    since = int(time.time()) - days * DAY
    found = run.perform(lambda parts, _: audit_log.recent_entries(parts.database, since))
    if run.prints_json([{name: getattr(entry, name) for name in entry.__slots__} for entry in found]):
        return
    table(
        ("time", "operator", "action", "why", "outcome"),
        ((when(e.time), e.operator, e.action, e.why, e.outcome) for e in found),
    )


@app.command("statement")
def show_statement(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = True) -> None:
    """Print the statement of this deployment as JSON, as `/api/privacy` returns it."""
    settings: Settings = read(config, {"data": data}).settings
    try:
        published = PublishedStatement(settings)
        published.read()
        print_json(published.answer(published.version, "en"))
    except (registry_history.NotReleased, OSError, ValueError) as error:
        stop(str(error))


@app.command("records")
def show_records(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Print the records of processing activities (GDPR, Article 30) as Markdown. What the settings do not say is to be filled in."""
    settings: Settings = read(config, {"data": data}).settings
    try:
        made = processing_records.processing_records(settings)
    except registry_history.NotReleased as error:
        stop(str(error))
    if as_json:
        print_json(made)
        return
    typer.echo(processing_records.markdown(made), nl=False)
    if unsaid := processing_records.missing(made):
        typer.echo(f"to fill in: {', '.join(unsaid)}", err=True)


@app.command()
def receipt(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="a receipt of a deletion, as it was given out")
    ],
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="KEY", help="the line of /.well-known/serendip-receipts; default: this data folder's"
        ),
    ] = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check a receipt and print it; status 1 if it is not genuine."""
    from server.ops.security import secret_keys
    from server.trust.rights.deletion_receipt import NotGenuine, Receipts, verify

    if not key:
        settings: Settings = enter(config, {"data": data})
        key = Receipts(secret_keys.load(settings.data).lasting[secret_keys.Purpose.RECEIPT]).public
    try:
        found = verify(file.read_bytes()[:RECEIPT_MAX], key)
    except NotGenuine as error:
        stop(str(error))
    if as_json:
        print_json({"genuine": True, "receipt": found})
    else:
        say(found)


@app.command()
def announce(
    effective: Annotated[int, typer.Option(metavar="DAYS", min=0, help="days from now on which it begins to hold")],
    config: ConfigFile = None,
    data: DataFolder = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    transfer: Annotated[
        bool, typer.Option("--transfer", help="people's data goes to the operator whom the new settings name: 30 days")
    ] = False,
) -> None:
    """Announce the statement of new settings (--config) while the server runs with the old ones; restart it with the new ones on that day."""
    settings: Settings = enter(config, {"data": data})
    try:
        version = statement_versions.announce(settings, effective, int(time.time()), transfer=transfer, dry=dry_run)
    except (statement_versions.NotAnnounced, registry_history.NotReleased, OSError, ValueError) as error:
        stop(str(error))
    if as_json:
        print_json(
            {
                "version": version.name,
                "effective": when(version.effective),
                "dry_run": dry_run,
                "changes": [str(one) for one in version.changes],
            }
        )
        return
    for change in version.changes:
        say(f"{'adds' if change.adds else 'less'}  {clean(change)}")
    say(f"version {version.name} {'would hold' if dry_run else 'holds'} from {when(version.effective)} UTC on")


@app.command()
def release(as_json: AsJson = False) -> None:
    """Write the next version of the statement after a change of the registry (for developers)."""
    path = registry_history.release(datetime.datetime.now(datetime.UTC).date())
    if as_json:
        print_json({"written": path and path.name})
        return
    say(f"{path.name}: written; people who come back will be told" if path else "nothing changed")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check that the registry, the program and the newest statement agree."""
    found = [*registry_check.findings(), *registry_history.check()]
    if as_json:
        print_json({"findings": found, "version": registry_history.current().number})
    if found:
        stop(*found)
    if as_json:
        return
    say(
        f"the registry and the program agree; statement version {registry_history.current().number}, {registry_history.current().date}"
    )


@app.command("scan-logs")
def scan_logs(
    path: Annotated[Path, typer.Argument(exists=True, help="a log file, or a folder of them (nginx, journal exports)")],
    as_json: AsJson = False,
) -> None:
    """Search log files for addresses, identity cookies and addresses of saved logs. Status 1 if some are found."""
    found = list(log_scan.scan(path))
    if as_json:
        print_json([{name: getattr(hit, name) for name in hit.__slots__} for hit in found])
    else:
        table(("file", "line", "what", "excerpt"), ((hit.file, hit.line, hit.what, hit.excerpt) for hit in found[:200]))
    if found:
        stop(f"{len(found)} found")
