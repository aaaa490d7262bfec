"""A server of somebody else gets no cookie back and no version, and its answer is read as far as it is wanted."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from server.http.request.http_client import HttpClient, read_bounded


@pytest.fixture
async def theirs() -> AsyncIterator[str]:
    """One that sets a cookie, and answers what it was sent, and by whom."""

    async def answer(request: web.Request) -> web.Response:
        told = web.json_response({"agent": request.headers["User-Agent"], "cookies": dict(request.cookies)})
        told.set_cookie("who", "you")
        return told

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_it_learns_nothing_of_us_the_second_time_either(theirs: str) -> None:
    elsewhere = HttpClient(1)
    for _ in range(2):
        async with elsewhere.web().get(theirs) as answer:
            assert await answer.json() == {"agent": "serendip", "cookies": {}}
    await elsewhere.stop()
    await HttpClient(1).stop()


@pytest.mark.parametrize(("most", "whole"), [(36, True), (35, False), (0, False)])
async def test_what_is_too_long_is_not_there(theirs: str, most: int, whole: bool) -> None:
    elsewhere = HttpClient(1)
    async with elsewhere.web().get(theirs) as answer:
        found = await read_bounded(answer, most)
    assert found == (b'{"agent": "serendip", "cookies": {}}' if whole else None)
    await elsewhere.stop()
