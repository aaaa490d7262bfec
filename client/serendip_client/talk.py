"""Runs a chat in a terminal or a pipe: `serendip talk https://chat.example`, or `python -m serendip_client talk` with the client alone.

In a terminal the user types, sees when the partner types, and has the commands of HELP. In a pipe each line of the input is a message, which waits
for a chat; standard output has the stranger's lines alone. The program ends with the chat, or when the input has ended and all of it is delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, get_args

from serendip_client.client import Client
from serendip_client.disconnects import Disconnected, NoChat
from serendip_client.events import (
    Blocked,
    Challenge,
    Closed,
    Dropped,
    Error,
    Event,
    Hello,
    Left,
    Matched,
    Message,
    Notice,
    NotSent,
    Partner,
    React,
    Reported,
    Resumed,
    Saved,
    Sent,
    Tip,
    Typing,
    Waiting,
)
from serendip_client.frames import Wishes
from serendip_client.protocol import Reason
from serendip_client.terminal import NEWS, OWN, STRANGER, WARNING, Pipe, Screen, Terminal, safe, standard_screen

TYPING_S: Final = 3.0  # seconds without a key after which the user no longer types
AVOIDED: Final = 16  # tokens of blocked users that a search takes
REASONS: Final = get_args(Reason)
HELP: Final = """\
/next            another stranger (also with Enter, after a chat)
/topics a, b     search by other topics from now on; without any: by none
/leave           leave, and stay here
/report REASON   report the stranger: {reasons}; a note may follow
/block           never meet this stranger again, for as long as this runs
/save            save the chat at an address, where the server offers it
/quit            end (also Ctrl-D)
//text           say a line that begins with a slash""".format(reasons=", ".join(REASONS))
ENDED: Final = {
    "stranger": "The stranger left.",
    "moderation": "The stranger was removed by moderation.",
    "lost": "The stranger is gone.",
}
UNHEARD: Final = ("left", "lost", "no_chat")  # codes of lines that no partner got
STATES: Final = {
    "away": "The stranger's connection dropped; they may come back within {within:.0f} s.",
    "back": "The stranger is back.",
    "asked": "The stranger is asked for their age; nothing passes until then.",
    "paused": "The stranger's first lines wait a moment; yours too.",
}


@dataclass
class TalkOptions:
    """The search, and the end of the program. `again`: search again after each chat; `stay`: go on listening when the input has ended."""

    topics: list[str] = field(default_factory=list)
    wishes: Wishes = field(default_factory=lambda: Wishes())
    again: bool = False
    stay: bool = False


