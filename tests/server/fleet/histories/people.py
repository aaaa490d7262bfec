"""A user who says numbered lines, comes back after each drop as the protocol says, and checks all that they hear."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import orjson

from tests.ext.net.rig import CLOSE, TEXT, frame, head, split, whole_frames
from tests.server.fleet.processes.rig import Working

# Codes of errors, and of closes, that the life of a chat or of a host explains; each other one is a fault.
EXPLAINED: Final = ("replaced", "no_chat", "not_waiting", "no_session", "restart", "busy")
CLOSES: Final = (1000, 1001, 1012, 1013, 4009)
EARS: Final = 1 << 20  # bytes of one read
GOODBYE: Final = frame((1000).to_bytes(2), CLOSE)
PING: Final = frame(b'{"type":"ping"}')


class Broken(AssertionError):
    """What the service promises did not hold."""


class Person:
    """One client. `fault`: called with what was wrong; `may_be_lost`: whether what happened explains that the session is nowhere; `may_be_copy`:
    whether it explains that a copy is found, with the chat that the session had there.

    `chat`: in which they are, as they know it; `lines`: how many of theirs they said in it; `next`: the number of the partner's next line.
    """

    def __init__(
        self,
        name: str,
        fault: Callable[[str], None],
        may_be_lost: Callable[[Person], bool],
        may_be_copy: Callable[[Person], bool],
    ) -> None:
        self.name = name
        self._fault = fault
        self._may_be_lost = may_be_lost
        self._may_be_copy = may_be_copy
        self._sock: socket.socket | None = None
        self.at: tuple[int, str] | None = None  # the process that had the connection first
        self.gone_at = 0.0  # when the last connection that had the session ended, by the loop's clock
        self.new()
        self.heard = self.ends = self.resumed = 0
        self.pings = self.pongs = 0  # of this connection
        self._rest = b""  # of a frame that is sent in two pieces

    def new(self) -> None:
        """Forget the session: the next connection is a new user's."""
        self.token = ""
        self.ids: set[int] = (
            set()
        )  # of the session, which a tunnel knows by that of the connection with which it was resumed
        self.through: set[Working] = (
            set()
        )  # processes to which they connected: each may have had the session, or its tunnel
        self.session = self.fresh = 0  # ids: of the session, and of the one that its connection came with
        self.searching = False
        self._goes_on = False  # whether the session searched before it was resumed, or they were told to ask again
        self._repeats = False  # whether the last search was asked for while another one may go on: it ends a chat that comes of that
        self.resuming = False
        self._told_to = self._last = 0
        self._forget_chat()
        self._left = ""  # the last chat that is over for them: they leave it if they are resumed in it
        self._told = False  # whether they were told that it is over

    def _forget_chat(self) -> None:
        self.chat, self.partner = "", ""
        self.lines = self.next = self._last = 0

    @property
    def here(self) -> bool:
        """Whether there is a connection."""
        return self._sock is not None

    @property
    def ready(self) -> bool:
        """Whether a frame may be sent."""
        return self._sock is not None and not self.resuming and self.session != 0

    # what they do

    def connect(self, at: tuple[int, str], worker: Working) -> None:
        """Connect to a worker; resume the session, if there is one."""
        ours, sock = socket.socketpair()
        for end in (ours, sock):
            end.setblocking(False)
        self.at, self._sock = at, sock
        self.through.add(worker)
        self._data, self._begun = b"", False
        self._rest, self.pings, self.pongs = b"", 0, 0
        asyncio.get_running_loop().add_reader(sock, self._read)
        sock.send(head())
        if self.token:
            self.resuming = True
            self._ask("resume", token=self.token, last=self._last, **({"chat": self.chat} if self.chat else {}))
        worker.worker.reactor.adopt_socket(ours.detach(), "192.0.2.1")

    def close(self) -> None:
        """Say that they leave for good; the connection is to be dropped behind it."""
        if self.here:
            self._send(GOODBYE)

    def drop(self) -> None:
        """Lose the connection."""
        if self._sock is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._sock)
            self._sock.close()
            self._sock = self.at = None
            if not self.resuming:  # else the session waits since the connection before this one
                self.gone_at = loop.time()
            self.resuming = False

    def say(self) -> None:
        """Say the next line; without a connection it is sent after the resume. They say nothing in a chat that a repeated search may be ending:
        the next partner would hear it.
        """
        if self.chat and not self._repeats:
            self.lines += 1
            if self.ready:
                self._send_line(self.lines - 1)

    def trust(self) -> None:
        """Take the chat for that of the last search: no other one is on its way."""
        self._repeats = False

    def ping(self, first: int = 0) -> None:
        """Ask for an answer; `first`: of the frame only so many bytes are sent, the others before the next frame."""
        if self.ready:
            self.pings += 1
            self._send(PING[:first] if first else PING)
            self._rest = PING[first:] if first else b""

    def end_frame(self) -> None:
        """Send the rest of a frame."""
        if self._rest:
            self._send(b"")

    def find(self, word: str) -> None:
        """Search for anybody who searches for this word."""
        if self.ready and not self.chat and not self.searching:
            self.searching = True
            self._repeats, self._goes_on = self._goes_on, False
            self._ask("find", interests=[word], strict=True)

    def leave(self) -> None:
        """Leave the chat. (Who leaves a search may be in a chat already, and cannot know of which one a match tells.)"""
        if self.ready and self.chat:
            self._part(told=False)
            self._ask("leave")

    # what they hear

    def _send_line(self, number: int) -> None:
        self._ask("message", text=f"{self.chat} {self.name} {number}")

    def _ask(self, kind: str, **fields: Any) -> None:
        self._send(frame(orjson.dumps({"type": kind, **fields})))

    def _send(self, data: bytes) -> None:
        if self._sock is not None:
            data, self._rest = self._rest + data, b""
            with suppress(OSError):
                self._sock.send(data)

    def _read(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(EARS)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop()
            return
        self._data += data
        if not self._begun:
            if b"\r\n\r\n" not in self._data:
                return
            self._begun, self._data = True, self._data.partition(b"\r\n\r\n")[2]
        whole, self._data = whole_frames(self._data)
        for opcode, payload in split(whole):
            if opcode == TEXT:
                self._hear(orjson.loads(payload))
            elif opcode == CLOSE:
                if (code := int.from_bytes(payload[:2])) not in CLOSES:
                    self._fault(f"{self.name} is closed with {code}")
                self.drop()
                return

    def _hear(self, said: dict[str, Any]) -> None:
        kind = said["type"]
        if kind == "hello":
            self.fresh, self._fresh_token = int(said["session"], 16), said["token"]
            self.ids.add(self.fresh)
            if not self.resuming:
                self.session, self.token = self.fresh, self._fresh_token
        elif kind == "resumed":
            self._on_resumed(said)
        elif kind == "matched":
            if self.chat and not self._repeats:
                self._fault(f"{self.name} is matched in a chat")
            self._repeats = self._repeats and not self.chat
            self._forget_chat()
            self.chat, self.searching, self._left = said["chat"], False, ""
        elif kind == "message":
            self._on_line(said)
        elif kind == "pong":
            self.pongs += 1
            if self.pongs > self.pings:
                self._fault(f"{self.name} is answered more often than they asked")
        elif kind == "left":
            self._end()
        elif kind == "waiting":
            self._on_waiting()
        elif kind == "error":
            self._on_error(said)

    def _on_resumed(self, said: dict[str, Any]) -> None:
        if not self.resuming:
            self._fault(f"{self.name} is resumed unasked")
        chat, repeats = said["chat"], self._repeats
        self._goes_on, self._repeats = chat is None and (self.searching or repeats), False
        self.resuming, self.searching, self.token = False, False, self._fresh_token
        self.resumed += 1
        if chat is None:
            self._end()
        elif chat == self._left:
            if self._told and not self._may_be_copy(self):
                self._fault(f"{self.name} is resumed into a chat of which they were told that it is over")
            self._ask("leave")  # it was not heard, or was heard where the session is not any more
        elif chat != self.chat:
            if self.chat and not repeats and not self._may_be_copy(self):
                self._fault(f"{self.name} is resumed into another chat")
            self._forget_chat()
            self.chat, self._left = chat, ""
        if self.chat:
            taken = said["taken"]
            if taken > self.lines:
                self._fault(f"{taken} lines of {self.name} were taken, who said {self.lines}")
            for number in range(taken, self.lines):
                self._send_line(number)

    def _on_waiting(self) -> None:
        if self.chat and not self._repeats:
            self._fault(f"{self.name} waits in a chat")
        self._part(told=True)
        self.searching = True

    def _on_line(self, said: dict[str, Any]) -> None:
        chat, speaker, number = said["text"].split()
        if chat == self._left and chat != self.chat:
            return
        self.partner = self.partner or speaker
        if chat != self.chat or speaker != self.partner or speaker == self.name:
            self._fault(f"{self.name} in chat {self.chat} with {self.partner} hears {said['text']}, which is foreign")
        elif int(number) < self.next:
            self._fault(f"{self.name} hears {said['text']} twice")
        elif int(number) > self.next:
            self._fault(f"{self.name} misses {self.next} before {said['text']}")
        elif said["seq"] <= self._last:
            self._fault(f"{self.name} hears {said['text']} with the number {said['seq']} behind {self._last}")
        self.next, self._last = int(number) + 1, said["seq"]
        self.heard += 1

    def _on_error(self, said: dict[str, Any]) -> None:
        code = said["code"]
        if code not in EXPLAINED:
            self._fault(f"{self.name} is told {said}")
        if code == "no_session":
            self._goes_on = self.searching and not self.resuming
            if self.resuming:
                if not self._may_be_lost(self):
                    self._fault(f"{self.name} is told that their session is nowhere")
                self.session, self.token = self.fresh, self._fresh_token
            self.resuming = False
            self._end()
            self._left = ""

    def _end(self) -> None:
        self.ends += bool(self.chat)
        self.searching = False
        self._part(told=True)

    def _part(self, told: bool) -> None:
        """Note that the chat is over. `told`: by the server."""
        self._repeats = self._repeats and not (told and self.chat)
        self._left, self._told = self.chat or self._left, told
        self._forget_chat()
