"""Render pages and sections of the manual as HTML: headings with addresses, links within the manual, no other link into the checkout.

**Invariant:** the output contains no markup that the Markdown wrote as HTML, and no script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.ops.manual.manual import INDEX, anchor, manual

PATH: Final = "/help"  # of the manual in the console
_away = re.compile(r"https?://|mailto:").match
_page = re.compile(r"(?:\.\./)*(?:operate/)?([\w-]+)\.md(?:#([\w-]+))?$").fullmatch


@lru_cache(maxsize=256)
def rendered(page: str, text: str) -> str:
    """Return Markdown of a page of the manual as HTML."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    _address_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = _linked(page, token.children)
    return str(parser.renderer.render(tokens, parser.options, {}))


def address(page: str, heading: str = "") -> str:
    """Return the path of a page, or of a heading within it."""
    return (PATH if page == INDEX else f"{PATH}/{page}") + (f"#{heading}" if heading else "")


def _address_headings(tokens: Sequence[Token]) -> None:
    """Give each heading the id that links use, and a level from 2 on: the page around has a title of its own."""
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    shift = 2 - min(levels, default=2)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + shift}"
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(inline.content.replace("`", "")))


def _linked(page: str, tokens: Sequence[Token]) -> list[Token]:
    """Point links at the console's pages; what is not part of the manual stays as its text. Pictures become their description."""
    kept: list[Token] = []
    unlinked = 0  # links that were opened and left out
    for token in tokens:
        if token.type == "link_open":
            target = _target(page, str(token.attrGet("href") or ""))
            if not target:
                unlinked += 1
                continue
            token.attrSet("href", target)
        elif token.type == "link_close" and unlinked:
            unlinked -= 1
            continue
        elif token.type == "image":
            token = Token("text", "", 0, content=token.content)
        kept.append(token)
    return kept


def _target(page: str, link: str) -> str:
    """Return the console's address of a link; empty if the manual has no such page."""
    if _away(link):
        return link
    if link.startswith("#"):
        return address(page, link[1:])
    found = _page(link)
    return address(found[1], found[2] or "") if found and found[1] in manual().pages else ""
