"""Define the command line `serendip`: `serve`, `upgrade`, `status`, `drain`, `restart`, `config`, `talk`, and the groups of `server.main.commands`.

A command imports its modules when it runs, so that help and the server's start are fast.
"""

import os
import socket
from importlib import import_module
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    Operator,
    Stopped,
    become_owner,
    enter,
    read,
    require_readable,
    stop,
)
from server.ops.process.log_writer_thread import hold_standard_descriptors

# Groups of commands: module, imported when one of its commands is called, and help.
GROUPS = {
    "alerts": (
        "server.main.commands.alert_commands",
        "Alerts on their way to you: configuration, a test, the heartbeat.",
    ),
    "backup": (
        "server.main.commands.backup_commands",
        "Whole backups: database, texts, keys and settings in one archive.",
    ),
    "cluster": ("server.main.commands.cluster_commands", "Several hosts that are one service."),
    "console": ("server.main.commands.console_commands", "Who may use the moderators' console."),
    "db": ("server.main.commands.database_commands", "The database: its schema, backups."),
    "log": ("server.main.commands.chat_log_commands", "Saved logs; the level of the server's own log."),
    "privacy": ("server.main.commands.privacy_commands", "What is kept, for how long, and who saw it."),
    "safety": ("server.main.commands.case_commands", "Reports: cases, bans, appeals."),
    "sessions": ("server.main.commands.live_commands", "Who is here now: how many, where, since when; end one."),
    "statistics": ("server.main.commands.statistics_commands", "How the service is used, without identifiers."),
    "probe": ("server.main.commands.chat_probe_commands", "Try a deployment from outside."),
    "bot": ("server.main.commands.chat_client_commands", "Programs that chat."),
}


class LazyGroup(TyperGroup):
    """A command group that lists the groups of GROUPS without importing them; a group is imported when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands of this module and the names of the other groups."""
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by name for the help; for a group, its help only. None if it does not exist."""
        if cmd_name in GROUPS:
            return TyperCommand(cmd_name, help=GROUPS[cmd_name][1])
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the called command and its arguments."""
        if args and args[0] in GROUPS:
            module, told = GROUPS[args[0]]
            group: typer.Typer = import_module(module).app
            group.info.help = told
            command = get_command(group)
            command.name = args[0]
            return args[0], command, args[1:]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, which hold what people wrote
)
keys_app = typer.Typer(no_args_is_help=True, help="The service's secret.")
app.add_typer(keys_app, name="keys")


def _print_version(asked: bool) -> None:
    if asked:
        from server.ops.version import VERSION, own

        print(f"serendip {VERSION} ({own()})")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="print version and commit")
    ] = False,
) -> None:
    """Talk to strangers: the server and its tools."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="port to listen on; 0: any free one")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Run the server in the foreground, until SIGTERM or Ctrl-C."""
    from server.realtime.worker import gc_tuning

    gc_tuning.hold()
    flags: dict[str, object] = {"server.host": host, "server.port": port, "data": data}
    try:
        settings = read(config, flags).settings
        require_readable(settings.server.user)
        opened = _opened_as_root(settings)
        become_owner(settings.data, make=True, user=settings.server.user)
    except Stopped as stopped:
        from server.fleet.migrate.upgrade_successor import tell_failure

        tell_failure("; ".join(stopped.problems))
        raise
    from server.main.single_process_server import run
    from server.ops.config.setting_sources import load

    run(settings, lambda: load(config, flags).settings, opened)


def _opened_as_root(settings: Any) -> dict[str, socket.socket]:
    """Return the public socket if this process is root and is to become `server.user`: root alone may open a port below 1024. Exits if it cannot be
    opened. A successor inherits its socket.
    """
    from server.ops.process import successor
    from server.ops.process.listening_sockets import StartError, listen_public

    if not settings.server.user or os.geteuid() != 0 or successor.is_one():
        return {}
    try:
        return {"server": listen_public(settings.server.host, settings.server.port)}
    except StartError as error:
        stop(str(error))


