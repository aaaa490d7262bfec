"""Run a bot that repeats each message of its partner: `python -m examples.echo_bot ws://127.0.0.1:8080/ws`."""

import asyncio
import sys
from contextlib import suppress

from serendip_client import Client, Closed, Message, NoChat


async def main(url: str) -> None:
    async with Client(url) as bot:
        await bot.search(interests=["echo"], again=True)
        async for event in bot:
            match event:
                case Message():
                    with suppress(NoChat):  # they left behind it
                        await bot.say(event.text)
                case Closed():
                    print(event.reason, file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
