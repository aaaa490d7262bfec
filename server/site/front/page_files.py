"""Serve the page: `/`, its files under `/s/<hash of the folder>/`, the service worker and the manifest.

**Invariant:** all files are read and compressed at the server's start, so a request is a dict look-up. Files under the hash never change; `/` is
revalidated at each request.
"""

import hashlib
import html
import json
import re
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from server.http.pages import PAGES, Pages, add_pages
from server.http.pages.page_language import preferred
from server.http.pages.static_response import KINDS, PACKED, File
from server.http.request.client_info import CLIENT_INFO
from server.http.request.host_forwarding import PAGE, Away, Gone, is_forwarded
from server.http.request.origins import from_known_page
from server.http.request.security_headers import RTA, guard, label, page_policy
from server.http.request.site_services import SERVICES
from server.http.words.browser_catalogues import LATER, SHELL, page_files
from server.http.words.catalogue import count_missing, users, words
from server.ops.security import allowed_hosts
from server.site.front import earlier_pages
from server.site.front.operator_look import Look, coloured, named
from server.site.front.page_bundle import FIRST, LATER_SHEETS, START, bundled, together

PLAIN = Look()
FOLDER = Path(__file__).parents[1] / "web"
# The JavaScript client, of which the page is made too: beside the page in an installed server, in its own distribution's folder in a checkout.
CLIENT = next(
    (folder for folder in (FOLDER.with_name("client"), FOLDER.parents[2] / "client" / "js") if folder.is_dir()),
    FOLDER.with_name("client"),
)
CLIENT_PARTS = (
    "backoff.js",
    "lines.js",
    "link.js",
    "negotiation.js",
    "polls.js",
    "protocol.js",
)  # that the page imports, as `client/…`
HERE = b"/s/-/"
OWN_DATA = b'<a href="/privacy/request">Your data</a> '  # link in the shell, for browsers without script
FOR_EVER = "public, max-age=31536000, immutable"
# Comments and indentation are removed from served files (8 KB of 82, compressed). The page's templates ignore white space at the start of a line
# (htm), and no string spans lines. Behind code only a comment without a quote is certain to be one.
_FOR_READERS = {
    ".js": re.compile(
        rb"^[ \t]*(?://.*|/\*\*[^*]*(?:\*(?!/)[^*]*)*\*/)\n|^[ \t]*\n|^[ \t]+|[ \t]+//[ ][^\"'`\n]*$", re.M
    ),
    ".json": re.compile(rb"\n[ \t]*"),
    ".css": re.compile(rb"^[ \t]*/\*.*\*/\n|^[ \t]*\n|^[ \t]+", re.M),
}
_FILES = b"/*files*/"  # placeholder of the worker's list


class Build(NamedTuple):
    """The files of a folder, with this version's addresses, and the manifest by language. The shell among them lacks the site's origin."""

    version: str
    files: dict[str, File]
    manifests: dict[str, File]


def built(folder: Path, look: Look = PLAIN) -> Build:
    """Read the folder and build its files, in an operator's colour."""
    sources = {name: bare(name, body) for name, body in sources_in(folder).items()}
    sources["style/tokens.css"] = coloured(sources["style/tokens.css"], look.colour)
    inside = together(sources)
    sources = bundled(sources) | page_files(words(), users(), {START, "index.html", *inside[FIRST]})
    digest = hashlib.sha256()
    for name, body in sources.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    version = digest.hexdigest()[:16]
    apart = [name for names in inside.values() for name in names]
    sources["sw.js"] = sources["sw.js"].replace(_FILES, shell_files(sources, apart))
    base = address(version).encode()
    placed = {
        name: body if Path(name).suffix not in PACKED else body.replace(HERE, base) for name, body in sources.items()
    }
    files = {name: File.of(name, body) for name, body in placed.items()}
    manifests = {
        language: File.of("manifest.webmanifest", described(placed, language)) for language in languages(sources)
    }
    return Build(version, files, manifests)


def sources_in(folder: Path = FOLDER) -> dict[str, bytes]:
    """Return the files of the page's folder, and the parts of the client that it imports, by name."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.suffix in KINDS}
    found |= {f"client/{name}": CLIENT / name for name in CLIENT_PARTS}
    return {name: path.read_bytes() for name, path in found.items()}


def address(version: str) -> str:
    """Return the base path of a version's files, with a slash at the end."""
    return f"/s/{version}/"


