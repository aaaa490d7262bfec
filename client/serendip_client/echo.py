"""Run a bot that repeats what it hears and meets one stranger after the other: `serendip bot echo`, to try a server or a client against."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress

from serendip_client.client import Client
from serendip_client.disconnects import NoChat
from serendip_client.events import Closed, Error, Left, Matched, Message, Notice, NotSent
from serendip_client.frames import Wishes

PAUSE_S = 60.0  # after a refusal that does not say when to come back


async def echo(url: str, topics: Sequence[str], wishes: Wishes, chats: int = 0) -> int:
    """Repeat messages, for so many chats (0: until cancelled). Write one line a chat to standard error; return 1 if the server closed."""
    done = lines = 0
    async with Client(url) as bot:
        await bot.find(topics, **wishes)
        async for event in bot:
            match event:
                case Matched():
                    lines = 0
                case Message():
                    lines += 1
                    with suppress(NoChat):  # they left behind it
                        await bot.say(event.text)
                case NotSent():
                    print(f"not sent: {event.code}", file=sys.stderr)
                case Left():
                    done += 1
                    print(f"chat {done}: {lines} lines, ended by {event.by}", file=sys.stderr, flush=True)
                    if done == chats:
                        return 0
                    await bot.find(topics, **wishes)
                case Notice():
                    print(event.reason, file=sys.stderr)
                    await bot.seen(event.id)
                case Error(of="find", retry_after=None):  # with `retry_after` the client repeats the search
                    print(event.message, file=sys.stderr)
                    await asyncio.sleep(0 if event.code == "notice" else PAUSE_S)
                    await bot.find(topics, **wishes)
                case Closed():
                    print(event.reason, file=sys.stderr)
    return 1
