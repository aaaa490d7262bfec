"""A stranger who repeats whatever is said: `python -m examples.echo_bot ws://127.0.0.1:8080/ws`."""

import asyncio
import sys

from serendip_client import Client, Left, Message


async def main(url: str) -> None:
    async with Client(url) as bot:
        await bot.find(interests=["echo"])
        async for event in bot:
            if type(event) is Message:
                await bot.say(event.text)
            elif type(event) is Left:
                await bot.find(interests=["echo"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
