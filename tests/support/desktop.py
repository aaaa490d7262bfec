"""Simulate a desktop that shows notifications, on a bus of its own: Chromium's notifications are recorded, and a test can press one.

**Invariant:** it is the D-Bus bus itself (a socket in a folder), so no session of the machine is used or changed. It speaks little-endian
messages without descriptors, as Chromium writes here, and answers unknown messages with an error. Specification:
https://specifications.freedesktop.org/notification-spec/latest/
"""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

SERVICE, PLACE = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, NAME_OF_ERROR, REPLY_TO, _TO, SENDER, SIGNATURE = range(1, 9)
KINDS = {PATH: "o", REPLY_TO: "u", SIGNATURE: "g"}  # of header fields; all others are texts
ABILITIES = ["actions", "body", "persistence"]
WITHDRAWN = 3  # the reason code of a notification that its sender closed


class Notice(NamedTuple):
    """A shown notification. `actions`: pairs of a key and its label, `default` for a press on the whole; `text`: all its texts."""

    number: int
    title: str
    body: str
    actions: list[str]
    text: str


class _Writer:
    """Encoder of values, each aligned to its size."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def pad(self, size: int) -> None:
        self.bytes += bytes(-len(self.bytes) % size)

    def put(self, kind: str, value: Any) -> Self:
        """Append a value: `u`, `s`, `o`, `g`, `b` or `as`."""
        if kind == "g":
            self.bytes += bytes([len(value)]) + value.encode() + b"\0"
        elif kind in ("u", "b"):
            self.pad(4)
            self.bytes += struct.pack("<I", value)
        elif kind == "as":
            inner = _Writer()
            for text in value:
                inner.put("s", text)
            self.put("u", len(inner.bytes))
            self.bytes += inner.bytes
        else:
            self.put("u", len(value.encode()))
            self.bytes += value.encode() + b"\0"
        return self


class _Reader:
    """Decoder of values."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def pad(self, size: int) -> None:
        self._at += -self._at % size

    @property
    def left(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self._at += size
        return self._data[self._at - size : self._at]

    def get(self, kind: str) -> Any:
        """Return the next value: `u`, `s`, `o`, `g` or `as`."""
        if kind == "g":
            return self.take(self.take(1)[0] + 1)[:-1].decode()
        if kind == "as":
            end = self.get("u") + self._at
            found = []
            while self._at < end:
                found.append(self.get("s"))
            return found
        self.pad(4)
        (number,) = struct.unpack("<I", self.take(4))
        return number if kind == "u" else self.take(number + 1)[:-1].decode()


class Desktop:
    """A desktop, until `close`. `address`: the DBUS_SESSION_BUS_ADDRESS of programs whose notifications it shows."""

    def __init__(self, folder: Path) -> None:
        path = folder / "bus"
        self.address = f"unix:path={path}"
        self.shown: list[Notice] = []
        self.withdrawn: list[int] = []
        self._came = threading.Condition()
        self._serial = 0
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Close all connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for sock in self._open:
            sock.close()

    def until(self, true: Callable[[], object], within: float = 20) -> None:
        """Wait until a condition is true. `within`: seconds. Raises AssertionError."""
        with self._came:
            assert self._came.wait_for(true, within), (self.shown, self.withdrawn)

    def press(self, number: int) -> None:
        """Press a notification."""
        self._signal("ActionInvoked", "us", number, "default")

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._open.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, EOFError), sock.makefile("rb") as lines:
            while not (said := lines.readline()).startswith(b"BEGIN"):
                if not said:
                    return
                if b"AUTH EXTERNAL" in said:
                    sock.sendall(b"OK 5e4e0d1b5e4e0d1b5e4e0d1b5e4e0d1b\r\n")
                else:
                    sock.sendall(b"ERROR\r\n")  # descriptors are not supported
            while head := lines.read(16):
                self._message(sock, head, lines.read)

    def _message(self, sock: socket.socket, head: bytes, read: Callable[[int], bytes]) -> None:
        order, kind, _flags, _version, size, serial, fields_size = struct.unpack("<cBBBIII", head)
        if order != b"l":
            raise EOFError
        reader = _Reader(head + read(fields_size + -fields_size % 8))
        reader.take(16)
        fields: dict[int, Any] = {}
        while reader.left:
            reader.pad(8)
            if not reader.left:
                break
            code = reader.take(1)[0]
            fields[code] = reader.get(reader.get("g"))
        body = read(size)
        if kind == CALL:
            self._answer(sock, serial, fields, _Reader(body))

    def _answer(self, sock: socket.socket, serial: int, fields: dict[int, Any], body: _Reader) -> None:
        answers: dict[str, Callable[[_Reader], tuple[str, Any] | None]] = {
            "Hello": lambda _: ("s", ":1.1"),
            "AddMatch": lambda _: None,
            "RemoveMatch": lambda _: None,
            "NameHasOwner": lambda body: ("b", body.get("s") == SERVICE),
            "GetNameOwner": lambda _: ("s", ":1.2"),
            "ListNames": lambda _: ("as", [SERVICE]),
            "ListActivatableNames": lambda _: ("as", [SERVICE]),
            "StartServiceByName": lambda _: ("u", 2),  # it runs
            "GetCapabilities": lambda _: ("as", ABILITIES),
            "Notify": self._notify,
            "CloseNotification": self._withdraw,
        }
        answer = answers.get(fields[MEMBER])
        if answer is None:
            self._send(sock, ERROR, {REPLY_TO: serial, NAME_OF_ERROR: "org.freedesktop.DBus.Error.UnknownMethod"})
            return
        given = answer(body)
        kind, value = given or ("", None)
        about = {REPLY_TO: serial, SENDER: ":1.2", **({SIGNATURE: kind} if kind else {})}
        self._send(sock, RETURN, about, _Writer().put(kind, value).bytes if kind else b"")

    def _notify(self, body: _Reader) -> tuple[str, int]:
        application, replaced, icon = body.get("s"), body.get("u"), body.get("s")
        title, text, actions = body.get("s"), body.get("s"), body.get("as")
        number = replaced or len(self.shown) + 1
        with self._came:
            self.shown.append(
                Notice(number, title, text, actions, " ".join([application, icon, title, text, *actions]))
            )
            self._came.notify_all()
        return "u", number

    def _withdraw(self, body: _Reader) -> None:
        number = body.get("u")
        self._signal("NotificationClosed", "uu", number, WITHDRAWN)
        with self._came:
            self.withdrawn.append(number)
            self._came.notify_all()

    def _signal(self, name: str, kinds: str, *values: Any) -> None:
        body = _Writer()
        for kind, value in zip(kinds, values, strict=True):
            body.put(kind, value)
        about = {PATH: PLACE, INTERFACE: SERVICE, MEMBER: name, SENDER: ":1.2", SIGNATURE: kinds}
        for sock in self._open:
            with suppress(OSError):
                self._send(sock, SIGNAL, about, body.bytes)

    def _send(self, sock: socket.socket, kind: int, fields: dict[int, Any], body: bytes = b"") -> None:
        inner = _Writer()
        for code, value in fields.items():
            inner.pad(8)
            inner.bytes.append(code)
            inner.put("g", KINDS.get(code, "s")).put(KINDS.get(code, "s"), value)
        with self._came:
            self._serial += 1
            head = struct.pack("<cBBBIII", b"l", kind, 1, 1, len(body), self._serial, len(inner.bytes))
            inner.pad(8)
            sock.sendall(head + bytes(inner.bytes) + bytes(body))
