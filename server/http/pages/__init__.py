"""Documents made on the server: whole without a script, one column, the page's tokens. Templates are autoescaped, always.

Rule: a document is a template that extends base.html and fills `title` and `body`; what it shows comes as arguments. Its sentences
come by their keys from `t`, in the language of whoever reads it (server.http.words.sentences); English where it has no other. The one script is
look.js.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from server.http.pages.file import File
from server.http.pages.page_language import language_of
from server.http.words import templates
from server.http.words.catalogue import ENGLISH
from server.http.words.sentences import Said, said

FOLDER = Path(__file__).parent
PAGES: "web.AppKey[Pages]" = web.AppKey("pages")  # how the handlers of other documents find the templates
NO_CACHE = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}


class Pages:
    """Renders documents. `static` gives the address of a file of the page (server.site.front.page_files.Web.static); `origin`: where all of
    it is on the web, for those who show a link with a picture; empty: nowhere that is known; `rating`: what filters of families
    read, empty: nothing."""

    def __init__(self, static: Callable[[str], str], origin: str = "", rating: str = "") -> None:
        self.said: dict[str, Said] = said()
        self._files: dict[tuple[str, str, bool], File] = {}  # by template, language and whether that was chosen
        self._environment = templates.environment(
            FOLDER,
            static=static,
            origin=origin,
            rating=rating,
            everywhere=list(self.said.values()),
            **self._spoken(ENGLISH, ""),
        )

    def spoken(self, request: web.BaseRequest) -> Said:
        """The language of whoever asks."""
        return self.said[language_of(request, self.said)[0]]

    def reader(self, request: web.BaseRequest) -> dict[str, Any]:
        """The language of whoever asks, as the values that every template takes: `t`, its sentences; `query`, what keeps a chosen one."""
        language, chosen = language_of(request, self.said)
        return self._spoken(language, f"?lang={language}" if chosen else "")

    def _spoken(self, language: str, query: str) -> dict[str, Any]:
        return {"t": self.said[language], "query": query}

    def text(self, template: str, /, **values: object) -> str:
        """The document as HTML; raises jinja2.UndefinedError where a value is missing."""
        return self._environment.get_template(template).render(**values)

    def file(self, template: str, request: web.BaseRequest) -> File:
        """A document of words alone, in the reader's language: rendered once for each language, chosen or not."""
        language, chosen = language_of(request, self.said)
        key = (template, language, chosen)
        if key not in self._files:
            self._files[key] = File.of(template, self.text(template, **self.reader(request)).encode())
        return self._files[key]

    def answer(self, template: str, /, *, status: int = 200, cache: str = "no-cache", **values: object) -> web.Response:
        """The document as an answer. `cache` is its Cache-Control: `no-store` for all that is about a person."""
        return web.Response(
            text=self.text(template, **values),
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={"Cache-Control": cache},
        )


def add_pages(app: web.Application, pages: Pages) -> None:
    """Add the documents that need nothing but words: rules, about, offline."""
    for name in ("rules", "about", "offline"):

        async def document(request: web.Request, name: str = name) -> web.Response:
            return pages.file(f"{name}.html", request).answer(request, "no-cache", "Accept-Language")

        app.router.add_get(f"/{name}", document)
