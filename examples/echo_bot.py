"""Run a bot that repeats each message of its partner: `python -m examples.echo_bot ws://127.0.0.1:8080/ws`."""

import asyncio
import sys

from serendip_client import Client, Closed, Error, Left, Message, Notice


async def main(url: str) -> None:
    async with Client(url) as bot:
        await bot.find(interests=["echo"])
        async for event in bot:
            match event:
                case Message():
                    await bot.say(event.text)
                case Left():
                    await bot.find(interests=["echo"])
                case Notice():  # a warning: searches are refused until it is read
                    print(event.reason, file=sys.stderr)
                    await bot.seen(event.id)
                case Error(of="find", retry_after=None):  # with `retry_after` the client repeats the search
                    print(event.message, file=sys.stderr)
                    await asyncio.sleep(60)
                    await bot.find(interests=["echo"])
                case Closed():
                    print(event.reason, file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
