"""How the page is served: one hash, for ever; strict headers on every answer; nothing of another version."""

import gzip
import json
import re
import subprocess
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ext.accept.handshake import Judge
from server.http.pages import Pages, add_pages
from server.http.request.client_info import CLIENT_INFO, ClientInfo
from server.http.request.host_forwarding import PAGE, Away
from server.http.request.security_headers import ALWAYS, OF_DOCUMENTS, page_policy
from server.http.request.site_services import SERVICES
from server.http.words.sentence_formatter import said
from server.site.front.page_files import FOLDER, Web, add_web, bare

Client = TestClient[web.Request, web.Application]


WEB = Web()  # both read files: before any loop
DOCUMENTS = Pages(WEB.static)
ORIGIN = "https://chat.example"
ON_THE_WEB = Web(origin=ORIGIN)
ON_THE_WEB_TOO = Pages(ON_THE_WEB.static, ORIGIN)
JUDGE = Judge(hosts=["127.0.0.1"], origins=[], proxies=["127.0.0.1/32"])
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
def pages() -> Web:
    return WEB


@pytest.fixture
async def client(pages: Web) -> AsyncIterator[Client]:
    app = web.Application()
    app[CLIENT_INFO] = ClientInfo(JUDGE)
    app[SERVICES] = cast(Any, SimpleNamespace(passing=None, judge=JUDGE))
    add_web(app, pages)
    add_pages(app, DOCUMENTS)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


async def test_the_page_is_asked_for_each_time_and_answered_304_while_it_is_the_same(client: Client) -> None:
    first = await client.get("/")
    assert first.status == 200
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""


