"""The console's pages. Rule: a page is a template that extends base.html; nothing is cached, nothing comes from elsewhere, nothing runs inline.

In every template stand, besides what a handler passes: `operator` (None: nobody is signed in), `places` (where they may go), `token` (what
each form carries in its field `token`) and `static(name)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server.console.files import address
from server.console.roles import Operator, Who, allowed
from server.console.sessions import SESSION

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation. `action`: who sees it, as of `Gate.add`."""

    path: str
    label: str
    action: Who


class Pages:
    """Renders them. The templates are read and compiled when it is made: no file is opened in the loop."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._places: list[Place] = []
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["static"] = address
        for path in folder.glob("*.html"):
            self._environment.get_template(path.name)

    def offer(self, path: str, label: str, action: Who) -> None:
        """Put an entry into the navigation; entries stand in the order in which they were offered."""
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
            operator=operator,
            places=self.places(operator),
            path=request.path,
            token=session.token if session is not None else "",
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")
