"""What a server's metrics say of it, and how many users its machine holds."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.main.checks import running_server_checks
from server.main.checks.check_finding import Level
from server.main.checks.running_server_checks import APART_S, Samples, capacity, running_server, scrape
from server.ops.config.settings import Metrics, Settings


def samples(users: float, top: float, cpu: float = 0.0, fds: float = 1e6) -> Samples:
    return {
        ("serendip_connections", ""): users,
        ("serendip_connections_top", ""): top,
        ("serendip_process_max_fds", "worker 1"): fds,
        ("serendip_process_max_fds", "frontend"): 10.0,
        ("serendip_process_cpu_seconds_total", "worker 1"): cpu,
        ("serendip_process_cpu_seconds_total", "hub"): cpu / 100,
    }


def test_the_narrowest_bound_decides_and_is_named() -> None:
    by_cpu = capacity(samples(1000, 1000), samples(1000, 1000, cpu=0.1 * APART_S))
    assert "holds about 7,000 people, by CPU: 10 % of 1 cores now" in by_cpu.said
    assert "most at once in the last day: 1,000, now 1,000" in by_cpu.said
    assert by_cpu.level is Level.OK
    by_files = capacity(samples(1000, 1000), samples(1000, 1000, cpu=0.1 * APART_S, fds=4096))
    assert "holds about 3,600 people, by the descriptors" in by_files.said


def test_a_top_near_the_bound_is_a_warning_with_a_remedy() -> None:
    found = capacity(samples(1000, 3000), samples(1000, 3000, fds=4096))
    assert found.level is Level.WARNING
    assert "serendip help scale" in found.remedy


def test_with_few_users_the_cpu_of_one_is_not_guessed() -> None:
    found = capacity(samples(3, 5), samples(3, 5, cpu=APART_S))
    assert "CPU:" not in found.said
    assert "is measured from 100 people on" in found.said


def test_where_nothing_tells_a_bound_no_figure_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_server_checks, "_by_memory", lambda _: iter(()))
    assert capacity({}, {}).level is Level.OK
    assert "is not known" in capacity({}, {}).said


async def test_no_server_is_an_error_and_one_with_trouble_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_server_checks, "APART_S", 0.01)
    (found,) = await running_server(Settings.model_validate({"metrics": {"port": 1}}))
    assert (found.level, found.remedy) == (Level.ERROR, "does it run? serendip status")

    async def metrics(request: web.Request) -> web.Response:
        assert request.headers["Host"] == "localhost"
        lines = (
            'serendip_process_max_fds{process="worker 1"} 1000',
            'serendip_process_open_fds{process="worker 1"} 900',
            "serendip_reports_waiting 40",
            'serendip_cases_oldest_seconds{queue="urgent"} 7200',
        )
        return web.Response(text="\n".join((*lines, "")))

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    async with TestServer(app) as server:
        chosen = Metrics.model_validate({"port": server.port})
        assert (await scrape(chosen))["serendip_reports_waiting", ""] == 40
        said = [(one.level, one.said) for one in await running_server(Settings(metrics=chosen))]
    assert said[:3] == [
        (Level.ERROR, "worker 1 uses 90 % of its 1000 descriptors"),
        (Level.WARNING, "40 reports wait for the database"),
        (Level.ERROR, "the oldest of the queue urgent has waited for 2 h"),
    ]
