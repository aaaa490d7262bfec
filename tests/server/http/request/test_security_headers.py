"""Every answer is guarded; a handler that says another policy keeps it, and a strange Host gets into no header."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.http.request.security_headers import ALWAYS, DOCUMENT, READ, guard, page_policy


async def guarded(response: web.Response) -> web.Response:
    await guard(make_mocked_request("GET", "/"), response)
    return response


async def test_an_answer_that_says_nothing_gets_every_header_and_the_strictest_policy() -> None:
    headers = (await guarded(web.Response())).headers
    assert {name: headers[name] for name in ALWAYS} == ALWAYS
    assert headers["Content-Security-Policy"] == DOCUMENT
    assert "script-src" not in DOCUMENT


async def test_only_html_may_have_a_script_and_only_one_of_ours() -> None:
    headers = (await guarded(web.Response(text="<!doctype html>", content_type="text/html"))).headers
    assert headers["Content-Security-Policy"] == READ == f"{DOCUMENT}; script-src 'self'"


async def test_what_a_handler_says_itself_is_left_alone() -> None:
    said = {"Content-Security-Policy": page_policy("chat.example", True), "Referrer-Policy": "same-origin"}
    headers = (await guarded(web.Response(headers=said))).headers
    assert {name: headers[name] for name in said} == said


@pytest.mark.parametrize("host", ["chat.example", "chat.example:8080", "192.0.2.1:80", "[2001:db8::1]:443"])
def test_the_page_may_open_sockets_to_its_own_host(host: str) -> None:
    """By HTTPS only those that are encrypted."""
    assert f"connect-src 'self' wss://{host};" in page_policy(host, True)
    assert f"connect-src 'self' ws://{host};" in page_policy(host, False)


@pytest.mark.parametrize(
    "host", ["", "chat.example; script-src *", "a b", "chat.example:", "[::1", "x\r\nSet-Cookie: a=b"]
)
def test_a_strange_host_is_not_named(host: str) -> None:
    assert "connect-src 'self';" in page_policy(host, True)
