"""Serve `/help`: the operator's manual with a search, and the run-book's entry of an alert at `/help/ALERT`.

Every signed-in moderator may read it. **Invariant:** a path names a page or a heading of the manual; it never reaches a file.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from markupsafe import Markup

from server.ops.manual.manual import INDEX, QUERY_MAX, Section, first_sentence, manual
from server.ops.manual.manual_html import PATH, address, rendered
from server.trust.console.console_gate import Gate
from server.trust.console.console_pages import Pages
from server.trust.moderators.roles import Operator

TOPIC_MAX: Final = 100  # characters


class HelpRoutes:
    """Handlers."""

    def __init__(self, gate: Gate, pages: Pages) -> None:
        self._gate = gate
        self._pages = pages

    async def index(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /help`, `GET /help?q=`: the contents, or what was found"""
        words = request.query.get("q", "")[:QUERY_MAX].strip()
        read = await asyncio.to_thread(manual)
        if not words:
            return await self._shown(request, operator, INDEX, read.pages[INDEX])
        found = [(address(one.page, one.anchor), one.title, first_sentence(one)) for one in read.search(words)]
        return self._pages.answer(
            "help.html", request, operator, words=words, found=found, text="", whole="", most=QUERY_MAX
        )

    async def topic(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /help/{topic}`: a page, an alert's entry or a section"""
        wanted = request.match_info["topic"]
        read = await asyncio.to_thread(manual)
        section = read.find(wanted) if len(wanted) <= TOPIC_MAX else None
        if section is None:
            return self._gate.missing(request, operator)
        if section.level == 1:
            return await self._shown(request, operator, section.page, read.pages[section.page])
        return await self._shown(request, operator, section.page, section.text, section)

    async def _shown(
        self, request: web.Request, operator: Operator, page: str, text: str, section: Section | None = None
    ) -> web.StreamResponse:
        """Return a page or a section; `whole`: the address of the page around a section."""
        made = await asyncio.to_thread(rendered, page, text)
        whole = "" if section is None else address(page, section.anchor)
        return self._pages.answer(
            "help.html",
            request,
            operator,
            words="",
            found=None,
            text=Markup(made),  # noqa: S704 - rendered from the manual's own files, without HTML
            whole=whole,
            most=QUERY_MAX,
        )


def add_help(gate: Gate, pages: Pages) -> None:
    """Add the routes."""
    routes = HelpRoutes(gate, pages)
    pages.offer(PATH, "console.help", None)
    gate.add("GET", PATH, None, routes.index)
    gate.add("GET", PATH + "/{topic}", None, routes.topic)
