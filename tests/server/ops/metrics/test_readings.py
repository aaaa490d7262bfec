"""What a worker counts reaches the scrape under declared names with declared labels."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.ops.metrics import readings
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_table import LANGUAGES, METRICS, VALUES
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys, load
from server.realtime.worker.worker_loop import Worker

DECLARED = {metric.name: metric for metric in METRICS}


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


def make_worker(secret: Keys) -> Worker:
    judge = Judge(hosts=("localhost",), origins=(), proxies=())
    reactor = Reactor(
        judge=judge, addresses=Addresses(open_max=100, burst=40, rate=4, limits=True), now=0.0, wall=0.0, limits=True
    )

    def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
        return Engine.build(Rings(1 << 20), outside, out, bus)

    return Worker(reactor, make_engine, {}, Tokens(secret), Identities(bytes(32)), 15.0)


async def test_every_reading_of_a_worker_is_declared_and_every_label_has_a_listed_value(secret: Keys) -> None:
    worker = make_worker(secret)
    reading = readings.source("server", worker.reactor, worker.engine, worker.output.signals_refused)()
    for name, value in reading.items():
        metric = DECLARED[name]
        if isinstance(value, Buckets):
            assert len(value.counts) == len(metric.buckets) + 1
        for labels in value if isinstance(value, dict) else ():
            assert len(labels) == len(metric.labels)
            for label, found in zip(metric.labels, labels, strict=True):
                assert found in VALUES.get(name, {}).get(label, (found,))


async def test_the_sessions_are_counted_once_a_second_however_often_somebody_scrapes(secret: Keys) -> None:
    worker = make_worker(secret)
    now = 10.0
    read = readings.source("server", worker.reactor, worker.engine, {}, lambda: now)
    read()
    worker.engine.opened(1, 77, 0, "192.0.2.1", now)
    now = 10.9
    assert read()["serendip_sessions"]["idle", "here"] == 0  # type: ignore[index]
    now = 11.0
    assert read()["serendip_sessions"]["idle", "here"] == 1  # type: ignore[index]


def test_a_language_that_is_not_listed_has_no_series_of_its_own() -> None:
    found = readings.waiting({("text", "en"): 2, ("text", "xx"): 3, ("text", "yy"): 4, ("video", "*"): 5})
    assert found["text", "other"] == 7
    assert (found["text", "en"], found["video", "any"]) == (2, 5)
    assert {language for _, language in found} <= set(LANGUAGES)


async def test_an_answer_is_timed_under_the_route_that_the_program_declares() -> None:
    async def show(request: web.Request) -> web.Response:
        if request.match_info["id"] == "broken":
            raise RuntimeError
        return web.Response()

    app = web.Application()
    app.router.add_get("/log/{id}", show)
    app.router.add_get("/ws", show)
    answers = readings.ResponseCounts(app)
    async with TestClient(TestServer(app)) as client:
        for path in ("/log/secret", "/log/other", "/log/broken", "/nowhere", "/elsewhere/x", "/ws?x=1"):
            await client.get(path)
    times = answers.reading()["serendip_http_seconds"]
    assert {route: sum(found.counts) for (route,), found in times.items()} == {"/log": 3, "none": 2}  # type: ignore[union-attr]


async def test_the_lag_is_measured_seldom_where_nobody_is_and_until_it_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = False
    lag = readings.LoopLag("server", lambda: used)
    assert lag.every == readings.LAG_UNUSED
    used = True
    assert lag.every == readings.LAG_EVERY == readings.LoopLag("frontend").every

    def measured() -> int:
        value: Any = lag.reading()["serendip_loop_lag_seconds"]
        return sum(value["server",].counts)

    monkeypatch.setattr(readings, "LAG_EVERY", 0.001)
    task = asyncio.create_task(lag.run())
    while measured() < 3:  # noqa: ASYNC110 - a histogram has no event
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert lag._timer is not None
    assert lag._timer.cancelled()