class Web:
    """The page's folder, built and served. `base` is the base path of this version, with a slash at its end.

    `origin`: the site's public origin; `framed`: the origin of a captcha provider's frame, which the page may embed; `rating`: the label for family
    filters, empty for none; `data`: whether there is a page about the user's data.

    The sources contain `/s/-/` in place of this version's address. Sentences come from the catalogues (`server.http.words`); the HTML is rendered in
    each of their languages and chosen by Accept-Language, and the page may then be set to another.
    """

    def __init__(
        self, folder: Path = FOLDER, origin: str = "", framed: str = "", rating: str = "", data: bool = False,
        look: Look = PLAIN,
    ) -> None:  # fmt: skip
        self._framed = framed
        self.version, files, manifests = built(folder, look)
        name = html.escape(look.name)
        self.manifests = {language: _named(file, json.dumps(look.name)[1:-1]) for language, file in manifests.items()}
        self.base = address(self.version)
        placed = {name: file.body for name, file in files.items()}
        head = (card(origin) + rated(rating)).replace(HERE, self.base.encode())
        placed["index.html"] = (
            placed["index.html"].replace(b"<!--card-->", head).replace(b"<!--data-->", OWN_DATA if data else b"")
        )
        self.shells = {
            language: File.of("index.html", named(translated(placed, language, [*self.manifests]), name))
            for language in self.manifests
        }
        self.files = {**files, "index.html": self.shells["en"]}
        self._versions = {self.version: self.files}

    def keep(self, folder: Path) -> None:
        """Store this version in `folder` for later ones, and serve the earlier ones there."""
        earlier_pages.keep(folder, self.version, {name: file.body for name, file in self.files.items()})
        for version, files in earlier_pages.recall(folder, self.version).items():
            self._versions[version] = {
                name: File.of(name, body) for name, body in files.items() if Path(name).suffix in KINDS
            }

    def static(self, name: str) -> str:
        """Return the address of a file of this version, for a template; raises KeyError if it does not exist."""
        self.files[name]
        return self.base + name

    async def page(self, request: web.Request) -> web.Response:
        """Handle `/`."""
        language = preferred(request.headers.get("Accept-Language", ""), self.shells)
        answer = self.shells[language].answer(request, "no-cache", "Accept-Language")
        secure = request.app[CLIENT_INFO].secure(request)
        answer.headers["Content-Security-Policy"] = page_policy(request.host, secure, self._framed)
        return answer

    async def file(self, request: web.Request) -> web.Response:
        """Handle `/s/<hash>/<name>`; an earlier version's address is answered with that version's file, or 404."""
        version = request.match_info["version"]
        if version not in self._versions and (answer := await self._elsewhere(request, version)) is not None:
            return answer
        found = self._versions.get(version, {}).get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return found.answer(request, FOR_EVER)

    @staticmethod
    async def _elsewhere(request: web.Request, version: str) -> web.Response | None:
        """Return the file of another host's version, while hosts are upgraded one by one: the page may have come from there."""
        passing = None if is_forwarded(request) else request.app[SERVICES].passing
        host = None if passing is None else passing.of_page(version)
        if passing is None or host is None:
            return None
        try:
            answer = await passing.ask(request, host, PAGE)
        except (Gone, Away):
            return None
        if answer.status == 404:
            passing.unknown_page(version)
        return answer

    async def worker(self, request: web.Request) -> web.Response:
        """Handle `/sw.js`, at the root because a worker's scope is its folder."""
        answer = self.files["sw.js"].answer(request, "no-cache")
        answer.headers["Content-Security-Policy"] = page_policy(request.host, request.app[CLIENT_INFO].secure(request))
        return answer

    async def manifest(self, request: web.Request) -> web.Response:
        """Handle `/manifest.webmanifest`."""
        language = preferred(request.headers.get("Accept-Language", ""), self.manifests)
        return self.manifests[language].answer(request, "no-cache", "Accept-Language")

    async def robots(self, _request: web.Request) -> web.Response:
        """Handle `/robots.txt`. Pages that must not be found say so themselves (`noindex`), which only crawlers that may fetch them read; programs
        that render link previews of saved chats obey robots.txt too.
        """
        return web.Response(text="User-agent: *\nDisallow: /api/\n", headers={"Cache-Control": "max-age=86400"})

    async def icon(self, request: web.Request) -> web.Response:
        """Handle `/favicon.ico`, for clients that request it without reading the page."""
        return self.files["icons/icon-192.png"].answer(request, "public, max-age=86400")


def bare(name: str, body: bytes) -> bytes:
    """Return a source without comments and indentation."""
    needless = _FOR_READERS.get(Path(name).suffix)
    return needless.sub(b"", body) if needless else body


def languages(sources: dict[str, bytes]) -> list[str]:
    """List the languages with a word file, English first."""
    found = {Path(name).stem for name in sources if name.startswith("words/") and not name.endswith(f"{LATER}.json")}
    return sorted(found, key=lambda language: (language != "en", language))


