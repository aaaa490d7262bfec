"""Provide the options, settings, output and exit that all commands share.

**Invariant:** data is printed as plain text, never as markup or terminal escapes; an error is one line and a nonzero status.
"""

from __future__ import annotations

import datetime
import getpass
import os
import time
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="folder of all that is kept")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="count what would happen; change nothing")]
TYPED_NOTE = "kept for a year, and shown to the person it is about; do not write a name"
Why = Annotated[
    str,
    typer.Option(
        "--why",
        metavar="TEXT",
        help=f"the reason, for the audit log: {TYPED_NOTE}",
    ),
]
Now = Annotated[str, typer.Option("--now", metavar="DATE", help="as if it were this day (YYYY-MM-DD, UTC)")]
Since = Annotated[
    str, typer.Option("--from", metavar="TIME", help="that came then or later, as '2026-11-24 16:05' (UTC)")
]
Until = Annotated[str, typer.Option("--to", metavar="TIME", help="and before this; default: now")]
Yes = Annotated[bool, typer.Option("--yes", help="do it; without, they are only counted")]
Operator = Annotated[
    str, typer.Option("--operator", metavar="NAME", help="your name for the audit log; default: your login")
]


def read(config: Path | None, flags: dict[str, object]) -> Any:
    """Return the settings of a command; a problem ends the program with status 2, each on a line of its own."""
    from server.ops.config.setting_sources import SettingsError, load

    try:
        return load(config, flags)
    except SettingsError as error:
        stop(*error.problems, status=2)


def enter(config: Path | None, flags: dict[str, object], *, make: bool = False) -> Any:
    """Return the settings of a command that works on the data folder, after becoming the folder's owner; exits if that is not allowed.

    `make`: this command may make the folder.
    """
    settings = read(config, flags).settings
    become_owner(settings.data, make=make)
    return settings


def become_owner(data: Path, *, make: bool = False, user: str = "") -> None:
    """Become the owner of the data folder (`server.ops.process.unix_user_switch.enter`); exits if that is not allowed."""
    from server.ops.process.unix_user_switch import NotOurs
    from server.ops.process.unix_user_switch import enter as become

    try:
        become(data, make=make, user=user)
    except NotOurs as error:
        stop(str(error))


def require_readable(user: str) -> None:
    """If `user` is set and this is root: exit if that user cannot read this program (`server.ops.process.unix_user_switch.require_readable`)."""
    from server.ops.process.unix_user_switch import NotOurs
    from server.ops.process.unix_user_switch import require_readable as require

    try:
        if user:
            require(user)
    except NotOurs as error:
        stop(str(error))


class Stopped(typer.Exit):
    """The program ends for these reasons, which were printed on standard error."""

    def __init__(self, problems: Sequence[str], status: int) -> None:
        super().__init__(status)
        self.problems = problems


def stop(*problems: str, status: int = 1) -> NoReturn:
    """End the program with a message on standard error. Raises Stopped."""
    for problem in problems:
        typer.echo(f"serendip: {problem}", err=True)
    raise Stopped(problems, status)


def clean(value: object) -> str:
    """Return text that cannot affect a terminal: control and direction characters are shown as their code point."""
    return "".join(char if unicodedata.category(char)[0] != "C" else f"<{ord(char):02x}>" for char in str(value))


def when(at: int | None) -> str:
    """Format a Unix time as `2026-11-24 16:05`, UTC."""
    return "" if at is None else f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M}"


def instant(text: str) -> int:
    """Return the Unix time of `2026-11-24` or `2026-11-24 16:05`, UTC. Exits for anything else."""
    try:
        return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())
    except ValueError:
        stop(f"{clean(text)}: not a time as 2026-11-24 or 2026-11-24 16:05", status=2)


def day_end(text: str) -> int:
    """Return the Unix time of `2026-11-24 16:05`, UTC, or of the last second of a day alone. Exits for anything else."""
    at = instant(text)
    return at if len(text.strip()) > len("2026-11-24") else at + 86_399


def moment(day: str) -> int:
    """Return the Unix time of a day, or the present time if none is given."""
    return instant(day) if day else int(time.time())


def check_month(text: str) -> None:
    """Exit for anything but a month as `2026-11`."""
    if len(text) != 7 or text[4] != "-" or not (text[:4] + text[5:]).isdigit():
        stop(f"{clean(text)}: a month is written as 2026-11", status=2)


def who(operator: str) -> str:
    """Return the operator's name: as given, else the login."""
    if operator:
        return operator
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; every cell is plain text. Where a terminal is narrower than its rows, each row is printed as lines, one a column."""
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD)
    cells = [[clean(cell) for cell in row] for row in rows]
    for title in titles:
        shown.add_column(title, no_wrap=True)
    for row in cells:
        shown.add_row(*map(Text, row))
    console, wide = Console(), Console(width=1_000_000)
    if "COLUMNS" not in os.environ and not console.is_terminal:  # a pipe takes lines of any length
        console = wide
    if Measurement.get(wide, wide.options, shown).maximum <= console.width:
        console.print(shown)
        return
    for row in cells:
        say("")
        for title, cell in zip(titles, row, strict=True):
            if cell:
                say(f"{title}: {cell}")
    say("")


def say(line: str) -> None:
    """Print one line on standard output."""
    typer.echo(line)


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print one JSON document; orjson escapes every control character."""
    import orjson

    say(orjson.dumps(value, option=0 if one_line else orjson.OPT_INDENT_2, default=str).decode())
