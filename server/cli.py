"""The command line: `serendip serve`, `config`, `keys rotate`, `version`, and the groups of other parts.

Rule: a command imports what it needs when it runs, so that the server is ready at once and help costs nothing.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

# Groups of commands that live with their part: name -> "module:app". They are imported when they are asked for.
GROUPS: dict[str, str] = {
    "db": "server.commands.db:app",
    "log": "server.commands.log:app",
    "privacy": "server.commands.privacy:app",
    "probe": "client.probe:app",
}

ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="folder of all that is kept")]


class Lazy(TyperGroup):
    """A group whose members of GROUPS are found by name and imported then."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands of this module and the groups of the others."""
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by name; None where there is none."""
        if cmd_name in GROUPS:
            module, _, name = GROUPS[cmd_name].partition(":")
            command = get_command(getattr(import_module(module), name))
            command.name = cmd_name
            return command
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=Lazy,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, which hold what people wrote
    help="Talk to strangers: the server and its tools.",
)
keys_app = typer.Typer(no_args_is_help=True, help="The service's secret.")
app.add_typer(keys_app, name="keys")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="port to listen on; 0: any free one")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Run the server in the foreground, until SIGTERM or Ctrl-C."""
    loaded = read(config, {"server.host": host, "server.port": port, "data": data})
    from server.main import run

    run(loaded.settings)


@app.command()
def config(
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
    as_page: Annotated[bool, typer.Option("--markdown", help="the manual's page of defaults")] = False,
) -> None:
    """Print every setting with its meaning, its value and where that came from."""
    if as_page:
        from server.config.reference import configuration

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


@keys_app.command()
def rotate(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Put a new secret in place and keep the present one as the previous one; restart the server afterwards."""
    folder = read(config, {"data": data}).settings.data
    from server.security import keys

    try:
        rotated = keys.rotate(folder)
    except keys.SecretError as error:
        stop(str(error))
    print(f"{folder}: key {rotated.present.id:02x} seals from the next start on; the previous one is accepted for")
    print(f"{keys.PREVIOUS_LIFE / 86400:.0f} days. Copy `{keys.SECRET}` and `{keys.PREVIOUS}` to the other hosts.")


@keys_app.command()
def turn(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Print the secret that the TURN server is to share (its static-auth-secret)."""
    settings = read(config, {"data": data}).settings
    from server.security import keys
    from server.video.ice import turn_secret

    try:
        print(turn_secret(settings.video, keys.load(settings.data)))
    except keys.SecretError as error:
        stop(str(error))


@app.command()
def version() -> None:
    """Print the version."""
    from server.version import VERSION

    print(VERSION)


def read(config: Path | None, flags: dict[str, object]) -> Any:
    """The settings of a command; a problem ends the program with status 2, each named on a line of its own."""
    from server.config.sources import SettingsError, load

    try:
        return load(config, {name: value for name, value in flags.items() if value is not None})
    except SettingsError as error:
        stop(*error.problems, status=2)


def stop(*problems: str, status: int = 1) -> NoReturn:
    """End the program with a message on standard error."""
    for problem in problems:
        print(f"serendip: {problem}", file=sys.stderr)
    raise typer.Exit(status)


def main() -> None:
    """The `serendip` program."""
    app()
