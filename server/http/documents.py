"""The machine-readable documents: served, and written to docs/ by `python -m server.http.documents`. Rule: made from the code, never by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.http import asyncapi, openapi

DOCUMENTS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "openapi.json": openapi.document,
    "asyncapi.json": asyncapi.document,
}
HEADERS: Final = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
FOLDER: Final = Path(__file__).parents[2] / "docs"


def written(name: str) -> str:
    """A document as it stands in docs/, and as it is served."""
    return json.dumps(DOCUMENTS[name](), indent=1, ensure_ascii=False) + "\n"


def add_documents(app: web.Application) -> None:
    """One part of the application. They are made once, at the start."""
    for name in DOCUMENTS:
        text = written(name)

        async def document(_request: web.Request, text: str = text) -> web.Response:
            return web.Response(text=text, content_type="application/json", headers=HEADERS)

        app.router.add_get(f"/api/{name}", document)


if __name__ == "__main__":
    for each in DOCUMENTS:
        (FOLDER / each).write_text(written(each))
