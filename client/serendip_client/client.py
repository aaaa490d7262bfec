"""Provide `Client`, one user of a server: find partners, send and receive messages, and reconnect automatically.

**Invariant:** the caller reads one stream of events across reconnections; each received message is in it once, in order, and each sent line leads
to exactly one `Sent` or `NotSent`. All queues are bounded, and a call raises Disconnected if no further connection will be attempted.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Final, Unpack

import aiohttp

from serendip_client import events, frames
from serendip_client.backoff import Backoff
from serendip_client.commands import Commands
from serendip_client.connection import PATIENCE, Connection, Said
from serendip_client.disconnects import Disconnected, Ending, NoChat
from serendip_client.events import (
    Challenge,
    Closed,
    Error,
    Event,
    Left,
    Matched,
    Message,
    NotSent,
    Partner,
    Picture,
    Sent,
    Snap,
    Solved,
    Upload,
    Waiting,
)
from serendip_client.frames import Wishes, encoded
from serendip_client.heartbeat import Socket
from serendip_client.inbox import Inbox
from serendip_client.outbox import Line, Outbox
from serendip_client.pictures import Answers, Camera, SentPictures
from serendip_client.protocol import CLOSING, REFUSED_KEPT, SENT_BYTES
from serendip_client.puzzles import ALTCHA, Puzzles
from serendip_client.search import Search
from serendip_client.site_address import client_address
from serendip_client.standing_search import Policy, Shows, Solves, StandingSearch, log_notice

OUTBOX_MAX: Final = (
    REFUSED_KEPT * 3 // 4
)  # unconfirmed messages; the server reports the refused among the last REFUSED_KEPT
ANSWERS_WITHIN: Final = 2.0  # seconds that `close` waits for outstanding answers
LEAVE: Final = encoded({"type": "leave"})


class Client(Commands):
    """One user's client. Use it as `async with`; iterate over it for events until `Closed`. `url`: of the site or its WebSocket.

    `patience`: as in Connection. `heartbeat`: seconds of silence before a ping, None: never; in a chat a third of the grace period at most, so that
    a dead connection is replaced while the partner waits. `pictures`: returns the pictures that a `Snap` requests (`pictures.Shown`); without it
    each is answered by `camera`. `solves`: solve puzzles (`Challenge` of kind `altcha`) internally, without an event.
    """

    def __init__(
        self,
        url: str,
        *,
        http: aiohttp.ClientSession | None = None,
        backoff: Backoff | None = None,
        headers: dict[str, str] | None = None,
        heartbeat: float | None = 20.0,
        patience: float | None = PATIENCE,
        pictures: Camera | None = None,
        solves: bool = True,
    ) -> None:
        self.url = url = client_address(url)
        self.chat: Matched | None = None
        self.online = 0
        self.grace = 0.0
        self.connects = 0  # successful connections so far
        self.partner_away = False  # whether the partner's connection is down, as last reported
        self._http = http
        self._own_http = http is None
        self._connection = Connection(
            url, self._waits, lambda: self._inbox.is_full(), headers, heartbeat, patience, backoff or Backoff()
        )
        self._answers = Answers(url, pictures, self.no_snap)
        self._pictures = SentPictures(url, self._ask_for_key)
        self._socket: Socket | None = None
        self._ready = asyncio.Event()  # the session is established and frames may be sent, or the client has ended
        self._room = asyncio.Event()  # an outbox entry was settled, or the client has ended
        self._standing_search = StandingSearch(self)
        self._inbox = Inbox(self._standing_search.hear)
        self._outbox = Outbox()
        self._ids = count(1)
        self._token: str | None = None
        self._next_token = ""
        self._last = 0
        self._search = Search(self._ask)
        self._puzzles = Puzzles(self.solve, self._unsolved) if solves else None
        self._challenged: Error | None = (
            None  # a refused search, held back until the challenge that it waits for is known
        )
        self._challenge_told = False  # a challenge was delivered, and its refusal of a search is still to come
        # the last chat that is over for this side: `leave` has no answer, and what was heard may be lost with a host
        self._leaving: str | None = None
        self._quits = False  # `leave` was called while no session was established
        self._allows: bool | None = None  # whether this side allows pictures in this chat; None: it said nothing
        self._closed: Closed | None = None  # the final event, as soon as it is known
        self._ended = False  # the final event was read
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Client":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> "Client":
        return self

    async def __anext__(self) -> Event:
        if self._ended:
            raise StopAsyncIteration
        event = await self._inbox.get()
        self._ended = type(event) is Closed
        return event

    async def next(self, *kinds: type) -> Any:
        """Return the next event of one of `kinds` and drop others before it. Raises Disconnected if the client ends first."""
        async for event in self:
            if type(event) in kinds:
                return event
        raise Disconnected(self._closed or Closed(1006, "closed"))

    # lifecycle

    async def start(self) -> None:
        """Connect, and stay connected until `close`."""
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._task = asyncio.get_running_loop().create_task(self._stay(self._http))

    async def close(self) -> None:
        """End the client: wait for outstanding answers first, then disconnect, so that the partner learns of it at once."""
        if self._ready.is_set() and len(self._outbox):
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWERS_WITHIN):
                    while len(self._outbox) and self._closed is None:
                        await self._settled()
        socket, task, self._task = self._socket, self._task, None
        self._end(Closed(1000, "closed by this side"))
        if socket is not None:
            await socket.close(code=1000)
        try:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        finally:
            await self._answers.close()
            await self._pictures.close()
            if self._puzzles is not None:
                await self._puzzles.close()
            if self._own_http and self._http is not None:
                await self._http.close()
                self._http = None

    # user actions

    async def find(self, interests: Sequence[str] = (), **wishes: Unpack[Wishes]) -> None:
        """Search for a partner, leaving the current chat first.

        If the server refuses the search for a time (`Error` of `find` with `retry_after`), the client repeats it afterwards; a refusal
        without it requires an action of the caller. Raises Disconnected; TypeError for an unknown wish, ValueError for a value that the
        protocol does not allow.
        """
        frame = frames.find(interests, wishes)
        self._standing_search.end()
        await self._find(frame)

    async def search(
        self,
        interests: Sequence[str] = (),
        *,
        again: bool = False,
        notice: Shows = log_notice,
        challenge: Solves | None = None,
        **wishes: Unpack[Wishes],
    ) -> None:
        """Search as `find`, whatever the server asks first; `again`: after each chat that the partner ends too.

        `notice` shows one, which counts as read when it returns, but for False; `challenge` returns the response to a challenge for people. A
        refusal that no answer lifts is logged, and an `Error` as ever.
        """
        frame = frames.find(interests, wishes)
        self._standing_search.begin(Policy(lambda: self._find(frame), again, notice, challenge))
        await self._find(frame)

    async def _find(self, frame: bytes) -> None:
        self._search.begin(frame)
        self._quits = False
        await self._part(frame)

    async def say(self, text: str) -> str:
        """Send a message; wait while too many are unconfirmed. Return the id that `Sent` or `NotSent` will carry.

        Raises NoChat, Disconnected, and UnicodeEncodeError for a lone surrogate.
        """
        text.encode()
        while len(self._outbox) >= OUTBOX_MAX:
            await self._settled()
        if self._closed is not None:
            raise Disconnected(self._closed)
        if self.chat is None:
            raise NoChat
        line = self._outbox.add(f"{next(self._ids):x}", text)
        if self._ready.is_set() and self._socket is not None:
            await self._say(self._socket, line)
        return line.id

    async def allow_pictures(self, allow: bool = True) -> None:
        """Allow pictures in this chat, which asks the partner for them too; or allow them no more. It is repeated after a resume."""
        self._allows = allow
        await self._send({"type": "pictures", "allow": allow})

    async def send_picture(self, picture: bytes) -> str:
        """Send a JPEG to the partner, once both allow pictures. Return the id that `Picture`, or `Error` in `fields`, will carry.

        Raises ValueError for one that is too large.
        """
        if len(picture) > SENT_BYTES:
            raise ValueError(f"send_picture: {len(picture)} bytes, more than {SENT_BYTES}")
        id = f"p{next(self._ids):x}"
        self._pictures.add(id, picture)
        await self._send({"type": "picture", "id": id})
        return id

    async def fetch_picture(self, key: str) -> bytes | None:
        """Return a picture of the chat, by the key of its `Picture`; None: it is unknown, or the chat is over."""
        await self._standing()
        return await self._pictures.fetch(key, self._http) if self._http is not None else None

    async def typing(self, typing: bool) -> None:
        """Report that the user types, or stopped; ignored while disconnected."""
        if self._ready.is_set() and self._socket is not None:
            await self._write(self._socket, encoded({"type": "typing", "typing": typing}))

    async def leave(self) -> None:
        """Leave the chat, or stop searching."""
        self._standing_search.end()
        self._search.end()
        self._quits = not self._ready.is_set()
        await self._part(LEAVE)

    async def _send(self, body: Mapping[str, Any]) -> None:
        """Send a frame once a session is established; it is lost if the connection drops meanwhile. Raises Disconnected."""
        await self._write(await self._standing(), encoded(body))

    async def _ask_for_key(self, id: str) -> None:
        """Ask for another key of a picture, unless the client ended."""
        with suppress(Disconnected):
            await self._send({"type": "picture", "id": id})

    async def _part(self, frame: bytes) -> None:
        """Leave the chat by sending `frame`, now or once a session is established. Raises Disconnected."""
        await self._over("left")
        if self._ready.is_set() and self._socket is not None:
            await self._write(self._socket, frame)
        else:
            await self._standing()

    async def _standing(self) -> Socket:
        """Wait for an established session and return its connection. Raises Disconnected."""
        if self._task is None and self._closed is None:
            raise RuntimeError("the client was not started: use it as `async with Client(url) as me`")
        while self._closed is None:
            await self._ready.wait()
            if self._closed is None and self._socket is not None:
                return self._socket
        raise Disconnected(self._closed)

    async def _settled(self) -> None:
        """Wait until an outbox entry is settled; the inbox accepts events meanwhile, even if it is full."""
        self._room.clear()
        with self._inbox.opened():
            await self._room.wait()

    async def _ask(self, frame: bytes) -> None:
        """Send a search if a session is established; else it is sent once there is one."""
        if self._ready.is_set() and self._socket is not None:
            await self._write(self._socket, frame)

    async def _write(self, socket: Socket, frame: bytes) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):
            await socket.send_frame(frame, aiohttp.WSMsgType.TEXT)

    async def _say(self, socket: Socket, line: Line) -> None:
        self._outbox.number(line)
        await self._write(socket, encoded({"type": "message", "text": line.text, "id": line.id}))

    # connection

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        """Stay connected; report the end, whatever its cause."""
        try:
            last = await self._connection.stay(http, self._opened, self._hear, self._dropped)
            self._end(Closed(last.code, f"{self.url}: {last.reason}", last.status, last.body))
        except Exception as error:
            self._end(Closed(1006, f"the client failed: {error!r}"))
            raise

    def _waits(self) -> float:
        """Return for how many seconds a partner waits for this client; 0: none does."""
        return 0.0 if self.chat is None else self.grace

    async def _opened(self, socket: Socket) -> None:
        """Handle a new connection: a returning client's first frame is `resume`."""
        self._socket = socket
        if self._token is not None:
            of = {} if self.chat is None else {"chat": self.chat.chat}
            await self._write(socket, encoded({"type": "resume", "token": self._token, "last": self._last, **of}))

    async def _dropped(self, end: Ending, after: float) -> None:
        self._ready.clear()
        self._socket = None
        await self._inbox.put(events.Dropped(end.code, after, end.reason, end.status))

    def _end(self, closed: Closed) -> None:
        """End the client: report unanswered lines and the final event, and wake all waiting calls."""
        if self._closed is not None:
            return
        self._closed, self.chat, self._socket = closed, None, None
        self._standing_search.end()
        self._search.end()
        for line in self._outbox.part():
            self._inbox.put_last(NotSent(line.id, line.text, "closed"))
        for line in self._outbox.forget():
            self._inbox.put_last(NotSent(line.id, line.text, "unknown"))
        self._inbox.put_last(closed)
        self._ready.set()
        self._room.set()

    async def _hear(self, socket: Socket, frame: dict[str, Any]) -> None:
        """Handle one frame."""
        kind = frame["type"]
        if kind == "message":
            if self.chat is not None and frame["seq"] > self._last:
                self._last = frame["seq"]
                await self._inbox.put(Message(frame["seq"], frame["text"], frame.get("from")))
        elif kind == "hello":
            await self._greeted(socket, frame)
        elif kind == "resumed":
            await self._resumed(socket, frame)
        elif kind == "error":
            await self._refused(socket, events.error(frame))
        elif (read := events.READ.get(kind)) is not None:  # else a frame type of a newer server
            await self._told(read(frame))

    async def _told(self, event: Event) -> None:
        """Handle an event that needs no frame in reply."""
        if type(event) is Sent:
            self._settle(event.id)
        elif type(event) is Matched:
            await self._over("left")
            self.chat = event
            self._last = 0
            self._search.end()
            self._leaving = None
        elif type(event) is Waiting:
            await self._over("left")
            self._search.wait()
            self._leaving = None
        elif type(event) is Left:
            if self.chat is None:
                return  # this side left at the same time
            await self._over("lost")
        elif type(event) is Partner:
            if event.state in ("away", "back"):
                self.partner_away = event.state == "away"
        elif type(event) is Snap:
            self._answers.begin(event, self._http)
        elif type(event) is Upload:
            self._pictures.begin(event, self._http)
        elif type(event) is Picture and event.id is not None:
            self._pictures.settle(event.id)
        elif type(event) in (Challenge, Solved) and await self._puzzled(event):
            return
        await self._inbox.put(event)

    async def _puzzled(self, event: Event) -> bool:
        """Whether an event belongs to a puzzle that this client solves; a challenge for the user is delivered, followed by its refusal."""
        puzzles = self._puzzles
        if puzzles is not None and type(event) is Challenge and event.kind == ALTCHA:
            self._challenged = None
            puzzles.begin(event)
            return True
        if puzzles is not None and type(event) is Solved and puzzles.open:
            puzzles.open, self._challenged = False, None
            await self._search.repeat()
            return True
        if type(event) is Challenge:
            await self._unsolved(event)
            return True
        return False

    async def _unsolved(self, asked: Challenge) -> None:
        """Deliver a challenge that the user must solve, and then the refusal of the search that waits for it."""
        refused, self._challenged = self._challenged, None
        self._challenge_told = refused is None
        await self._inbox.put(asked)
        if refused is not None:
            self._search.refuse(None, False)
            await self._inbox.put(refused)

    async def _greeted(self, socket: Socket, frame: dict[str, Any]) -> None:
        self.online, self.grace = frame["online"], frame["grace"]
        self.connects += 1
        self._connection.backoff.reset()
        self._next_token = frame["token"]
        if self._token is None:
            self._token = self._next_token
            await self._stands(socket)
        await self._inbox.put(events.READ["hello"](frame))

    async def _stands(self, socket: Socket) -> None:
        """Mark the session as established; send the pending search and unsent lines."""
        if self._search.asked is not None:
            await self._write(socket, self._search.asked)
        while (unsent := next(self._outbox.unsent(), None)) is not None:
            await self._say(socket, unsent)
        self._quits = False
        self._ready.set()

    async def _resumed(self, socket: Socket, frame: dict[str, Any]) -> None:
        """Continue the resumed session: missed messages follow, lines that the server did not receive are sent again."""
        self._token = self._next_token
        chat = frame["chat"]
        left = chat is not None and chat == self._leaving
        if chat is not None and self.chat is not None and chat != self.chat.chat:
            await self._over("lost")
        known = chat is not None and (self.chat is not None or left)
        if chat is not None and not left and not self._quits:
            self._last = self._last if known else 0
            self.chat, self._leaving = events.matched(frame), None
        sent = tuple(map(events.picture, frame.get("album", {}).get("sent", ())))
        self._pictures.settle_keys({picture.key for picture in sent})
        reactions = tuple(map(events.react, frame.get("reactions", ())))
        await self._inbox.put(events.Resumed(chat, frame["missed"], reactions, sent))
        if chat is None:
            await self._told(Left("lost"))  # the frame that ended it was lost
        if known:
            await self._recount(frame["taken"], frozenset(frame.get("refused", ())), left)
        await self._not_sent(self._outbox.forget(), "unknown")
        if self._puzzles is not None and self._puzzles.open:
            self._search.lose()  # the solution or its answer may be lost
        if known and self.partner_away:
            # the partner may have returned meanwhile; if not, `away` follows
            self.partner_away = False
            await self._inbox.put(Partner("back", None))
        elif chat is not None and not known and not self._quits:
            # the `matched` frame was lost
            self._search.end()
            await self._inbox.put(events.matched(frame))
        if known and not left and self._allows is not None:
            # the last word may have been lost
            await self._write(socket, encoded({"type": "pictures", "allow": self._allows}))
        if (left or self._quits) and self._search.asked is None:
            await self._write(socket, LEAVE)
        await self._stands(socket)

    async def _recount(self, taken: int, refused: frozenset[int], left: bool) -> None:
        """Report what the server received of the lines in flight. `left`: they are of the chat that this side left meanwhile."""
        if left:
            delivered, lost, never = self._outbox.resume_behind(taken, refused)
        else:
            (delivered, lost), never = self._outbox.resume(taken, refused), []
        self._room.set()
        for line in delivered:
            await self._inbox.put(Sent(line.id, None))
        await self._not_sent(lost, "refused")
        await self._not_sent(never, "left")

    async def _refused(self, socket: Socket, event: Error) -> None:
        if event.of == "resume" and event.code == "no_session":
            # the server has forgotten the session: this connection continues as a new one
            self._token = self._next_token
            if self.chat is not None:
                await self._over("lost")
                await self._inbox.put(Left("lost"))
            await self._not_sent(self._outbox.forget(), "unknown")
            self._leaving = None
            self._search.lose()
            await self._stands(socket)
            return
        if event.of == "message" and (line := self._settle(event.fields.get("id"))) is not None:
            await self._inbox.put(NotSent(line.id, line.text, event.code, event.retry_after))
            return
        if event.code == "challenge" and self._puzzles is not None and await self._postponed(self._puzzles, event):
            return
        if event.of == "picture":
            self._pictures.settle(str(event.fields.get("id")))
        if event.of == "find":
            self._search.refuse(event.retry_after, event.code in CLOSING)
        if event.code in CLOSING:
            self._connection.said = Said(event.retry_after, event.message)
        await self._inbox.put(event)

    async def _postponed(self, puzzles: Puzzles, event: Error) -> bool:
        """Whether a search refused because of a challenge is handled here, at least until the kind of challenge is known."""
        if event.of == "solution" and puzzles.open:  # it has expired: the search brings the next one
            await self._search.repeat()
            return True
        if event.of == "find" and not self._challenge_told:
            self._search.hold()
            self._challenged = event
            return True
        self._challenge_told = False
        return False

    def _settle(self, id: str | None) -> Line | None:
        line = self._outbox.settle(id)
        self._room.set()
        return line

    async def _over(self, code: str) -> None:
        """End the chat and report the lines that were never sent."""
        if self.chat is not None:
            self._leaving = self.chat.chat
            self.chat = None
            self._last = 0
            self.partner_away = False
            self._pictures.forget()
            self._allows = None
            await self._not_sent(self._outbox.part(), code)

    async def _not_sent(self, lines: Iterable[Line], code: str) -> None:
        for line in lines:
            await self._inbox.put(NotSent(line.id, line.text, code))
        self._room.set()