@app.command()
def init(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Create the data folder and its secret, as `serve` does at its first start; a secret also if it was lost. What exists stays as it is."""
    settings = read(config, {"data": data}).settings
    folder = settings.data
    become_owner(folder, make=True, user=settings.server.user)
    from server.ops.security import secret_keys

    try:
        secret_keys.load(folder, renew=True)
    except secret_keys.SecretError as error:
        stop(str(error))
    print(
        f"{folder}: the data folder, with its secret. Keep a copy of `{secret_keys.SECRET}` and `{secret_keys.EPOCHS}/` apart from the database's."
    )


@app.command()
def config(
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
    as_page: Annotated[bool, typer.Option("--markdown", help="the reference page of defaults")] = False,
) -> None:
    """Print every setting with its meaning, its value and where that came from."""
    if as_page:
        from server.ops.config.settings_reference import configuration

        print(configuration(), end="")
        return
    rows = read(config, {"data": data}).rows()
    if as_json:
        import orjson

        settings = [{name: getattr(row, name) for name in row.__slots__} for row in rows]
        print(orjson.dumps(settings, option=orjson.OPT_INDENT_2).decode())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("setting", "value", "from", "meaning"):
        table.add_column(title, no_wrap=title == "setting")
    for row in rows:
        style = "" if row.source == "default" else "bold"
        table.add_row(row.name, Text(row.value, style), Text(row.source), row.meaning)
    Console().print(table)
    print("Environment: SERENDIP_ and the name in capitals, __ for each dot, e.g. SERENDIP_SERVER__PORT.")


@app.command()
def check(
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
) -> None:
    """Try everything that can be wrong: settings, data folder, database, object store, mail, TURN. Status: 0, 1 warnings, 2 errors."""
    settings = enter(config, {"data": data}, make=True)
    from server.main.commands.check_commands import check as run

    run(settings, as_json)


@app.command()
def doctor(
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
    send: Annotated[bool, typer.Option("--alert", help="send a test alert to every contact, too")] = False,
) -> None:
    """Run `check`, and look at this machine, the backup, the alerts and the running server. Status: 0, 1 warnings, 2 errors."""
    settings = enter(config, {"data": data}, make=True)
    from server.main.commands.check_commands import doctor as run

    run(settings, as_json, send=send)


@app.command("help")
def help_(
    topic: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC|ALERT]", help="an alert, a page, a heading, or words to search"),
    ] = None,
) -> None:
    """Print the manual: of an alert (SerendipDown), a page (backup), a symptom (`disk full`); without a topic its contents."""
    from server.main.commands.help_command import help_about

    help_about(" ".join(topic or ()))


@app.command()
def upgrade(
    program: Annotated[
        str | None, typer.Option(metavar="PATH", help="start this one in place of the program that runs")
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Replace the running server by a new process: no connection, chat or search ends. Status 1: nothing has changed."""
    folder = enter(config, {"data": data}).data
    from server.main.commands.upgrade_commands import upgrade as run

    run(folder, program, as_json)


@app.command()
def status(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Show the state of the running server: processes, users, deaths. Status: 0 all serve, 1 no server runs, 3 not all serve."""
    folder = enter(config, {"data": data}).data
    from server.main.commands.process_control_commands import status as run

    run(folder, as_json)


@app.command()
def drain(
    worker: Annotated[
        int | None, typer.Option("--worker", metavar="N", help="this worker alone, 1 and up, and not the host")
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Move all users of this host to the other hosts and end it: chats and searches continue. With --worker: one worker, to the other workers."""
    folder = enter(config, {"data": data}).data
    from server.main.commands.process_control_commands import change

    change(folder, "drain", worker, as_json)


@app.command()
def restart(
    worker: Annotated[int | None, typer.Option("--worker", metavar="N", help="which worker, 1 and up")] = None,
    hub: Annotated[bool, typer.Option("--hub", help="the process in which all wait; they keep their places")] = False,
    frontend: Annotated[
        bool,
        typer.Option(
            "--frontend", "--office", help="pages, Omegle's programs, what is kept: all processes, as by an upgrade"
        ),
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Restart a process: a worker moves its users to the other workers first; a drained worker is only started."""
    which = [name for name, chosen in ((worker, worker is not None), ("hub", hub), ("frontend", frontend)) if chosen]
    if len(which) != 1 or which[0] is None:
        stop("which process: --worker N, --hub or --frontend", status=2)
    folder = enter(config, {"data": data}).data
    from server.main.commands.process_control_commands import change

    change(folder, "restart", which[0], as_json)


@app.command()
def talk(
    address: Annotated[str, typer.Argument(metavar="URL", help="of the page, e.g. https://chat.example")],
    topics: Annotated[str, typer.Option(metavar="A,B", help="topics, separated by commas")] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="language of the chat; *: any")] = "en",
    adult: Annotated[bool, typer.Option("--adult", help="you are 18 or over, for servers that ask")] = False,
    again: Annotated[bool, typer.Option("--again", help="search again after each chat")] = False,
    stay: Annotated[bool, typer.Option("--stay", help="in a pipe: go on listening when the input has ended")] = False,
) -> None:
    """Chat with strangers in this terminal; in a pipe each line is a message. /help lists what you can do there."""
    from server.main.commands.chat_client_commands import talk as run

    run(address, topics, language, adult, again, stay)


@app.command()
def announce(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="English, or LANGUAGE=TEXT; one a language")
    ] = None,
    prepared: Annotated[
        str, typer.Option(metavar="NAME", help="soon (maintenance begins --in MINUTES) or trouble, in nine languages")
    ] = "",
    begins: Annotated[int, typer.Option("--in", metavar="MINUTES", min=0, help="with --prepared soon")] = 0,
    minutes: Annotated[int, typer.Option(min=0, metavar="N", help="how long it is shown; 0: until --off")] = 0,
    off: Annotated[bool, typer.Option("--off", help="withdraw it")] = False,
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a text to all users of all hosts, in the page's banner, in the language of each if it is given."""
    from server.main.commands.live_commands import announce as run

    run(config, data, text or [], prepared, begins, minutes, off, operator, as_json)


@app.command()
def maintenance(
    state: Annotated[Literal["on", "off"], typer.Argument(help="on or off")],
    minutes: Annotated[int, typer.Option(min=0, metavar="N", help="how long it is expected to last; 0: unknown")] = 0,
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Begin maintenance on all hosts, or end it: no chat begins, and those that run continue. The page says so, with the time."""
    from server.main.commands.live_commands import maintenance as run

    run(config, data, state == "on", minutes, operator, as_json)


@keys_app.command()
def rotate(
    kept: Annotated[
        bool, typer.Option("--kept", help="add a key of what is kept sealed instead; the secret stays")
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Put a new secret in place and keep the present one as the previous one; restart the server afterwards."""
    folder = enter(config, {"data": data}).data
    from server.ops.security import secret_keys

    try:
        if kept:
            ident = secret_keys.rotate_kept(folder)
            print(
                f"{folder}: key {ident} seals what is kept from the next start on; what the others sealed stays readable."
            )
            print(
                f"Copy `{secret_keys.EPOCHS}/kept.{ident}.key` to your backup of keys and to the other hosts, then restart each."
            )
            return
        rotated = secret_keys.rotate(folder)
    except secret_keys.SecretError as error:
        stop(str(error))
    print(f"{folder}: key {rotated.present.id:02x} seals from the next start on; the previous one is accepted for")
    print(
        f"{secret_keys.PREVIOUS_LIFE / 86400:.0f} days. Copy `{secret_keys.SECRET}` and `{secret_keys.PREVIOUS}` to the other hosts; "
        f"`{secret_keys.EPOCHS}/` stays as it is."
    )


@keys_app.command()
def turn(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Print the secret to share with the TURN server (its static-auth-secret)."""
    settings = enter(config, {"data": data})
    from server.ops.security import secret_keys
    from server.realtime.video.ice_servers import turn_secret

    try:
        print(turn_secret(settings.video, secret_keys.load(settings.data)))
    except secret_keys.SecretError as error:
        stop(str(error))


def main() -> None:
    """Run the `serendip` program."""
    from server.realtime.worker import gc_tuning

    gc_tuning.begin()
    hold_standard_descriptors()
    os.umask(0o077)  # what it makes is its owner's alone: SQLite would let others read the database
    try:
        app()
    finally:
        gc_tuning.end()
