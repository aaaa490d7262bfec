"""Run `python -m serendip_client talk URL` or `python -m serendip_client echo URL`, as `serendip talk` and `serendip bot echo` do."""

import argparse
import asyncio
import sys
from contextlib import suppress

from serendip_client.echo import echo
from serendip_client.frames import Wishes
from serendip_client.site_address import socket_address
from serendip_client.talk import TalkOptions, talk, topics


def main(words: list[str] | None = None) -> int:
    """Run a command; return the program's status."""
    parser = argparse.ArgumentParser(prog="python -m serendip_client", description="Clients of a Serendip site.")
    parser.add_argument(
        "command", choices=("talk", "echo"), help="talk in this terminal or pipe, or repeat what is said"
    )
    parser.add_argument("url", help="of the page, e.g. https://chat.example")
    parser.add_argument("--topics", default="", metavar="A,B", help="separated by commas")
    parser.add_argument("--language", default="en", metavar="TAG", help="of the chat; *: any")
    parser.add_argument("--adult", action="store_true", help="you are 18 or over, for servers that ask")
    parser.add_argument("--again", action="store_true", help="talk: search again after each chat")
    parser.add_argument("--stay", action="store_true", help="talk: in a pipe go on listening when the input has ended")
    chosen = parser.parse_args(words)
    url, about = socket_address(chosen.url), topics(chosen.topics)
    wishes = Wishes(language=chosen.language, adult=True) if chosen.adult else Wishes(language=chosen.language)
    with suppress(KeyboardInterrupt):
        if chosen.command == "echo":
            return asyncio.run(echo(url, about or ["echo"], wishes))
        return asyncio.run(talk(url, TalkOptions(about, wishes, chosen.again, chosen.stay)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
