"""Render HTML documents on the server from templates: one column, readable without a script.

A template extends base.html and takes its data as arguments; its sentences are looked up by key with `t`, in the reader's language or else in
English.
**Invariant:** templates are always autoescaped.
"""

# A template fills `title` and `body`. The sentences are those of server.http.words.sentence_formatter. The only script is look.js.

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from server.http.pages.page_language import language_of
from server.http.pages.static_response import File
from server.http.words import templates
from server.http.words.catalogue import BRAND, ENGLISH
from server.http.words.sentence_formatter import Said, said

FOLDER = Path(__file__).parent
PAGES: "web.AppKey[Pages]" = web.AppKey("pages")  # application key of the renderer, for the handlers of other documents
NO_CACHE = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}


class Pages:
    """Renderer of documents. `static`: returns the address of a file of the page (server.site.front.page_files.Web.static).

    `origin`: the site's public origin, for links that show a picture; empty if unknown. `rating`: the label for family filters, empty for none.
    `brand`: the name of the installation, empty for the project's.
    """

    def __init__(self, static: Callable[[str], str], origin: str = "", rating: str = "", brand: str = "") -> None:
        self.said: dict[str, Said] = said(brand)
        self._files: dict[tuple[str, str, bool], File] = {}  # by template, language and whether that was chosen
        self._environment = templates.environment(
            FOLDER,
            static=static,
            origin=origin,
            rating=rating,
            brand=brand or BRAND,
            everywhere=list(self.said.values()),
            **self._spoken(ENGLISH, ""),
        )

    def spoken(self, request: web.BaseRequest) -> Said:
        """Return the sentences in the language of the request."""
        return self.said[language_of(request, self.said)[0]]

    def reader(self, request: web.BaseRequest) -> dict[str, Any]:
        """Return the values that every template takes, for the language of the request: `t`, its sentences; `query`, which keeps a chosen language
        in links.
        """
        language, chosen = language_of(request, self.said)
        return self._spoken(language, f"?lang={language}" if chosen else "")

    def _spoken(self, language: str, query: str) -> dict[str, Any]:
        return {"t": self.said[language], "query": query}

    def text(self, template: str, /, **values: object) -> str:
        """Return the document as HTML; raises jinja2.UndefinedError if a value is missing."""
        return self._environment.get_template(template).render(**values)

    def file(self, template: str, request: web.BaseRequest) -> File:
        """Return a document without data in the reader's language, rendered once for each language, chosen or not."""
        language, chosen = language_of(request, self.said)
        key = (template, language, chosen)
        if key not in self._files:
            self._files[key] = File.of(template, self.text(template, **self.reader(request)).encode())
        return self._files[key]

    def answer(self, template: str, /, *, status: int = 200, cache: str = "no-cache", **values: object) -> web.Response:
        """Return the document as a response. `cache` is its Cache-Control: `no-store` for everything about a user."""
        return web.Response(
            text=self.text(template, **values),
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={"Cache-Control": cache},
        )


def add_pages(app: web.Application, pages: Pages) -> None:
    """Add the documents without data: rules, about, offline."""
    for name in ("rules", "about", "offline"):

        async def document(request: web.Request, name: str = name) -> web.Response:
            return pages.file(f"{name}.html", request).answer(request, "no-cache", "Accept-Language")

        app.router.add_get(f"/{name}", document)
