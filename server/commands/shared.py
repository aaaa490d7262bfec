"""What the operators' commands share. Rule: data is printed as text, never as markup or terminal escapes; errors are one line and status 1."""

from __future__ import annotations

import asyncio
import datetime
import getpass
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from server import log
from server.cli import read
from server.cli import stop as stop
from server.config.settings import Settings
from server.security import keys
from server.store.epochs import KeyGone
from server.store.errors import Busy, ObjectsAway, StoreAway
from server.store.service import Parts, open_parts

Result = TypeVar("Result")
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="folder of all that is kept")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="count what would happen; change nothing")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="the reason, for the audit trail")]
Operator = Annotated[
    str, typer.Option("--operator", metavar="NAME", help="who you are, for the audit trail; default: your login")
]


def clean(value: object) -> str:
    """Text that can do nothing to a terminal: control and direction characters are shown as their code point."""
    return "".join(char if unicodedata.category(char)[0] != "C" else f"<{ord(char):02x}>" for char in str(value))


def when(at: int | None) -> str:
    """A Unix time as `2026-11-24 16:05`, UTC."""
    return "" if at is None else f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M}"


def who(operator: str) -> str:
    """The operator's name: as given, else the login."""
    if operator:
        return operator
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; every cell is plain text."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD)
    for title in titles:
        shown.add_column(title)
    for row in rows:
        shown.add_row(*(Text(clean(cell)) for cell in row))
    Console().print(shown)


def say(line: str) -> None:
    """One line on standard output."""
    typer.echo(line)


def print_json(value: Any) -> None:
    """Print one JSON document; orjson escapes every control character."""
    import orjson

    say(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def perform(config: Path | None, data: Path | None, deed: Callable[[Parts, Settings], Awaitable[Result]]) -> Result:
    """Open the store by the settings, do something, close. Every known failure ends the program with one line."""
    settings: Settings = read(config, {"data": data}).settings
    log.configure(settings.log)

    async def alone() -> Result:
        parts = open_parts(settings, keys.load(settings.data))
        try:
            return await deed(parts, settings)
        finally:
            await parts.database.close()

    try:
        return asyncio.run(alone())
    except StoreAway as error:
        stop(f"the database cannot be used: {error}. Is it there, and migrated? serendip db check")
    except ObjectsAway as error:
        stop(f"the object store cannot be used: {error}")
    except Busy as error:
        stop(str(error))
    except (KeyGone, ValueError, RuntimeError, keys.SecretError) as error:
        stop(str(error) or type(error).__name__)
