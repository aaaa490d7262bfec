"""Show a chat in a terminal or a pipe, and read its user's lines.

A terminal has one line for typing at the bottom, colours, and reports each key, so that the partner can be told of typing. A pipe has plain
lines both ways.

**Invariant:** no text of a partner reaches the terminal with control characters or characters that change the direction of later text.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Protocol, TextIO

PLAIN, STRANGER, OWN, NEWS, WARNING = "", "1;36", "1", "2", "33"  # styles: numbers of SGR, the codes of colours
PROMPT: Final = "> "
LINE_MOST: Final = 2_000  # characters of a message, as in the protocol
CHUNK: Final = 64 * 1024  # bytes
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Screen(Protocol):
    """The place at which a chat is shown and its lines are typed. `live`: keys are reported one by one to the function of `watch`."""

    live: bool

    def show(self, text: str, style: str = PLAIN) -> None:
        """Show a text, on lines of its own."""

    def sign(self, text: str) -> None:
        """Show a text beside the line for typing; "": take it away. A pipe shows none."""

    def watch(self, typed: Callable[[str], None]) -> None:
        """Call `typed` with the unfinished line after each key."""

    async def read(self) -> str | None:
        """Return the next line; None at the end of the input."""


def safe(text: str) -> str:
    """Return a text without characters that control a terminal; a further line is indented."""
    shown = "".join(
        one if one == "\n" or (unicodedata.category(one) not in ("Cc", "Cs") and one not in _TURNS) else " "
        for one in text
    )
    return shown.replace("\n", "\n  ")


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(map(_width, text))


def tail(text: str, columns: int) -> str:
    """Return the end of a text that fits so many columns."""
    at, used = len(text), 0
    while at and (used := used + _width(text[at - 1])) <= columns:
        at -= 1
    return text[at:]


def _width(one: str) -> int:
    if unicodedata.combining(one) or unicodedata.category(one) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in ("W", "F") else 1


class LineEditor:
    """The line that is being typed. `feed` takes bytes of the keyboard and returns the lines that Enter finished, None for the end."""

    def __init__(self) -> None:
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._escape = ""  # an unfinished sequence of a special key, which is passed over

    def feed(self, data: bytes) -> list[str | None]:
        """Take bytes; return what they finished."""
        done: list[str | None] = []
        for key in self._decoder.decode(data):
            if self._escape or key == "\x1b":
                self._skip(key)
            elif key in "\r\n":
                done.append(self.text)
                self.text = ""
            elif key == "\x04":
                if not self.text:
                    done.append(None)
            elif key in "\x7f\x08":
                self.text = self.text[:-1]
            elif key == "\x15":
                self.text = ""
            elif key == "\x17":
                self.text = self.text.rstrip().rpartition(" ")[0]
            elif key.isprintable() and len(self.text) < LINE_MOST:
                self.text += key
        return done

    def _skip(self, key: str) -> None:
        """Pass over the sequence of a special key: ESC, then one character, or `[` up to a letter or `~`."""
        self._escape += key
        if self._escape in ("\x1b", "\x1b[", "\x1bO"):
            return
        if not self._escape.startswith("\x1b[") or key.isalpha() or key == "~" or len(self._escape) > 16:
            self._escape = ""


class Terminal:
    """A terminal. Use it as `with`, in a running loop: it gives the terminal back as it was."""

    live = True

    def __init__(self, source: int, out: TextIO, colours: bool) -> None:
        self._source = source
        self._out = out
        self._colours = colours
        self._editor = LineEditor()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._sign = ""
        self._typed: Callable[[str], None] = lambda _: None

    def __enter__(self) -> Terminal:
        import termios  # Windows has neither
        import tty

        self._before = termios.tcgetattr(self._source)
        tty.setcbreak(self._source)
        asyncio.get_running_loop().add_reader(self._source, self._readable)
        self._paint()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import termios

        asyncio.get_running_loop().remove_reader(self._source)
        termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)
        self._out.write("\r\x1b[K")
        self._out.flush()

    def show(self, text: str, style: str = PLAIN) -> None:
        """Show a text above the line for typing."""
        shown = f"\x1b[{style}m{text}\x1b[m" if style and self._colours else text
        self._out.write(f"\r\x1b[K{shown}\n")
        self._paint()

    def sign(self, text: str) -> None:
        """Show a text beside the line for typing."""
        if text != self._sign:
            self._sign = text
            self._paint()

    def watch(self, typed: Callable[[str], None]) -> None:
        """Call `typed` after each key."""
        self._typed = typed

    async def read(self) -> str | None:
        """Return the next line that was finished with Enter; None: Ctrl-D."""
        return await self._lines.get()

    def _readable(self) -> None:
        try:
            data = os.read(self._source, 4096)
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._source)
            self._lines.put_nowait(None)
            return
        for line in self._editor.feed(data):
            self._lines.put_nowait(line)
        self._paint()
        self._typed(self._editor.text)

    def _paint(self) -> None:
        """Write the line for typing, or its end if it is wider than the terminal."""
        try:
            columns = os.get_terminal_size(self._source).columns or 80
        except OSError:
            columns = 80
        prompt = f"({self._sign}) {PROMPT}" if self._sign else PROMPT
        self._out.write(f"\r\x1b[K{prompt}{tail(self._editor.text, max(1, columns - cells(prompt) - 1))}")
        self._out.flush()


class Pipe:
    """Plain lines: messages to `out`, everything else to `news`. A line is read when it is wanted, so a long input waits for its turn."""

    live = False

    def __init__(self, source: int, out: TextIO, news: TextIO) -> None:
        self._source = source  # a descriptor: a thread that waits in a file object would hold its lock at the exit
        self._out = out
        self._news = news
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(1)
        self._loop = asyncio.get_running_loop()
        # A thread, because a file cannot be waited for; a daemon, because it may wait for input for ever.
        threading.Thread(target=self._pump, daemon=True).start()

    def show(self, text: str, style: str = PLAIN) -> None:
        """Write a text."""
        out = self._news if style in (NEWS, WARNING) else self._out
        out.write(text + "\n")
        out.flush()

    def sign(self, text: str) -> None:
        """Write nothing."""

    def watch(self, typed: Callable[[str], None]) -> None:
        """Report nothing: a pipe has no keys."""

    async def read(self) -> str | None:
        """Return the next line; None at the end."""
        return await self._lines.get()

    def _pump(self) -> None:
        """Pass the lines on, in a thread of its own."""
        rest = b""
        try:
            while data := os.read(self._source, CHUNK):
                *lines, rest = (rest + data).split(b"\n")
                if len(rest) > CHUNK:  # no line is as long
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._pass(line.decode("utf-8", "replace").rstrip("\r"))
            if rest:
                self._pass(rest.decode("utf-8", "replace"))
            self._pass(None)
        except (OSError, RuntimeError):  # the input is gone; the loop is closed, and the chat over
            return

    def _pass(self, line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop).result()


def colourful(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether colours are wanted: on a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def standard_screen() -> Terminal | Pipe:
    """Return the screen of this process: a terminal if both its input and its output are one. Call it in a running loop.

    Windows reports no single keys to a loop, so a terminal there is as a pipe: Enter ends a line.
    """
    if sys.stdin.isatty() and sys.stdout.isatty() and sys.platform != "win32":
        return Terminal(sys.stdin.fileno(), sys.stdout, colourful(sys.stdout, os.environ))
    return Pipe(sys.stdin.fileno(), sys.stdout, sys.stderr)