class Talk:
    """One user at a screen."""

    def __init__(self, me: Client, screen: Screen, options: TalkOptions) -> None:
        self._me = me
        self._screen = screen
        self._options = options
        self._talking = asyncio.Event()  # there is a chat
        self._told = asyncio.Event()  # a line was confirmed or refused
        self._open: set[str] = set()  # lines that are neither
        self._unheard: deque[str] = deque()  # lines of a pipe that the next stranger gets, since the last one was gone
        self._notices: list[str] = []  # ids that the user has not confirmed
        self._refused = False  # a search was refused because of a notice
        self._asked_age = False
        self._avoid: list[str] = []
        self._types: asyncio.TimerHandle | None = None
        self._greeted = False

    async def run(self) -> int:
        """Talk until the user ends it, or the chat or connection ends. Return the program's status."""
        self._screen.watch(self._typed)
        await self._find()
        typing = asyncio.create_task(self._read())
        events = asyncio.create_task(self._events())
        try:
            done, _ = await asyncio.wait((typing, events), return_when=asyncio.FIRST_COMPLETED)
            return max(one.result() for one in done)
        finally:
            for one in (typing, events):
                one.cancel()
            await asyncio.gather(typing, events, return_exceptions=True)
            if self._types is not None:
                self._types.cancel()

    # the user

    async def _read(self) -> int:
        """Say lines and follow commands until the input ends."""
        with contextlib.suppress(Disconnected):  # `_events` says why
            while (line := await self._screen.read()) is not None:
                if line.startswith("/") and not line.startswith("//"):
                    if not await self._command(*line[1:].partition(" ")[::2]):
                        return 0
                else:
                    await self._line(line.removeprefix("/") if line.startswith("//") else line)
            if self._options.stay and not self._screen.live:
                await asyncio.Event().wait()
            while self._open or self._unheard:
                self._told.clear()
                await self._told.wait()
            return 0
        await asyncio.Event().wait()
        return 1

    async def _line(self, text: str) -> None:
        if not text.strip():
            if self._screen.live and self._me.chat is None:
                await self._find()
        elif not self._screen.live:
            await self._talking.wait()
            while not await self._say(text):  # the chat ended, and `_events` is about to read it
                self._talking.clear()
                await self._talking.wait()
        elif await self._say(text):
            self._stop_typing(False)
            self._screen.show(f"You: {safe(text)}", OWN)
        else:
            self._news("You are in no chat. Enter searches.")

    async def _say(self, text: str) -> bool:
        """Say a line. Return False if there is no chat."""
        try:
            self._open.add(await self._me.say(text))
        except NoChat:
            return False
        return True

    async def _say_unheard(self) -> None:
        """Say what the last stranger did not get, before any other line."""
        while self._unheard and await self._say(self._unheard[0]):
            self._unheard.popleft()

    async def _command(self, name: str, rest: str) -> bool:
        """Follow a command. Return False to end."""
        if name in ("quit", "q", "exit"):
            return False
        if name in ("next", "n"):
            await self._find()
        elif name == "topics":
            self._options.topics = topics(rest)
            self._news(f"Topics: {', '.join(self._options.topics) or 'none'}. They hold from the next search on.")
        elif name == "leave":
            await self._me.leave()
            self._over("You left.")
        elif name == "report":
            await self._report(*rest.strip().partition(" ")[::2])
        elif name == "block":
            await self._me.block()
        elif name == "save":
            await self._me.save()
        elif name == "ok":
            await self._confirm()
        elif name in ("adult", "minor"):
            await self._age(name)
        else:
            self._screen.show(HELP, NEWS)
        return True

    async def _report(self, reason: str, note: str) -> None:
        if reason not in REASONS:
            self._news(f"/report and one of: {', '.join(REASONS)}")
            return
        await self._me.report(reason, note.strip())  # type: ignore[arg-type]  # it is one of Reason

    async def _confirm(self) -> None:
        """Confirm the notices that were shown, and repeat the search that was refused for them."""
        for ident in self._notices:
            await self._me.seen(ident)
        self._notices.clear()
        if self._refused:
            await self._find()

    async def _age(self, answer: str) -> None:
        if self._asked_age:
            self._asked_age = False
            await self._me.solve("age", answer)
        elif answer == "adult":
            self._options.wishes["adult"] = True
            await self._find()

    async def _find(self) -> None:
        self._refused = False
        self._over("")
        wishes = Wishes(**self._options.wishes)
        if self._avoid:
            wishes["avoid"] = self._avoid[-AVOIDED:]
        try:
            await self._me.find(self._options.topics, **wishes)
        except Disconnected:  # `_events` says why
            return
        about = f" by {', '.join(self._options.topics)}" if self._options.topics else ""
        self._news(f"Searching{about}.")

    def _typed(self, text: str) -> None:
        """Tell the partner that the user types, until they pause."""
        if self._me.chat is None or not text or text.startswith("/"):
            self._stop_typing(True)
            return
        if self._types is None:
            self._send_typing(True)
        else:
            self._types.cancel()
        self._types = asyncio.get_running_loop().call_later(TYPING_S, self._stop_typing, True)

    def _stop_typing(self, told: bool) -> None:
        """Note that the user types no longer. `told`: the partner has to be told, since no line says it."""
        if self._types is not None:
            self._types.cancel()
            self._types = None
            if told:
                self._send_typing(False)

    def _send_typing(self, typing: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._me.typing(typing))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    # the server

    async def _events(self) -> int:
        """Show events until the connection ends, or, in a pipe, the chat."""
        async for event in self._me:
            match event:
                case Closed():
                    self._screen.show(f"Closed: {safe(event.reason)}", WARNING)
                    return 0 if event.code == 1000 else 1
                case Left():
                    self._over(ENDED.get(event.by, "The chat is over."))
                    if self._options.again:
                        await self._find()
                    elif not self._screen.live:
                        return 0
                    else:
                        self._news("Enter: another one. /help: what else there is.")
                case Notice():
                    await self._noticed(event)
                case Challenge():
                    self._challenged(event)
                case Error():
                    await self._error(event)
                case Matched():
                    self._matched(event)
                    await self._say_unheard()
                    self._talking.set()
                case _:
                    self._show(event)
        return 1

    def _show(self, event: Event) -> None:
        """Show an event that needs no answer."""
        match event:
            case Message():
                self._screen.sign("")
                self._screen.show(f"Stranger: {safe(event.text)}", STRANGER)
            case Typing():
                self._screen.sign("the stranger types" if event.typing else "")
            case Sent() | NotSent():
                self._settled(event)
            case Hello():
                if not self._greeted:
                    self._news(f"Connected to {self._me.url}; {event.online} here. /help says what you can do.")
                self._greeted = True
            case Waiting():
                if event.others and event.accepts == "anyone":
                    self._news("Users of other languages are waiting.")
            case Partner():
                self._screen.sign("")
                self._news(STATES.get(event.state, event.state).format(within=event.within or 0))
            case React():
                if not event.own:
                    self._news(f"The stranger: {event.face or 'no reaction'} at line {event.seq}.")
            case _:
                self._show_answer(event)

    def _show_answer(self, event: Event) -> None:
        """Show the answer to a command, or a word about the connection."""
        match event:
            case Reported():
                self._news(f"Reported.{f' What comes of it: {self._page(event.receipt)}' if event.receipt else ''}")
                self._numbers(event.help)
            case Blocked():
                self._avoid.append(event.token)
                self._news("You will not meet this stranger again while this runs.")
            case Saved():
                self._news(f"Saved: {event.url} (delete it: {event.delete})")
            case Tip():
                self._news(f"A program's hint about line {event.seq}: {event.kind}.")
                self._numbers(event.numbers)
            case Dropped():
                self._screen.sign("")
                self._news(f"Not connected ({safe(event.reason) or event.code}); again in {event.after:.1f} s.")
            case Resumed():
                self._news("Connected again." if event.chat is None else "Connected again, in the same chat.")
            case _:
                pass  # nothing that a user of a terminal acts on

    def _settled(self, event: Sent | NotSent) -> None:
        """Note a line's fate. One that surely reached no stranger, because the chat was over, waits for the next one in a pipe."""
        self._open.discard(event.id)
        if type(event) is NotSent:
            if event.code in UNHEARD and self._options.again and not self._screen.live:
                self._unheard.append(event.text)
            else:
                self._screen.show(f"Not sent ({event.code}): {safe(event.text)}", WARNING)
        self._told.set()

    def _matched(self, event: Matched) -> None:
        common = ", ".join(map(safe, event.common))
        self._news(f"You talk to a stranger. {f'In common: {common}.' if common else 'Nothing named in common.'}")
        if event.college:
            self._news(f"They are at {safe(event.college)}.")

    def _numbers(self, lines: tuple[object, ...]) -> None:
        """Show help lines."""
        for line in lines:
            if isinstance(line, dict):
                self._screen.show(safe("  ".join(map(str, line.values()))), WARNING)

    async def _noticed(self, notice: Notice) -> None:
        """Show a notice, which has to be read before the next search. A pipe has no user to ask, so a written notice counts as read."""
        self._screen.show(f"From the moderators: {safe(notice.reason)} ({notice.rule}, {notice.day})", WARNING)
        self._screen.show(f"Reasons and appeal: {self._page(notice.appeal)}", WARNING)
        self._notices.append(notice.id)
        if self._screen.live:
            self._news("/ok: I have read it.")
        else:
            await self._confirm()

    def _challenged(self, asked: Challenge) -> None:
        """Say what a challenge wants. Puzzles are solved by the client, and do not come here."""
        if asked.kind == "age":
            self._asked_age = True
            self._news("You are asked for your age: /adult (18 or over) or /minor (under 18).")
        else:
            self._news(
                f"This server wants a challenge ({safe(asked.kind)}) that only a browser can show: open its page once."
            )

    async def _error(self, error: Error) -> None:
        """Say why something was refused, and what to do."""
        if error.of == "find" and error.code == "notice":
            self._refused = True
            if not self._notices:
                await self._find()
            return
        later = f" Again in {error.retry_after:.0f} s." if error.of == "find" and error.retry_after else ""
        self._screen.show(f"{safe(error.message)}{later}", WARNING)
        if error.code == "banned":
            self._banned(error.fields)
        if error.code == "adult":
            self._news("/adult says that you are 18 or over, and searches.")

    def _banned(self, ban: Mapping[str, Any]) -> None:
        """Say why, for how long, and where to appeal."""
        rule = f" ({safe(str(ban['rule']))})" if ban.get("rule") else ""
        until = ban.get("until")
        end = f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC" if until else "further notice"
        whose = "Your network is banned" if ban.get("network") else "You are banned"
        self._screen.show(f"{whose} until {end}{rule}. {safe(str(ban.get('reason', '')))}".rstrip(), WARNING)
        if ban.get("appeal"):
            self._screen.show(f"Reasons and appeal: {self._page(str(ban['appeal']))}", WARNING)

    def _over(self, text: str) -> None:
        """Note that there is no chat any more."""
        self._talking.clear()
        self._stop_typing(False)
        self._screen.sign("")
        if text:
            self._news(text)

    def _news(self, text: str) -> None:
        self._screen.show(f"* {text}", NEWS)

    def _page(self, path: str) -> str:
        """Return the address of a path on the site."""
        site = "http" + self._me.url.removeprefix("ws").removesuffix("/ws")
        return safe(path if "://" in path else f"{site}{path}")


def topics(text: str) -> list[str]:
    """Return topics that are separated by commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


async def talk(url: str, options: TalkOptions) -> int:
    """Talk at this process's terminal or pipe; return the program's status. `url`: of the WebSocket."""
    screen: Terminal | Pipe = standard_screen()
    with screen if isinstance(screen, Terminal) else contextlib.nullcontext():
        async with Client(url) as me:
            return await Talk(me, screen, options).run()
