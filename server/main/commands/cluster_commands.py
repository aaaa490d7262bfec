"""Implement `serendip cluster check`: check NATS and each host connected to it, and print one line per finding.

**Invariant:** the exit status is the worst severity.
"""

from __future__ import annotations

import asyncio

import typer

from server.main.commands.command_base import AsJson, ConfigFile, DataFolder, enter, stop

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make this a group, though it has one command so far."""


@app.command()
def check(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Check NATS, its certificate, and each host that is received there: its port, clock, secret, release, database. Status: 0, 1 for warnings, 2
    for errors.
    """
    settings = enter(config, {"data": data})
    if not settings.cluster.nats:
        stop("this host is alone: cluster.nats is empty", status=2)
    from server.main.checks.cluster_host_checks import hosts
    from server.main.commands.check_commands import conclude
    from server.ops.security import secret_keys

    try:
        held = secret_keys.load(settings.data)
    except secret_keys.SecretError as fault:
        stop(str(fault), status=2)
    conclude(asyncio.run(hosts(settings.cluster, held)), as_json)
