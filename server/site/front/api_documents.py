"""The machine-readable documents: served, and written to docs/ by `python -m server.site.front.api_documents`. Rule: made from the code, never by
hand."""

import asyncio
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.http.pages.file import File
from server.site.front import asyncapi, openapi

DOCUMENTS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "openapi.json": openapi.document,
    "asyncapi.json": asyncapi.document,
}
FOLDER: Final = Path(__file__).parents[3] / "docs"


def written(name: str) -> str:
    """A document as it stands in docs/."""
    return json.dumps(DOCUMENTS[name](), indent=1, ensure_ascii=False) + "\n"


@functools.cache
def served(name: str) -> File:
    """The same as it is served: made when it is first asked for, in some 20 ms."""
    return File.of(name, written(name).encode())


def add_documents(app: web.Application) -> None:
    """One part of the application."""
    for name in DOCUMENTS:

        async def document(request: web.Request, name: str = name) -> web.Response:
            file = await asyncio.to_thread(served, name)
            return file.answer(request, "no-cache", Access_Control_Allow_Origin="*")

        app.router.add_get(f"/api/{name}", document)


if __name__ == "__main__":
    for each in DOCUMENTS:
        (FOLDER / each).write_text(written(each))
