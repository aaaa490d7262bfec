"""Load a server with pairs of users who chat, and measure it: `python -m serendip_client load URL`.

Each pair meets by a topic of its own, so that no real user is met, says so many lines each way, and parts. Its next chat is one of two new
connections, since a server does not match the same two again for some minutes.

**Invariant:** each line is counted once: heard, not sent, or lost.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from serendip_client.client import Client
from serendip_client.disconnects import Disconnected, NoChat
from serendip_client.events import Closed, Dropped, Error, Hello, Left, Matched, Message, NotSent
from serendip_client.frames import Wishes
from serendip_client.load_figures import LoadFigures, table

PATIENCE_S: Final = 30.0  # to connect, and to be matched
DRAIN_S: Final = 5.0  # at the end, for lines that are under way
RETRY_S: Final = 1.0  # after a chat that failed
TICK_S: Final = 0.02  # of the timer that measures this program's own delay
SPARE_FILES: Final = 100
LIMITED: Final = ("find refused: too_fast", "connection dropped: 429")


@dataclass(frozen=True)
class LoadOptions:
    """Size and pace of a test. `lines`: of each user in a chat; `pause`: mean seconds before each; `ramp`: users that arrive a second."""

    users: int = 20
    seconds: float = 30.0
    lines: int = 10
    pause: float = 1.0
    ramp: float = 20.0
    wishes: Wishes = field(default_factory=lambda: Wishes(language="en"))


@dataclass
class PairedChat:
    """One chat of a pair: its topic, its lines under way, and how many of the two still speak."""

    topic: str
    since: float  # when its users began to connect
    asked: float = 0.0  # when the second of them searched
    said: dict[str, float] = field(default_factory=dict)  # lines that were neither heard nor refused, since when
    speakers: int = 2
    met: bool = False
    whole: bool = True  # each line was heard
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, text: str) -> float | None:
        """Take a line from those under way. Return since when it was."""
        since = self.said.pop(text, None)
        self.check()
        return since

    def check(self) -> None:
        """Note the end: both have said everything, and it was heard."""
        if not self.speakers and not self.said:
            self.done.set()


class LoadTest:
    """One test of one server."""

    def __init__(self, url: str, options: LoadOptions) -> None:
        self.figures = LoadFigures()
        self._url = url
        self._options = options
        self._over = asyncio.Event()
        self._run = secrets.token_hex(4)
        self._lines = 0
        self._clock = asyncio.get_running_loop().time

    def stop(self) -> None:
        """End the test early."""
        self._over.set()

    async def run(self) -> LoadFigures:
        """Bring the users in, measure for so long, and let the chats end."""
        options = self._options
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            tasks = [asyncio.create_task(self._watch_delay())]
            self.figures.begin()
            for pair in range(options.users // 2):
                tasks.append(asyncio.create_task(self._pair(http, pair)))
                await self._wait(2 / options.ramp)
            self.figures.begin()
            await self._wait(options.seconds)
            self.figures.end()
            self._over.set()
            await asyncio.gather(*tasks)
        return self.figures

    async def _wait(self, seconds: float) -> None:
        """Wait, until the end at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _watch_delay(self) -> None:
        """Measure how late this program's timers are."""
        while not self._over.is_set():
            due = self._clock() + TICK_S
            await asyncio.sleep(TICK_S)
            self.figures.delay.add(self._clock() - due)

    async def _pair(self, http: aiohttp.ClientSession, pair: int) -> None:
        """Chat, again and again, until the end."""
        while not self._over.is_set():
            chat = PairedChat(f"load {self._run} {pair}", self._clock())
            await self._chat(http, chat)
            if not chat.done.is_set():
                await self._wait(RETRY_S)

    async def _chat(self, http: aiohttp.ClientSession, chat: PairedChat) -> None:
        """Hold one chat with two new connections."""
        async with (
            Client(self._url, http=http, patience=PATIENCE_S) as one,
            Client(self._url, http=http, patience=PATIENCE_S) as two,
        ):
            sides = [asyncio.create_task(self._side(me, chat)) for me in (one, two)]
            ends = [*sides, asyncio.create_task(chat.done.wait())]
            over = asyncio.create_task(self._drained(chat))
            try:
                await asyncio.wait([*ends, over], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*ends, over):
                    task.cancel()
                results = await asyncio.gather(*ends, over, return_exceptions=True)
        for failed in (one for one in results if isinstance(one, Exception)):
            raise failed
        if chat.said:
            self.figures.errors["line lost"] += len(chat.said)
        elif chat.done.is_set() and chat.whole and not self._over.is_set():
            self.figures.chats += 1

    async def _drained(self, chat: PairedChat) -> None:
        """Wait for the end of the test, and longer where lines are under way."""
        await self._over.wait()
        if chat.met:
            await asyncio.sleep(DRAIN_S)

    async def _side(self, me: Client, chat: PairedChat) -> None:
        """Be one of the two, until the chat or the connection ends, or no match comes."""
        errors, speaking = self.figures.errors, None
        limit = asyncio.timeout(2 * PATIENCE_S)
        try:
            async with limit:
                async for event in me:
                    match event:
                        case Hello() if me.connects == 1:
                            self._count("connect", chat.since)
                            chat.asked = self._clock()
                            await me.find([chat.topic], **self._options.wishes)
                        case Matched() if chat.topic not in event.common:
                            errors["met another user"] += 1
                            return
                        case Matched():
                            limit.reschedule(None)
                            chat.met = True
                            self._count("match", chat.asked)
                            speaking = asyncio.create_task(self._speak(me, chat))
                        case Message():
                            if (since := chat.settle(event.text)) is not None:
                                self._count("line", since)
                        case NotSent():
                            errors[f"line not sent: {event.code}"] += 1
                            chat.whole = False
                            chat.settle(event.text)
                        case Error():
                            errors[f"{event.of or 'connection'} refused: {event.code}"] += 1
                        case Dropped():
                            errors[f"connection dropped: {event.status or event.code}"] += 1
                        case Left():
                            errors[f"chat ended: {event.by}"] += 1
                            return
                        case Closed():
                            errors[f"connection closed: {event.reason}"] += 1
                            return
        except TimeoutError:
            errors["no match"] += not self._over.is_set()
        except Disconnected as error:
            errors[f"connection closed: {error.closed.reason}"] += 1
        finally:
            if speaking is not None:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)

    async def _speak(self, me: Client, chat: PairedChat) -> None:
        """Say the lines, with pauses of random length."""
        for _ in range(self._options.lines):
            await self._wait(self._options.pause * random.uniform(0.5, 1.5))
            if self._over.is_set():
                break
            self._lines += 1
            text = f"line {self._lines} of {self._run}"
            chat.said[text] = self._clock()
            try:
                await me.say(text)
            except (NoChat, Disconnected):  # `_side` learns why
                del chat.said[text]
                return
        chat.speakers -= 1
        chat.check()

    def _count(self, what: str, since: float) -> None:
        if self.figures.open:
            getattr(self.figures, what).add(self._clock() - since)


