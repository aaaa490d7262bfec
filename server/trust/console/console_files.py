"""Serve the console's scripts and style sheets, and the design tokens (CSS variables) of the public page.

**Invariant:** each file is read once, and served from memory by its name.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from server.http.pages.static_response import KINDS, File

OWN = Path(__file__).parent / "static"
WEB = Path(__file__).parents[2] / "site/web"
SHARED = (
    *("style/tokens.css", "style/base.css", "style/parts.css", "style/document.css"),
    *("vendor/figtree.woff2", "vendor/figtree-ext.woff2", "icons/icon.svg", "icons/chevron.svg"),
)
PREFIX = "/static/"


def address(name: str) -> str:
    """Return a file's address, for a template."""
    return PREFIX + name


class Files:
    """All files by name: `console.css`, `style/tokens.css`."""

    def __init__(self) -> None:
        paths = {path.name: path for path in sorted(OWN.iterdir()) if path.suffix in KINDS}
        paths |= {name: WEB / name for name in SHARED}
        self._files = {name: File.of(name, path.read_bytes()) for name, path in paths.items()}

    async def file(self, request: web.Request) -> web.Response:
        """`GET /static/<name>`; raises HTTPNotFound."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return found.answer(request, "no-cache")
