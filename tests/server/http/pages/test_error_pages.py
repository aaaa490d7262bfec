"""A person who opens an address that has nothing reads a document; a program reads the plain words that it expects."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.pages import PAGES, Pages, add_pages
from server.http.pages.error_pages import DRESSED, PROGRAMS, Answer, dress_refusal
from server.http.request.reactor_handoff import Door
from server.main.app import guard_faults
from server.site.front.page_files import Web, add_web

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
    app = web.Application(middlewares=[dress_refusal, guard_faults], client_max_size=1000)
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
@pytest.mark.parametrize("language", ["en", "ar"])
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
    t = DOCUMENTS.said[language]
    assert f'<html lang="{language}" dir="{t.direction}">' in text
    assert re.findall(r"<h1>(.*)</h1>", text) == [t(f"refusal.{status}")]
    assert t(f"refusal.{status}.more") in text
    assert t("home.rules") in text
    assert '<meta name="robots" content="noindex">' in text


async def test_what_is_allowed_is_still_said(client: Client) -> None:
    answer = await client.post("/rules", headers={"Accept": BROWSER})
    assert answer.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("accept", ["*/*", "", "text/css,*/*;q=0.1"])
@pytest.mark.parametrize(("status", "method", "path"), [(404, "GET", "/nothing"), (500, "GET", "/fails")])
async def test_who_asks_for_no_document_gets_none(
    client: Client, accept: str, status: int, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers={"Accept": accept})
    assert (answer.status, answer.content_type) == (status, "text/plain")


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [
        (405, "GET", "/events"),
        (413, "POST", "/events"),
        (500, "GET", "/fails-for-programs"),
    ],
)
async def test_what_programs_ask_stays_plain_whatever_is_accepted(
    client: Client, status: int, method: str, path: str
) -> None:
    data = b"x" * 2000 if method == "POST" else None
    answer = await client.request(method, path, headers={"Accept": BROWSER}, data=data)
    assert (answer.status, answer.content_type) == (status, "text/plain")


@pytest.mark.parametrize(
    ("status", "method", "path", "said"),
    [
        (404, "GET", "/nothing", "Not Found"),
        (404, "GET", "/api/nothing", "Not Found"),
        (405, "POST", "/rules", "Method Not Allowed"),
        (500, "GET", "/fails", "Something went wrong here."),
        (500, "GET", "/api/fails", "Something went wrong here."),
    ],
)
async def test_a_program_that_asks_for_json_gets_json(
    client: Client, status: int, method: str, path: str, said: str
) -> None:
    answer = await client.request(method, path, headers={"Accept": "application/json, */*;q=0.5"})
    assert (answer.status, await answer.json()) == (status, {"error": said})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept" in answer.headers["Vary"]
    assert (status == 405) == ("Allow" in answer.headers)


@pytest.mark.parametrize("accept", [BROWSER, "*/*", ""])
@pytest.mark.parametrize(
    ("status", "method", "path"),
    [(404, "GET", "/api/nothing"), (405, "GET", "/api/forget"), (500, "GET", "/api/fails")],
)
async def test_the_api_answers_json_whatever_is_accepted(
    client: Client, accept: str, status: int, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers={"Accept": accept})
    assert (answer.status, answer.content_type, list(await answer.json())) == (status, "application/json", ["error"])


async def test_programs_of_another_protocol_get_no_json_that_they_do_not_know(client: Client) -> None:
    answer = await client.get("/fails-for-programs", headers={"Accept": "application/json"})
    assert (answer.status, answer.content_type) == (500, "text/plain")


@web.middleware
async def outside(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Fails where nothing of the application stands around it any more."""
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("path", "accept", "kind", "said"),
    [
        ("/rules", BROWSER, "text/html", "<h1>Something went wrong here.</h1>"),
        ("/rules", "application/json", "application/json", '{"error": "Something went wrong here."}'),
        ("/rules", "*/*", "text/plain", "Something went wrong here.\n"),
        ("/events", BROWSER, "text/plain", "Something went wrong here.\n"),
    ],
)
async def test_a_fault_outside_of_the_application_is_answered_as_one_within(
    path: str, accept: str, kind: str, said: str
) -> None:
    app = web.Application(middlewares=[outside])
    app[PAGES], app[PROGRAMS] = DOCUMENTS, {"/events"}
    add_web(app, WEB)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    door = Door(
        cast(Any, runner.server),
        Judge(hosts=[], origins=[], proxies=[]),
        Addresses(open_max=9, burst=9, rate=9, limits=False),
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        theirs, _ = listener.accept()
        client.setblocking(False)
        theirs.setblocking(False)
        door.take(theirs.detach(), f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode(), 0.0)
        answer = b""
        while more := await asyncio.get_running_loop().sock_recv(client, 65536):
            answer += more
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 500 ")
    assert f"Content-Type: {kind}" in head
    assert said in body
    assert "Traceback" not in body
    await runner.cleanup()