def allow_files(count: int) -> None:
    """Raise this process's limit of open files. Raises OSError if the system does not allow so many. Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise OSError(f"{count} open files are needed, and the system allows {hard} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


async def load(url: str, options: LoadOptions, as_json: bool) -> int:
    """Run a test until its end or Ctrl-C, and print its figures. Return 1 if there was no chat, or a line was lost."""
    try:
        allow_files(options.users + SPARE_FILES)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    test = LoadTest(url, options)
    logging.getLogger("serendip_client").setLevel(
        logging.ERROR
    )  # the table counts what it would say of each connection
    if sys.platform != "win32":  # Ctrl-C ends the program there, without figures
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, test.stop)
    print(
        f"{options.users} users at {url}, for {options.seconds:g} s once all have come; Ctrl-C ends it with figures",
        file=sys.stderr,
    )
    figures = (await test.run()).summary()
    asked = {"url": url, "users": options.users, "lines_per_user": options.lines, "pause_s": options.pause}
    print(json.dumps(asked | figures) if as_json else table(figures))
    if any(name.startswith(LIMITED) for name in figures["errors"]):
        print(
            "The server's limits for one address refused a part: its figures are those of the limits (SERENDIP_LIMITS__ENABLED=false there).",
            file=sys.stderr,
        )
    if not figures["chats"] and options.seconds < 2 * options.lines * options.pause:
        print(
            f"A chat takes some {options.lines * options.pause:g} s (--lines times --pause), and none ended: choose --seconds above its double.",
            file=sys.stderr,
        )
    return int(not figures["chats"] or "line lost" in figures["errors"])
