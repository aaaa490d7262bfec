"""Serve `/language`, which sets the language of the console in a cookie.

**Invariant:** nothing is stored on the server, and no session is needed, because the sign-in page has the language menu too.
"""

from __future__ import annotations

from aiohttp import web

from server.http.request.forms import BadForm, form
from server.http.request.origins import from_own_page
from server.trust.console.console_gate import own_path
from server.trust.console.console_pages import LANGUAGE, LANGUAGE_PATH, Pages

YEAR = 31_536_000  # seconds


class Language:
    """Handler."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def choose(self, request: web.Request) -> web.Response:
        """`POST /language`: `language`, `next`. An unknown language changes nothing."""
        if not from_own_page(request, takes_null=False):
            return self._pages.answer("refused.html", request, None, status=403, why="origin")
        try:
            found = await form(request)
        except BadForm as bad:
            answer = self._pages.answer("refused.html", request, None, status=bad.status, why="unread")
            answer.force_close()
            return answer
        there = web.Response(status=303, headers={"Location": own_path(found.get("next"))})
        if (language := found.get("language")) in self._pages.said:
            there.set_cookie(LANGUAGE, language, path="/", max_age=YEAR, secure=True, httponly=True, samesite="Strict")
        return there


def add_language(app: web.Application, pages: Pages) -> None:
    """Add the route, before the gate closes."""
    app.router.add_post(LANGUAGE_PATH, Language(pages).choose)
