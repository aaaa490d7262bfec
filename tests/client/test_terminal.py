"""Test the screens of a chat: keys become lines, a partner's text controls nothing, and a long line shows its end."""

import asyncio
import io
import os

import pytest

from serendip_client.terminal import NEWS, STRANGER, LineEditor, Pipe, cells, colourful, safe, tail


@pytest.mark.parametrize(
    ("keys", "lines", "left"),
    [
        (b"hello\r", ["hello"], ""),
        ("grüße 世\nx".encode(), ["grüße 世"], "x"),
        (b"ab\x7fc\r", ["ac"], ""),
        (b"one two\x17\r", ["one"], ""),
        (b"wrong\x15right\r", ["right"], ""),
        (b"a\x1b[A\x1b[1;5Cb\x1bOPc\x1bxd\r", ["abcd"], ""),
        (b"half\x04\r\x04", ["half", None], ""),
        (b"\x01\x02\x00a\r", ["a"], ""),
    ],
)
def test_keys_become_lines(keys: bytes, lines: list[str | None], left: str) -> None:
    whole, split = LineEditor(), LineEditor()
    assert whole.feed(keys) == lines
    assert whole.text == left
    assert [line for key in keys for line in split.feed(bytes([key]))] == lines, "byte by byte it is the same"


def test_a_line_is_bounded() -> None:
    editor = LineEditor()
    editor.feed(b"x" * 5_000)
    assert len(editor.text) == 2_000


def test_a_partners_text_controls_nothing() -> None:
    text = "a\x1b[2Jb\x07\x9b\u202ec\nd\re\tf \U0001f468\u200d\U0001f469"
    shown = safe(text)
    assert shown == "a [2Jb   c\n  d e f \U0001f468\u200d\U0001f469"


def test_the_end_of_a_long_line_is_shown_by_columns_and_not_by_characters() -> None:
    assert (tail("hello", 5), tail("hello", 3), tail("", 3)) == ("hello", "llo", "")
    assert (tail("世界!", 3), tail("世界!", 4)) == ("界!", "界!")
    assert cells("e\u0301") == 1


def test_colours_are_for_terminals_that_want_them() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert colourful(Screen(), {"TERM": "xterm"})
    assert not colourful(Screen(), {"TERM": "dumb"})
    assert not colourful(Screen(), {"NO_COLOR": "1"})
    assert not colourful(io.StringIO(), {})


async def test_a_pipe_reads_a_line_when_it_is_wanted_and_parts_messages_from_the_rest() -> None:
    read, write = os.pipe()
    out, news = io.StringIO(), io.StringIO()
    pipe = Pipe(read, out, news)
    pipe.show("Stranger: hi", STRANGER)
    pipe.show("* Searching.", NEWS)
    assert (out.getvalue(), news.getvalue()) == ("Stranger: hi\n", "* Searching.\n")
    os.write(write, "one\ntwö\r\nthree".encode())
    os.close(write)
    async with asyncio.timeout(20):
        assert [await pipe.read() for _ in range(4)] == ["one", "twö", "three", None]
    os.close(read)
