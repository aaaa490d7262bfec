"""Serve the OpenAPI and AsyncAPI documents, and write them to docs/ (`python -m server.site.front.api_documents`).

**Invariant:** both are generated from the code, never edited.
"""

import asyncio
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.http.pages.static_response import File
from server.site.front import asyncapi, openapi
from server.site.front.moderation_openapi import add_moderation

DOCUMENTS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "openapi.json": lambda: add_moderation(openapi.document()),
    "asyncapi.json": asyncapi.document,
}
FOLDER: Final = Path(__file__).parents[3] / "docs"


def written(name: str) -> str:
    """Return a document as it is in docs/."""
    return json.dumps(DOCUMENTS[name](), indent=1, ensure_ascii=False) + "\n"


@functools.cache
def served(name: str) -> File:
    """Return a document as a file to serve: generated at the first request, in some 20 ms."""
    return File.of(name, written(name).encode())


def add_documents(app: web.Application) -> None:
    """Add the documents' routes to the application."""
    for name in DOCUMENTS:

        async def document(request: web.Request, name: str = name) -> web.Response:
            file = await asyncio.to_thread(served, name)
            return file.answer(request, "no-cache", Access_Control_Allow_Origin="*")

        app.router.add_get(f"/api/{name}", document)


if __name__ == "__main__":
    for each in DOCUMENTS:
        (FOLDER / each).write_text(written(each))
