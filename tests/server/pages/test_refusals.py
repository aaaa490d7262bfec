"""A person who opens an address that has nothing reads a document; a program reads the plain words that it expects."""

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.app import guard_faults
from server.http.site import Web, add_web
from server.pages import PAGES, Pages, add_pages
from server.pages.refusals import DRESSED, PROGRAMS, dressed

Client = TestClient[web.Request, web.Application]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
WEB = Web()  # both read files: before any loop
DOCUMENTS = Pages(WEB.static)


async def fails(request: web.Request) -> web.Response:
    """A fault of ours."""
    raise ZeroDivisionError


async def reads(request: web.Request) -> web.Response:
    """Takes a body, of so many bytes at the most."""
    return web.Response(text=str(len(await request.read())))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[dressed, guard_faults], client_max_size=1000)
    app[PAGES], app[PROGRAMS] = DOCUMENTS, {"/events", "/fails-for-programs"}
    add_web(app, WEB)
    add_pages(app, DOCUMENTS)
    app.router.add_get("/fails", fails)
    app.router.add_get("/fails-for-programs", fails)
    app.router.add_get("/api/fails", fails)
    app.router.add_post("/reads", reads)
    app.router.add_post("/events", reads)
    async with TestClient(TestServer(app)) as client:
        yield client


ASKED = {"404": ("GET", "/nothing"), "405": ("POST", "/rules"), "413": ("POST", "/reads"), "500": ("GET", "/fails")}


@pytest.mark.parametrize("status", DRESSED)
@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_browser_is_answered_with_a_document_in_its_language(
    client: Client, status: str, language: str
) -> None:
    method, path = ASKED[status]
    headers = {"Accept": BROWSER, "Accept-Language": f"{language}-AT,{language};q=0.9"}
    answer = await client.request(
        method, path, headers=headers, data=b"x" * 2000 if status == "413" else None, allow_redirects=False
    )
    assert answer.status == int(status)
    assert answer.content_type == "text/html"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept-Language" in answer.headers["Vary"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    text = await answer.text()
    assert f'<html lang="{language}" dir="ltr">' in text
    words = DOCUMENTS.words[language]
    assert re.findall(r"<h1>(.*)</h1>", text) == [words[status]]
    assert words[f"{status}.more"] in text
    assert words["rules"] in text
    assert '<meta name="robots" content="noindex">' in text


async def test_what_is_allowed_is_still_said(client: Client) -> None:
    answer = await client.post("/rules", headers={"Accept": BROWSER})
    assert answer.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/css,*/*;q=0.1"])
@pytest.mark.parametrize(("status", "method", "path"), [(404, "GET", "/nothing"), (500, "GET", "/fails")])
async def test_who_asks_for_no_document_gets_none(
    client: Client, accept: str, status: int, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers={"Accept": accept})
    assert (answer.status, answer.content_type) == (status, "text/plain")


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [
        (404, "GET", "/api/nothing"),
        (405, "GET", "/api/forget"),
        (500, "GET", "/api/fails"),
        (405, "GET", "/events"),
        (413, "POST", "/events"),
        (500, "GET", "/fails-for-programs"),
    ],
)
async def test_the_api_and_what_programs_ask_stay_plain_whatever_is_accepted(
    client: Client, status: int, method: str, path: str
) -> None:
    data = b"x" * 2000 if method == "POST" else None
    answer = await client.request(method, path, headers={"Accept": BROWSER}, data=data)
    assert (answer.status, answer.content_type) == (status, "text/plain")
