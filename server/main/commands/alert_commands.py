"""Implement `serendip alerts`: write Alertmanager's configuration and Prometheus' rules, send a test alert, receive the heartbeat.

**Invariant:** none of these needs the data folder: they run on the machine of Prometheus too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from server.main.commands.command_base import ConfigFile, print_json, read, say, stop

app = typer.Typer(no_args_is_help=True)
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="write there, readable by its owner alone")
]


@app.command()
def config(config: ConfigFile = None, output: Output = None) -> None:
    """Write the configuration of Alertmanager from `alerts.contact`, `alerts.heartbeat` and `mail`. It may hold a password."""
    from server.ops.alerts.alertmanager_config import Unsendable, alertmanager_config

    settings = read(config, {}).settings
    try:
        document = alertmanager_config(settings)
    except Unsendable as fault:
        stop(str(fault))
    if not settings.alerts.heartbeat.get_secret_value():
        typer.echo(
            "serendip: alerts.heartbeat is empty: nothing notices when Prometheus or Alertmanager dies", err=True
        )
    if output is None:
        print_json(document)
        return
    import orjson

    part = output.with_name(f"{output.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        part.replace(output)
    except OSError as fault:
        stop(f"{output}: {fault.strerror}")


@app.command()
def rules() -> None:
    """Print the alert rules for Prometheus (`rule_files`)."""
    from server.ops.manual.manual_files import alert_rules

    try:
        say(alert_rules().rstrip("\n"))
    except OSError as fault:
        stop(f"{fault.filename}: {fault.strerror}")


@app.command("test")
def send_test_alert(
    severity: Annotated[
        Literal["page", "ticket"],
        typer.Option("--severity", help="page: to every contact; ticket: to those without #page"),
    ] = "page",
    config: ConfigFile = None,
) -> None:
    """Send a test alert to Alertmanager; it arrives at the contacts as a real one does, at once, and ends after two minutes."""
    from server.ops.alerts.alert_sender import NoManager, send_test

    manager = read(config, {}).settings.alerts.manager
    try:
        asyncio.run(send_test(manager, severity, socket.gethostname()))
    except NoManager as fault:
        stop(f"{fault}. alerts.manager says where Alertmanager is")
    whom = "every contact of alerts.contact" if severity == "page" else "every contact of alerts.contact without #page"
    say(f"{manager} has it: SerendipTest, severity {severity}. It must reach {whom}")


@app.command()
def watch(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="port to listen on")] = 9095,
    within: Annotated[
        float, typer.Option("--within", metavar="SECONDS", min=1, help="silence after which the contacts are notified")
    ] = 300.0,
    config: ConfigFile = None,
) -> None:
    """Receive the heartbeat at the path and query of `alerts.heartbeat`, on another machine than Prometheus; notify the contacts when it stops."""
    settings = read(config, {}).settings
    heartbeat = settings.alerts.heartbeat.get_secret_value()
    if not heartbeat or not settings.alerts.contacts:
        stop("alerts.heartbeat and alerts.contact are wanted: the address that is called, and whom to notify", status=2)
    if any(one.kind == "mail" for one in settings.alerts.contacts) and not settings.mail.host:
        stop("alerts.contact has a mail address, and mail.host is empty: no mail could be sent", status=2)
    from server.ops.alerts.heartbeat_watch import HeartbeatWatch, Notifier

    def failed(kind: str) -> None:
        typer.echo(f"serendip: a contact was not reached ({kind})", err=True)

    watched = HeartbeatWatch(heartbeat, within, Notifier(settings.alerts.contacts, settings.mail, failed))
    try:
        asyncio.run(_serve(watched.app(), watched.run, host, port))
    except OSError as fault:
        stop(f"{host} port {port}: {fault.strerror}")


async def _serve(app: Any, watch: Callable[[], Awaitable[None]], host: str, port: int) -> None:
    """Listen and watch until SIGTERM or SIGINT."""
    from aiohttp import web

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    watching = asyncio.ensure_future(watch())
    try:
        await web.TCPSite(runner, host, port).start()
        say(f"ready: heartbeats at {host} port {port}")
        done = asyncio.create_task(ended.wait())
        await asyncio.wait((watching, done), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        await runner.cleanup()
