"""The console's pages. Rule: a page is a template that extends base.html; nothing is cached, nothing comes from elsewhere, nothing runs inline.

In every template stand, besides what a handler passes: `operator` (None: nobody is signed in), `places` (where they may go), `token` (what
each form carries in its field `token`), `static(name)`, `code(text)`, and `t`, the sentences of whoever reads (`server.http.words.sentences`): the
language that was chosen in the menu, else the browser's, else English. What a person wrote stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from server.http.pages.page_language import preferred
from server.http.request.client_info import cookie_of
from server.http.words import templates
from server.http.words.sentences import Said, said
from server.trust.console.console_files import address
from server.trust.operators.console_sessions import SESSION
from server.trust.operators.roles import Operator, Who, allowed

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE = "__Host-mod-language"  # the cookie of the choice
LANGUAGE_PATH = "/language"  # where it is made


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation. `label`: the key of its name; `action`: who sees it, as of `Gate.add`."""

    path: str
    label: str
    action: Who


class Pages:
    """Renders them. The templates are read and compiled when it is made: no file is opened in the loop."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self.said: dict[str, Said] = said()
        self._places: list[Place] = []
        self._environment = templates.environment(
            folder, static=address, code=code, everywhere=list(self.said.values()), choose=LANGUAGE_PATH
        )

    def spoken(self, request: web.BaseRequest) -> Said:
        """The language of whoever asks."""
        chosen = cookie_of(request, LANGUAGE)
        if chosen not in self.said:
            chosen = preferred(request.headers.get("Accept-Language", ""), self.said)
        return self.said[chosen]

    def offer(self, path: str, label: str, action: Who) -> None:
        """Put an entry into the navigation; entries stand in the order in which they were offered. `label`: a key."""
        self._places.append(Place(path, label, action))

    def places(self, operator: Operator | None) -> list[Place]:
        """Where an operator may go; the first of them is where they come in."""
        if operator is None:
            return []
        return [place for place in self._places if allowed(operator, place.action)]

    def answer(
        self, template: str, request: web.Request, operator: Operator | None, *, status: int = 200, **values: object
    ) -> web.Response:
        """A page as an answer; raises jinja2.UndefinedError where a value is missing."""
        session = request.get(SESSION)
        text = self._environment.get_template(template).render(
            t=self.spoken(request),
            operator=operator,
            places=self.places(operator),
            path=request.path,
            # Another language begins where a page can be asked for again; what is missing says nothing of where it was looked for.
            here=request.path_qs if request.method == "GET" and status != 404 else "/",
            token=session.token if session is not None else "",
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def code(text: str) -> Markup:
    """Digits, an address: read from left to right in every language."""
    return Markup('<code dir="ltr">{}</code>').format(text)
