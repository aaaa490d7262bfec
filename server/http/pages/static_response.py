"""Hold a response body that is the same for all clients, compressed once per encoding, with an ETag per encoding (RFC 9110, 8.8.3)."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from gzip import compress
from pathlib import Path
from typing import Final

from aiohttp import web

KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PACKED: Final = {
    ".css",
    ".html",
    ".js",
    ".json",
    ".mjs",
    ".svg",
    ".ts",
    ".webmanifest",
}  # the others are compressed already
_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


@dataclass(frozen=True)
class File:
    """A static response. `tag`: the strong validator of the plain body, in quotes."""

    kind: str
    body: bytes
    pays: bool  # whether compressing it saves bytes
    tag: str

    @classmethod
    def of(cls, name: str, body: bytes) -> "File":
        """Make a file; `name` gives the media type. Raises KeyError for an unknown suffix."""
        suffix = Path(name).suffix
        return cls(KINDS[suffix], body, suffix in PACKED, f'"{hashlib.sha256(body).hexdigest()[:20]}"')

    @cached_property
    def packed(self) -> bytes | None:
        """The body compressed, at the first request: the largest takes 1 ms, all of them 15. None if compression saves nothing."""
        return compress(self.body, 9, mtime=0) if self.pays else None

    def answer(self, request: web.BaseRequest, cache: str, vary: str = "", **more: str) -> web.Response:
        """Respond with 200, or 304 if the browser has it. `cache`: the Cache-Control; `vary`: further headers that the body depends on; `more`:
        further headers.
        """
        body, tag = self.body, self.tag
        headers = {"Cache-Control": cache, "Vary": f"Accept-Encoding, {vary}" if vary else "Accept-Encoding"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        packed = takes_gzip(request) and self.packed
        if packed:
            body, tag = packed, f'{self.tag[:-1]}-gzip"'
        headers["ETag"] = tag
        if tag in {f'"{known.value}"' for known in request.if_none_match or ()}:
            return web.Response(status=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers={"Content-Type": self.kind, **headers})


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether the client accepts gzip, by name and not with a weight of 0 (RFC 9110, 12.5.3)."""
    for part in request.headers.get("Accept-Encoding", "")[:1000].split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in {"gzip", "x-gzip"}:
            return not _REFUSED.fullmatch(weight)
    return False
