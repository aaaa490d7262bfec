"""While a process has too much work newcomers get no page, but for a share of them, and everybody else what they ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine.wire.protocol import FULL_AFTER_LEAST, FULL_AFTER_MOST
from server.http.request.site_services import Services, SiteParts
from server.main import app
from server.main.parts.reception import Reception
from server.ops.config.settings import Settings
from server.ops.health.readiness import Health
from server.ops.metrics.readings import ResponseCounts
from server.ops.security import secret_keys
from server.ops.security.resume_tokens import Tokens
from server.realtime.worker.worker_loop import Worker

pytestmark = pytest.mark.blocking  # it is made before anybody is served: files are read
COOKIE = "A" * 22
Client = TestClient[web.Request, web.Application]


class Crowded:
    """The application over a worker that is late."""

    def __init__(self, folder: Path) -> None:
        settings, secret = Settings(data=folder), secret_keys.load(folder)
        reception = Reception(settings, secret)
        self.worker: Worker = reception.worker
        parts = SiteParts(tokens=Tokens(secret))
        services = Services(settings, self.worker, Health(), reception.judge, parts)
        self.pages = app.build(services, self.worker)
        self.answers = ResponseCounts(self.pages)
        for _ in range(3):
            self.worker._crowding.look(1.0, None)


@pytest.fixture
async def crowded(tmp_path: Path) -> Crowded:
    return Crowded(tmp_path)


@pytest.fixture
async def client(crowded: Crowded) -> AsyncIterator[Client]:
    async with TestClient(TestServer(crowded.pages)) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/about", "/nothing"])
async def test_a_newcomer_is_told_when_to_come_back(client: Client, crowded: Crowded, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (503, "no-store")
    assert FULL_AFTER_LEAST <= int(answer.headers["Retry-After"]) <= FULL_AFTER_MOST
    assert "full" in await answer.text()
    assert "Set-Cookie" not in answer.headers
    assert crowded.worker._crowding.turned_away == 1
    counted = crowded.answers.reading()["serendip_http_responses"]
    assert set(counted.values()) == {0}, "it is no fault of ours"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/api/status", "/api/config", "/sw.js", "/status", "/favicon.ico"]
)
async def test_what_is_no_page_is_answered_as_ever(client: Client, crowded: Crowded, path: str) -> None:
    late = await client.get(path)
    assert crowded.worker._crowding.turned_away == 0
    crowded.worker._crowding.late = float("inf")
    for _ in range(3):
        crowded.worker._crowding.look(0.0, None)
    assert not crowded.worker.crowded
    assert (await client.get(path)).status == late.status


async def test_who_is_here_sees_every_page_and_others_see_it_when_it_is_over(client: Client, crowded: Crowded) -> None:
    worker, cookie = crowded.worker, {"Cookie": f"id={COOKIE}"}
    session = worker.engine.opened(1, 7, worker.identities.of(COOKIE.encode()), "192.0.2.1", 0.0)
    assert (await client.get("/about", headers=cookie)).status == 200
    assert (await client.get("/about", headers={"Cookie": f"id={'B' * 22}"})).status == 503
    for _ in range(3):
        worker._crowding.look(0.0, None)
    assert (await client.get("/about")).status == 200
    worker.engine.lost(session, 1, 0, 0.0)


async def test_a_post_is_no_page(client: Client, crowded: Crowded) -> None:
    assert (await client.post("/about")).status == 405
    assert crowded.worker._crowding.turned_away == 0


async def test_one_in_four_newcomers_gets_a_page_and_may_connect_by_it(client: Client, crowded: Crowded) -> None:
    assert [(await client.get("/about")).status for _ in range(8)].count(200) == 2
    assert [crowded.worker.admits() for _ in range(3)] == [True, True, False]
