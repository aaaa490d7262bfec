"""Test which words of a chat a list shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.trust.evidence.case_preview import ABOUT_MOST, Excerpt, excerpt_of, pack_excerpt, unpack_excerpt
from server.trust.evidence.chat_evidence import ChatLine, Detection, Evidence

CHAT = Evidence(
    "text", 0, 9, 1,
    tuple(
        ChatLine(n + 1, side, n, line)
        for n, (side, line) in enumerate(
            [(1, "hi"), (0, "hey"), (1, "come and see my show at annas room dot live"), (1, "its free"), (0, "no, go away")]
        )
    ),
    False,
)  # fmt: skip


def test_the_words_are_the_marked_line_else_the_detected_one_else_the_last() -> None:
    assert excerpt_of(CHAT).about == "its free"
    found = replace(CHAT, found=(Detection(5, 0, "threat"), Detection(3, 1, "link")))
    assert excerpt_of(found).about.startswith("come and see")
    marked = replace(found, lines=(replace(CHAT.lines[0], marked=True), *CHAT.lines[1:]))
    assert excerpt_of(marked).about == "hi"
    assert excerpt_of(replace(CHAT, side=0)).about == "no, go away"


def test_an_opener_is_a_long_one_of_the_first_lines_and_not_known_of_a_cut_chat() -> None:
    assert excerpt_of(CHAT).opener == "come and see my show at annas room dot live"
    assert excerpt_of(replace(CHAT, side=0)).opener == ""
    assert excerpt_of(replace(CHAT, cut=True)).opener == ""
    assert excerpt_of(replace(CHAT, lines=())) == Excerpt()


def test_words_are_one_short_line() -> None:
    long = replace(CHAT, lines=(ChatLine(1, 1, 0, "a\nb " * 400),))
    about = excerpt_of(long).about
    assert len(about) == ABOUT_MOST
    assert "\n" not in about


@pytest.mark.parametrize("packed", ["", "{", "[1]", '["a"]', "3"])
def test_what_was_not_packed_here_is_empty(packed: str) -> None:
    assert unpack_excerpt(packed) == Excerpt()
    assert unpack_excerpt(pack_excerpt(excerpt_of(CHAT))) == excerpt_of(CHAT)