async def test_files_under_the_hash_are_kept_for_ever_and_compressed_beforehand(client: Client, pages: Web) -> None:
    answer = await client.get(pages.static("app.js"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await answer.read()) == pages.files["app.js"].body


async def test_a_client_that_cannot_unpack_gets_the_file_as_it_is(client: Client, pages: Web) -> None:
    answer = await client.get(pages.static("app.js"), headers=PLAIN)
    assert "Content-Encoding" not in answer.headers
    assert await answer.read() == pages.files["app.js"].body


@pytest.mark.parametrize(
    "path", ["/s/0000000000000000/app.js", "{base}nothing.js", "{base}../web.py", "{base}%2e%2e/web.py", "{base}"]
)
async def test_what_is_not_of_this_version_is_not_found(client: Client, pages: Web, path: str) -> None:
    assert (await client.get(path.format(base=pages.base))).status == 404


class Other:
    """A host of another release, which has one version."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.asked: list[str] = []
        self.unknown: list[str] = []

    def of_page(self, version: str) -> str | None:
        return None if version in self.unknown else "10.0.0.2:9467"

    def unknown_page(self, version: str) -> None:
        self.unknown.append(version)

    async def ask(self, request: web.Request, address: str, what: str) -> web.Response:
        self.asked.append(request.path)
        if address != "10.0.0.2:9467" or what != PAGE:
            raise Away
        return web.Response(text="theirs") if self.version in request.path else web.Response(status=404)


async def test_while_hosts_are_upgraded_files_of_their_version_come_from_there(client: Client, pages: Web) -> None:
    services = client.app[SERVICES] if client.app is not None else None
    other = services.passing = Other("fedcba9876543210")  # type: ignore[union-attr, assignment]
    assert await (await client.get("/s/fedcba9876543210/app.js")).text() == "theirs"
    assert (await client.get(pages.static("app.js"))).status == 200
    assert (await client.get(f"{pages.base}nothing.js")).status == 404
    for _ in range(2):
        assert (await client.get("/s/0000000000000000/app.js")).status == 404
    assert other.asked == ["/s/fedcba9876543210/app.js", "/s/0000000000000000/app.js"], "who had not is not asked again"


DOCUMENT_PATHS = ["/", "/rules", "/about", "/offline", "/nothing", "{base}icons/icon.svg"]


@pytest.mark.parametrize("path", DOCUMENT_PATHS)
async def test_every_document_carries_the_strict_headers(client: Client, pages: Web, path: str) -> None:
    answer = await client.get(path.format(base=pages.base))
    for name, value in (ALWAYS | OF_DOCUMENTS).items():
        if name != "Content-Security-Policy":
            assert answer.headers[name] == value
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize(
    "name",
    [
        "app.js",
        "first.js",
        "second.js",
        "style/first.css",
        "words/en.json",
        "vendor/figtree.woff2",
        "vendor/preact.mjs",
    ],
)
async def test_what_documents_are_made_of_carries_no_policy_of_documents(client: Client, pages: Web, name: str) -> None:
    answer = await client.get(pages.static(name))
    assert not set(OF_DOCUMENTS) & set(answer.headers)
    assert {answer.headers[name] == value for name, value in ALWAYS.items()} == {True}
    assert "Server" not in answer.headers
    assert sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items()) < 450


async def test_the_worker_keeps_the_policy_of_the_page(client: Client) -> None:
    assert "default-src 'none'" in (await client.get("/sw.js")).headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/sw.js"])
@pytest.mark.parametrize(("scheme", "socket"), [("https", "wss"), ("http", "ws")])
async def test_a_page_that_came_encrypted_may_open_encrypted_sockets_only(
    client: Client, path: str, scheme: str, socket: str
) -> None:
    answer = await client.get(path, headers={"X-Forwarded-Proto": scheme, "Host": "chat.example"})
    assert re.findall(r"\bwss?://\S+", answer.headers["Content-Security-Policy"]) == [f"{socket}://chat.example;"]


def test_a_strange_host_does_not_get_into_the_policy() -> None:
    assert "wss://chat.example:8443" in page_policy("chat.example:8443", True)
    for host in ("a; script-src *", "x y", "", "a\r\nb", "'unsafe-inline'"):
        assert page_policy(host, True) == page_policy("", True)


async def test_no_source_has_anything_inline(client: Client) -> None:
    for path in ("/", "/rules", "/about", "/offline"):
        text = await (await client.get(path, headers=PLAIN)).text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|data:", text)
        assert all(re.search(r"\ssrc=", tag) for tag in re.findall(r"<script[^>]*>", text))


async def test_forgetting_clears_the_cookie_and_needs_post(client: Client) -> None:
    answer = await client.post("/api/forget")
    assert answer.status == 204
    assert answer.headers["Clear-Site-Data"] == '"cookies"'
    assert (await client.get("/api/forget")).status == 405


async def test_no_other_site_can_make_a_browser_forget(client: Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}):
        answer = await client.post("/api/forget", headers=headers)
        assert answer.status == 403
        assert "Clear-Site-Data" not in answer.headers


async def test_the_manifest_names_icons_that_are_there(client: Client) -> None:
    manifest = json.loads(await (await client.get("/manifest.webmanifest", headers=PLAIN)).text())
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert (await client.get(icon["src"])).status == 200


@pytest.mark.parametrize("language", ["en", "ar", "ja"])
async def test_the_manifest_is_in_the_language_of_the_browser(client: Client, language: str) -> None:
    answer = await client.get("/manifest.webmanifest", headers={**PLAIN, "Accept-Language": language})
    t, manifest = said()[language], json.loads(await answer.text())
    assert (manifest["lang"], manifest["dir"], manifest["name"]) == (language, t.direction, "Serendip")
    assert manifest["description"] == t.text("home.lead")
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_change_of_any_file_changes_the_hash(tmp_path_factory: pytest.TempPathFactory, pages: Web) -> None:
    copy = tmp_path_factory.mktemp("web")
    subprocess.run(["cp", "-r", f"{FOLDER}/.", str(copy)], check=True)
    assert Web(copy).base == pages.base
    with (copy / "text.js").open("a") as text:
        text.write("export const more = 1;\n")
    assert Web(copy).base != pages.base


def test_the_shell_asks_for_the_first_load_in_two_modules_and_one_style_sheet(pages: Web) -> None:
    body = pages.files["index.html"].body.decode()
    assert re.findall(r'rel="modulepreload" href="([^"]+)"', body) == [f"{pages.base}first.js"]
    assert re.findall(r'<script type="module" src="([^"]+)"', body) == [f"{pages.base}app.js"]
    assert re.findall(r'rel="stylesheet" href="([^"]+)"', body) == [f"{pages.base}style/first.css"]


def test_the_worker_keeps_what_the_page_asks_for_and_no_module_twice(pages: Web) -> None:
    kept = re.findall(r'"(/s/[^"]+)"', pages.files["sw.js"].body.decode())
    for name in (
        "app.js",
        "first.js",
        "second.js",
        "style/first.css",
        "style/second.css",
        "style/document.css",
        "views/settings.js",
    ):
        assert pages.base + name in kept
    assert not [
        name for name in kept if "words/" in name or "topics/" in name
    ]  # those of its language, when it is installed
    for name in ("store.js", "views/report.js", "style/rest.css"):
        assert pages.base + name not in kept
        assert pages.static(name)


async def test_what_crawlers_may_ask_for_says_itself_that_it_is_not_for_finding(client: Client) -> None:
    """Who may not ask never hears `noindex`, and makes no card of a link."""
    assert await (await client.get("/robots.txt")).text() == "User-agent: *\nDisallow: /api/\n"


def test_what_only_readers_need_is_left_out_and_nothing_else(pages: Web) -> None:
    for name, file in pages.files.items():
        if name.endswith((".js", ".css")):
            assert not re.search(rb"^\s*(?://|/\*)", file.body, re.M), name
    source = b'/** One\n * and two. */\nconst url = "http://a/**/b"; // why\n  /* kept, it is code\'s */ f();\n/** x */\ng("*/");\n'
    assert bare("a.js", source) == b'const url = "http://a/**/b";\n/* kept, it is code\'s */ f();\ng("*/");\n'


def test_no_file_of_the_page_is_longer_than_250_lines() -> None:
    for path in FOLDER.rglob("*"):
        if path.suffix in {".js", ".css", ".html"}:
            assert len(path.read_text().splitlines()) <= 250, path


CARD = re.compile(r'<meta (?:name|property)="((?:og|twitter):[a-z:_]+)" content="([^"]*)">')


async def test_a_link_that_others_show_has_a_title_a_sentence_and_a_picture_that_can_be_had() -> None:
    app = web.Application()
    app[CLIENT_INFO] = ClientInfo(Judge(hosts=["*"], origins=[], proxies=[]))
    add_web(app, ON_THE_WEB)
    add_pages(app, ON_THE_WEB_TOO)
    async with TestClient(TestServer(app)) as client:
        for path in ("/", "/rules", "/about"):
            text = await (await client.get(path, headers={"Accept-Language": "de"})).text()
            card = dict(CARD.findall(text))
            assert card["og:title"] == re.findall(r"<title>(.*)</title>", text)[0].removesuffix(": Serendip"), path
            assert card["og:description"] == re.findall(r'<meta name="description" content="([^"]*)">', text)[0]
            assert card["twitter:card"] == "summary_large_image"
            picture = await client.get(card["og:image"].removeprefix(ORIGIN))
            body = await picture.read()
            assert picture.content_type == "image/png"
            assert len(body) <= 60_000
            size = [int.from_bytes(body[at : at + 4]) for at in (16, 20)]
            assert [str(side) for side in size] == [card["og:image:width"], card["og:image:height"]] == ["1200", "630"]
            assert "<!--" not in text.split("</head>")[0]
            assert card["og:url"] == ORIGIN + path
            assert re.findall(r'<link rel="canonical" href="([^"]*)">', text) == [ORIGIN + path]
        assert "canonical" not in await (await client.get("/offline")).text()


async def test_where_it_is_not_known_where_the_page_is_no_address_is_told(client: Client) -> None:
    for path in ("/", "/rules"):
        text = await (await client.get(path, headers=PLAIN)).text()
        assert "canonical" not in text
        names = {name for name, _ in CARD.findall(text)}
        assert names - {"og:site_name", "og:type"} == {"og:title", "og:description"}