def translated(placed: dict[str, bytes], language: str, known: list[str]) -> bytes:
    """Return the shell in a language: its direction, its title and the address of its words. `known`: the page's languages."""
    said: dict[str, str] = json.loads(placed[f"words/{language}.json"])
    english: dict[str, str] = json.loads(placed["words/en.json"])
    shell = placed["index.html"].decode()
    head = f'<html lang="{language}" dir="{said["direction"]}" data-words="{" ".join(known)}">'
    shell = shell.replace('<html lang="en">', head).replace("/words/en.json", f"/words/{language}.json")
    for key in SHELL:
        for left, right in (('content="', '"'), (">", "<")):
            now, then = (left + html.escape(table[key]) + right for table in (english, said))
            shell = shell.replace(now, then)
    return shell.encode()


def described(placed: dict[str, bytes], language: str) -> bytes:
    """Return the manifest in a language, which a device shows when the page is installed."""
    said: dict[str, str] = json.loads(placed[f"words/{language}.json"])
    manifest: dict[str, object] = json.loads(placed["manifest.webmanifest"])
    told = {"lang": language, "dir": said["direction"], "description": said["home.lead"]}
    return json.dumps(manifest | told, ensure_ascii=False).encode()


def shell_files(sources: dict[str, bytes], apart: list[str]) -> bytes:
    """Return the files that the service worker caches, as the inside of a list: all but system icons, bundled sources (`apart`), and files of one
    language, of which it caches the shell's.
    """
    without = {"index.html", "sw.js", *apart, *(name for names in LATER_SHEETS.values() for name in names)}
    kept = [
        name
        for name in sorted(sources)
        if Path(name).suffix != ".png"
        and name not in without
        and not name.startswith(("words/", "topics/", "openers/"))
    ]
    return ", ".join(f'"/s/-/{name}"' for name in kept).encode()


def _named(file: File, name: str) -> File:
    """Return a manifest with the installation's name."""
    return File.of("manifest.webmanifest", named(file.body, name)) if name else file


def card(origin: str) -> bytes:
    """Return the head elements for link previews: address and picture, if the origin is known."""
    if not origin:
        return b""
    return (
        f'<link rel="canonical" href="{origin}/">\n<meta property="og:url" content="{origin}/">\n'
        f'<meta property="og:image" content="{origin}/s/-/icons/share.png">\n'
        '<meta property="og:image:width" content="1200">\n<meta property="og:image:height" content="630">\n'
        '<meta name="twitter:card" content="summary_large_image">'
    ).encode()


def rated(rating: str) -> bytes:
    """Return the label for family filters that do not read headers."""
    return f'\n<meta name="rating" content="{rating}">'.encode() if rating else b""


async def forget(request: web.Request) -> web.Response:
    """Handle `POST /api/forget` from this service's pages and listed origins: the browser deletes its cookies, and with them the user's proof of
    identity.
    """
    if not from_known_page(request):
        return web.Response(status=403, headers={"Cache-Control": "no-store"})
    return web.Response(status=204, headers={"Clear-Site-Data": '"cookies"', "Cache-Control": "no-store"})


def add_web(app: web.Application, pages: Web | None = None) -> Web:
    """Add the page's routes and the security headers of every response; return the page, for templates' addresses.

    `Web()` reads files: make it before the loop runs.
    """
    served = pages or Web()
    app.router.add_get("/", served.page)
    app.router.add_get("/sw.js", served.worker)
    app.router.add_get("/manifest.webmanifest", served.manifest)
    app.router.add_get("/robots.txt", served.robots)
    app.router.add_get("/favicon.ico", served.icon)
    app.router.add_get("/s/{version}/{name:.+}", served.file)
    app.router.add_post("/api/forget", forget)
    app.on_response_prepare.append(guard)
    return served


def add_site(app: web.Application) -> None:
    """Add the page and its documents to the application. It reads files: call it once, at the start."""
    settings = app[SERVICES].settings
    app[SERVICES].sources.append(count_missing)
    origin = allowed_hosts.origin(settings.server.hosts)
    rating = RTA if settings.safety.rta else ""
    framed = settings.challenge.origin if settings.challenge.company is not None else ""
    look = Look(settings.page.name, settings.page.colour)
    served = add_web(app, Web(origin=origin, framed=framed, rating=rating, data=settings.store.enabled, look=look))
    served.keep(settings.data / "pages")
    app[PAGES] = Pages(served.static, origin, rating, look.name)
    add_pages(app, app[PAGES])
    if rating:
        app.on_response_prepare.append(label)
