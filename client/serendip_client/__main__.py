"""Run `python -m serendip_client talk URL`, `echo URL` or `load URL`; the first two do as `serendip talk` and `serendip bot echo`."""

import argparse
import asyncio
import sys
from contextlib import suppress

from serendip_client.echo import echo
from serendip_client.frames import Wishes
from serendip_client.load_test import LoadOptions, load
from serendip_client.site_address import socket_address
from serendip_client.talk import TalkOptions, talk, topics


def main(words: list[str] | None = None) -> int:
    """Run a command; return the program's status."""
    chosen = parser().parse_args(words)
    url, about = socket_address(chosen.url), topics(chosen.topics)
    wishes = Wishes(language=chosen.language, adult=True) if chosen.adult else Wishes(language=chosen.language)
    with suppress(KeyboardInterrupt):
        if chosen.command == "echo":
            return asyncio.run(echo(url, about or ["echo"], wishes))
        if chosen.command == "load":
            options = LoadOptions(chosen.users, chosen.seconds, chosen.lines, chosen.pause, chosen.ramp, wishes)
            return asyncio.run(load(url, options, chosen.json))
        return asyncio.run(talk(url, TalkOptions(about, wishes, chosen.again, chosen.stay)))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m serendip_client", description="Clients of a Serendip site.")
    made.add_argument(
        "command",
        choices=("talk", "echo", "load"),
        help="talk in this terminal or pipe, repeat what is said, or measure a server of your own with pairs that chat",
    )
    made.add_argument("url", help="of the page, e.g. https://chat.example")
    made.add_argument("--topics", default="", metavar="A,B", help="talk, echo: separated by commas")
    made.add_argument("--language", default="en", metavar="TAG", help="of the chat; *: any")
    made.add_argument("--adult", action="store_true", help="you are 18 or over, for servers that ask")
    made.add_argument("--again", action="store_true", help="talk: search again after each chat")
    made.add_argument("--stay", action="store_true", help="talk: in a pipe go on listening when the input has ended")
    usual = LoadOptions()
    size = made.add_argument_group("load")
    size.add_argument("--users", type=pairs, default=usual.users, metavar="N", help=f"even ({usual.users})")
    size.add_argument("--seconds", type=above_zero, default=usual.seconds, help=f"of measuring ({usual.seconds:g})")
    size.add_argument(
        "--lines", type=whole, default=usual.lines, metavar="N", help=f"of each user a chat ({usual.lines})"
    )
    size.add_argument(
        "--pause", type=above_zero, default=usual.pause, help=f"mean seconds before a line ({usual.pause:g})"
    )
    size.add_argument(
        "--ramp", type=above_zero, default=usual.ramp, help=f"users that arrive a second ({usual.ramp:g})"
    )
    size.add_argument("--json", action="store_true", help="print JSON in place of a table")
    return made


def whole(text: str) -> int:
    """Read a whole number above zero."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 100000")
    return int(text)


def pairs(text: str) -> int:
    """Read an even number above zero."""
    if (number := whole(text)) % 2:
        raise argparse.ArgumentTypeError(f"{text} users make no pairs: an even number")
    return number


def above_zero(text: str) -> float:
    """Read a number of seconds, or a rate."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
