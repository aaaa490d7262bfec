"""Render the console's HTML pages from templates, in the moderator's language.

**Invariant:** pages are never cached, load nothing from another origin, and contain no inline script.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from server.http.pages.page_language import preferred
from server.http.request.client_info import cookie_of
from server.http.words import templates
from server.http.words.sentence_formatter import Said, said
from server.trust.console.console_files import address
from server.trust.moderators.console_sessions import SESSION
from server.trust.moderators.roles import Operator, Who, allowed

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE = "__Host-mod-language"  # the cookie of the choice
LANGUAGE_PATH = "/language"  # address of the choice


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation. `label`: the key of its name; `action`: the permission, as of `Gate.add`."""

    path: str
    label: str
    action: Who


class Pages:
    """Renderer. The templates are read and compiled when it is made: no file is opened in the loop.

    Every page is a template that extends base.html. It has, besides a handler's values: `operator` (None: not signed in), `places` (the
    navigation), `token` (for the field `token` of each form), `static(name)`, `code(text)`, and `t`, the reader's sentences
    (`server.http.words.sentence_formatter`): in the language chosen in the menu, else the browser's, else English. Words of users stay as they are.
    """

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self.said: dict[str, Said] = said()
        self._places: list[Place] = []
        self._environment = templates.environment(
            folder, static=address, code=code, everywhere=list(self.said.values()), choose=LANGUAGE_PATH
        )

    def spoken(self, request: web.BaseRequest) -> Said:
        """Return the reader's language."""
        chosen = cookie_of(request, LANGUAGE)
        if chosen not in self.said:
            chosen = preferred(request.headers.get("Accept-Language", ""), self.said)
        return self.said[chosen]

    def offer(self, path: str, label: str, action: Who) -> None:
        """Append an entry to the navigation. `label`: a key."""
        self._places.append(Place(path, label, action))

    def places(self, operator: Operator | None) -> list[Place]:
        """Return a moderator's navigation; the first entry is the start page."""
        if operator is None:
            return []
        return [place for place in self._places if allowed(operator, place.action)]

    def answer(
        self, template: str, request: web.Request, operator: Operator | None, *, status: int = 200, **values: object
    ) -> web.Response:
        """Return a page as an answer; raises jinja2.UndefinedError if a value is missing."""
        session = request.get(SESSION)
        text = self._environment.get_template(template).render(
            t=self.spoken(request),
            operator=operator,
            places=self.places(operator),
            path=request.path,
            # A new language reloads a page that can be reloaded; a missing page does not reveal its path.
            here=request.path_qs if request.method == "GET" and status != 404 else "/",
            token=session.token if session is not None else "",
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def code(text: str) -> Markup:
    """Return digits or an address, left to right in every language."""
    return Markup('<code dir="ltr">{}</code>').format(text)
