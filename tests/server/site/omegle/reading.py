"""Chats of python-omegle, a client that blocks. Rule: each has a thread of its own, and no thread outlives its test."""

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.site.web.servers import Server

python_omegle: Any = importlib.import_module("python_omegle")
NOWHERE = "http://127.0.0.1:9"  # nobody listens there


class Reader:
    """One chat of python-omegle, which blocks, in a thread of its own."""

    def __init__(self, server: Server, chat: Any) -> None:
        chat._server_url = server.url.rstrip("/")
        self.chat = chat
        self.events: list[tuple[str, Any]] = []
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Reader":
        self.chat.start()
        self._thread.start()
        return self

    def end(self) -> None:
        """It asks no more: after its `disconnect` the library would do so for ever."""
        if self._thread.is_alive():
            self.chat.disconnect()
            self.chat._server_url = NOWHERE
            self._thread.join(20)
            assert not self._thread.is_alive()

    def _run(self) -> None:
        with contextlib.suppress(python_omegle.PythonOmegleException):
            name = ""
            while name != "CHAT_ENDED":
                kind, data = self.chat.get_event()
                name = kind.name
                with self._came:
                    self.events.append((name, data))
                    self._came.notify_all()

    def until(self, name: str) -> Any:
        """The data of the first event of that name that was not taken yet."""
        with self._came:
            assert self._came.wait_for(lambda: any(event[0] == name for event in self.events), 10), self.events
            found = next(event for event in self.events if event[0] == name)
            self.events.remove(found)
            return found[1]


Read = Callable[[Server, Any], Reader]


@pytest.fixture
def read() -> Iterator[Read]:
    """Starts chats of python-omegle at a server."""
    readers: list[Reader] = []

    def start(server: Server, chat: Any) -> Reader:
        readers.append(Reader(server, chat))
        return readers[-1].start()

    yield start
    for reader in readers:
        reader.end()
