"""Speak WebSocket by hand, blocking and byte-exact, for tests that control the boundaries of packets. Invariant: nothing is hidden."""

import json
import socket
from typing import Any

from tests.ext.net.rig import CLOSE, TEXT, frame, head

WAIT = 10.0  # seconds for an answer that must arrive


class Wire:
    """An open connection; `hello` is read at once."""

    def __init__(self, port: int, **fields: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), WAIT)
        self._data = b""
        self.sock.sendall(head(host=f"127.0.0.1:{port}", **fields))
        while b"\r\n\r\n" not in self._data:
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("no answer to the head")
            self._data += part
        answer, self._data = self._data.split(b"\r\n\r\n", 1)
        self.status = int(answer.split(b" ")[1])
        self.hello: dict[str, Any] = self.read() if self.status == 101 else {}

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *frames: dict[str, Any] | bytes) -> None:
        """Send frames in one packet: a dict as canonical JSON, bytes unchanged."""
        self.sock.sendall(b"".join(frame(said(part)) if isinstance(part, dict) else part for part in frames))

    def next(self) -> tuple[int, bytes]:
        """Return (opcode, payload) of the next frame."""
        while True:
            size = len(self._data)
            if size >= 2:
                length, at = self._data[1] & 0x7F, 2
                if length == 126:
                    length, at = int.from_bytes(self._data[2:4]) if size >= 4 else size, 4
                if size >= at + length:
                    opcode, payload = self._data[0] & 15, self._data[at : at + length]
                    self._data = self._data[at + length :]
                    return opcode, payload
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("the server hung up")
            self._data += part

    def read(self) -> dict[str, Any]:
        """Return the next text frame, decoded."""
        while True:
            opcode, payload = self.next()
            if opcode == TEXT:
                body: dict[str, Any] = json.loads(payload)
                return body
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {int.from_bytes(payload[:2])}")

    def until(self, kind: str) -> dict[str, Any]:
        """Return the next text frame of a type and skip those before it."""
        while (body := self.read())["type"] != kind:
            pass
        return body

    def closed(self) -> int:
        """Return the close code, whatever precedes it."""
        while True:
            opcode, payload = self.next()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2])

    def quiet(self) -> None:
        """Assert that no unread frame has arrived: a ping's answer is the next frame."""
        self.send({"type": "ping"})
        assert self.read() == {"type": "pong"}


def said(body: dict[str, Any]) -> bytes:
    """Encode canonical JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def meet(port: int, *interests: str, **more: Any) -> tuple[Wire, Wire]:
    """Return two connections in a chat, matched by shared interests."""
    one, two = Wire(port), Wire(port)
    for wire in (one, two):
        wire.send({"type": "find", "interests": list(interests), **more})
    one.until("matched")
    two.until("matched")
    return one, two
