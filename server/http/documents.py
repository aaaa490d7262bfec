"""The machine-readable documents: served, and written to docs/ by `python -m server.http.documents`. Rule: made from the code, never by hand."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from server.http import asyncapi, openapi

DOCUMENTS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "openapi.json": openapi.document,
    "asyncapi.json": asyncapi.document,
}
HEADERS: Final = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
FOLDER: Final = Path(__file__).parents[2] / "docs"


def written(name: str) -> str:
    """A document as it stands in docs/."""
    return json.dumps(DOCUMENTS[name](), indent=1, ensure_ascii=False) + "\n"


@functools.cache
def served(name: str) -> bytes:
    """The same as it is served: made when it is first asked for, in 1 ms."""
    return orjson.dumps(DOCUMENTS[name](), option=orjson.OPT_INDENT_2)


def add_documents(app: web.Application) -> None:
    """One part of the application."""
    for name in DOCUMENTS:

        async def document(_request: web.Request, name: str = name) -> web.Response:
            return web.Response(body=served(name), content_type="application/json", headers=HEADERS)

        app.router.add_get(f"/api/{name}", document)


if __name__ == "__main__":
    for each in DOCUMENTS:
        (FOLDER / each).write_text(written(each))
