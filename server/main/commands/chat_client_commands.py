"""Implement `serendip talk` and `serendip bot`: clients of any site, with the Python client, which is a package of its own.

They need only an address, and read no settings and no data of a server here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

import typer

Address = Annotated[str, typer.Argument(metavar="URL", help="of the page, e.g. https://chat.example")]
Topics = Annotated[str, typer.Option(metavar="A,B", help="topics, separated by commas")]
Language = Annotated[str, typer.Option(metavar="TAG", help="language of the chat; *: any")]
Adult = Annotated[bool, typer.Option("--adult", help="you are 18 or over, for servers that ask")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bots() -> None:
    """Programs that chat."""


@app.command()
def echo(
    address: Address,
    topics: Topics = "echo",
    language: Language = "en",
    adult: Adult = False,
    chats: Annotated[int, typer.Option(min=0, help="end after so many; 0: never")] = 0,
) -> None:
    """Repeat what each stranger says, one after the other, until Ctrl-C."""
    _with_client()
    from serendip_client.echo import echo as run
    from serendip_client.site_address import socket_address
    from serendip_client.talk import topics as listed

    _end(run(socket_address(address), listed(topics), _wishes(language, adult), chats))


def talk(address: str, topics: str, language: str, adult: bool, again: bool, stay: bool) -> None:
    """Chat in this terminal, or by lines of a pipe; ends the process."""
    _with_client()
    from serendip_client.site_address import socket_address
    from serendip_client.talk import TalkOptions
    from serendip_client.talk import talk as run
    from serendip_client.talk import topics as listed

    _end(run(socket_address(address), TalkOptions(listed(topics), _wishes(language, adult), again, stay)))


def _wishes(language: str, adult: bool) -> Any:
    from serendip_client.frames import Wishes

    return Wishes(language=language, adult=True) if adult else Wishes(language=language)


def _with_client() -> None:
    """Exit unless the client is installed."""
    try:
        import serendip_client  # noqa: F401
    except ModuleNotFoundError:
        typer.echo("serendip: this needs the Python client: pip install serendip-client", err=True)
        raise typer.Exit(2) from None


def _end(chat: Coroutine[Any, Any, int]) -> None:
    """Run until it ends, or Ctrl-C."""
    try:
        status = asyncio.run(chat)
    except KeyboardInterrupt:
        status = 0
    raise typer.Exit(status)
