"""A challenge before a program's search, where the operator has a reCAPTCHA: its events, its answer, and the wait where the company says nothing."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller
from tests.server.site.omegle.test_libraries import Script, library, script, secure
from tests.server.site.web.servers import Server
from tests.support.forkserver import START, forked
from tests.support.siteverify import Siteverify as Stub

__all__ = ["Script", "library", "script", "secure"]
pytestmark = pytest.mark.timeout(120)
python_omegle: Any = importlib.import_module("python_omegle")
KEY = "a-site-key"
PATIENT = "from server.trust.challenge import captcha_verdicts as siteverify\nsiteverify.PATIENCE = 60.0\n"  # the machine may be slow
forked(PATIENT + START)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Stub]:
    server = Stub("recaptcha")
    yield server
    server.stop()


@pytest.fixture
def company(theirs: Stub) -> int:
    """Where programs find it."""
    return theirs.port


def asking(data: Path, theirs: Stub) -> Server:
    """A server that asks everybody, by the company."""
    return Server(
        data,
        PATIENT,
        SERENDIP_CHALLENGE__ENABLED="true",
        SERENDIP_CHALLENGE__FIRST="true",
        SERENDIP_SERVER__HOSTS="localhost,127.0.0.1,front1.omegle.com",
        **theirs.environment,
    )


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, theirs: Stub) -> Iterator[Server]:
    """One for all of them."""
    server = asking(tmp_path_factory.mktemp("recaptcha"), theirs)
    yield server
    server.stop()


@pytest.fixture
async def web(wide: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser's worth of connections to it."""
    async with aiohttp.ClientSession(wide.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_the_search_goes_on_when_it_is_solved(web: aiohttp.ClientSession) -> None:
    one, two = Caller(web), Caller(web)
    for caller in (one, two):
        assert await caller.start(lang="is") == [["recaptchaRequired", KEY]]
        assert await caller.until("recaptchaRequired") == ["recaptchaRequired", KEY]
        assert await caller.post("/recaptcha", response=f"good-{caller.id}") == "win"
    for caller in (one, two):
        await caller.until("connected")
    assert await one.post("/send", msg="hei") == "win"
    assert await two.until("gotMessage") == ["gotMessage", "hei"]


async def test_a_wrong_answer_is_rejected_and_the_next_may_be_right(web: aiohttp.ClientSession) -> None:
    one = Caller(web)
    await one.start(lang="fo")
    await one.until("recaptchaRequired")
    assert await one.post("/recaptcha", challenge="an older form", response="bad") == "win"
    assert await one.until("recaptchaRejected") == ["recaptchaRejected", KEY]
    assert await one.post("/recaptcha", response=f"good-{one.id}") == "win"
    assert await one.until("waiting") == ["waiting"]
    assert await one.post("/recaptcha", response="good") == "fail", "none is open"


async def test_while_one_is_checked_a_second_is_not_taken_and_topics_can_be_given_up(
    web: aiohttp.ClientSession, theirs: Stub
) -> None:
    one, other = Caller(web), Caller(web)
    for caller, parameters in ((one, {"topics": '["boats"]'}), (other, {})):
        await caller.start(lang="sq", **parameters)
        await caller.until("recaptchaRequired")
    theirs.open.clear()
    before = len(theirs.asked)
    assert await one.post("/recaptcha", response=f"good-{one.id}") == "win"
    await asyncio.to_thread(theirs.wait, before + 1)
    assert await one.post("/recaptcha", response=f"good-again-{one.id}") == "fail"
    assert await one.post("/stoplookingforcommonlikes") == "win"
    theirs.open.set()
    assert await other.post("/recaptcha", response=f"good-{other.id}") == "win"
    for caller in (one, other):
        await caller.until("connected")


async def test_three_wrong_ones_are_told_to_wait(web: aiohttp.ClientSession) -> None:
    one = Caller(web)
    await one.start(lang="mt")
    await one.until("recaptchaRequired")
    for _ in range(2):
        assert await one.post("/recaptcha", response="bad") == "win"
        await one.until("recaptchaRejected")
    assert await one.post("/recaptcha", response="bad") == "win"
    assert await one.until("serverMessage") == [
        "serverMessage", "Please wait 60 seconds: many searches come from your network.",
    ]  # fmt: skip
    assert await one.post("/recaptcha", response=f"good-{one.id}") == "fail"


async def test_one_that_asks_not_to_be_tracked_waits(web: aiohttp.ClientSession, theirs: Stub) -> None:
    before = len(theirs.asked)
    async with aiohttp.ClientSession(web._base_url, headers={"Sec-GPC": "1"}) as private:
        one = Caller(private)
        assert [event[0] for event in await one.start(lang="ny")] == ["waiting", "statusInfo", "serverMessage"]
    assert len(theirs.asked) == before


def test_python_omegle_says_that_it_can_solve_none(wide: Server) -> None:
    chat = python_omegle.RandomChat(language="hr")
    chat._server_url = wide.url.rstrip("/")
    with pytest.raises(python_omegle.PythonOmegleException, match="ReCAPTCHA"):
        chat.start()


async def test_omegle_node_hears_of_it_and_solves_it(script: Any) -> None:
    one, two = await script(), await script()
    for number, client in enumerate((one, two)):
        client.tell("language", "mk")
        client.tell("connect")
        assert (await client.until("recaptchaRequired"))[1].endswith("/recaptcha/api/image?c=of-the-first-version")
        client.tell("solveReCAPTCHA", f"good-node-{number}")
    for client in (one, two):
        await client.until("connected")
    one.tell("send", "hei")
    assert await two.until("gotMessage") == ["gotMessage", "hei"]


async def test_where_the_company_says_nothing_it_waits_instead(tmp_path: Path) -> None:
    theirs = Stub("recaptcha")
    server = asking(tmp_path, theirs)
    try:
        async with aiohttp.ClientSession(server.url) as web:
            one, two = Caller(web), Caller(web)
            await one.start(lang="te")
            await one.until("recaptchaRequired")
            theirs.wrong = 500, b""
            assert await one.post("/recaptcha", response="good") == "win"
            said = await one.until("serverMessage")
            assert said == ["serverMessage", "Please wait 3 seconds: many searches come from your network."]
            assert [event[0] for event in await two.start(lang="te")] == ["waiting", "statusInfo", "serverMessage"]
            for caller in (one, two):
                await caller.until("connected")
    finally:
        server.stop()
        theirs.stop()
