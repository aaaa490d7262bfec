"""Metrics: sources are added up at the scrape, in Prometheus' own words, for those who ask by a known name."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from server.ops.config import settings
from server.ops.health.readiness import Health
from server.ops.metrics.exposition import MetricsBoard, MetricsServer, UndeclaredMetricError, read_build
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_table import METRICS, OLD_NAMES
from server.ops.metrics.metric_type import Metric
from server.ops.process.listening_sockets import Sockets, StartError

TABLE = (
    Metric("messages", "counter", "messages taken"),
    Metric("waiting", "gauge", "people who wait", "", ("mode",)),
    Metric("match_seconds", "histogram", "from find to matched", "", ("mode",), (0.1, 1.0)),
)


@pytest.fixture
async def server() -> AsyncIterator[MetricsServer]:
    board = MetricsBoard()
    board.add(read_build, apart=True)
    running = MetricsServer(board, settings.Metrics(port=0), Health())
    await running.start()
    yield running
    await running.stop()


def scraped(board: MetricsBoard) -> dict[str, float]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(board)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        "|".join([sample.name, *(sample.labels[label] for label in sorted(sample.labels, reverse=True))]): sample.value
        for family in families
        for sample in family.samples
    }


def test_sources_of_one_name_are_added_up_by_label() -> None:
    board = MetricsBoard(TABLE)
    board.add(lambda: {"messages": 3, "waiting": {("text",): 1, ("video",): 2}})
    board.add(lambda: {"messages": 4, "waiting": {("text",): 5}})
    found = scraped(board)
    assert found["messages_total"] == 7
    assert (found["waiting|text"], found["waiting|video"]) == (6, 2)


def test_a_histogram_counted_by_bucket_is_shown_heaped_up() -> None:
    board = MetricsBoard(TABLE)
    board.add(lambda: {"match_seconds": {("text",): Buckets([1, 2, 3], 9.5)}})
    board.add(lambda: {"match_seconds": {("text",): Buckets([1, 0, 0], 0.5)}})
    found = scraped(board)
    assert [found[f"match_seconds_bucket|text|{bound}"] for bound in ("0.1", "1.0", "+Inf")] == [2, 4, 7]
    assert found["match_seconds_sum|text"] == 10
    assert found["match_seconds_count|text"] == 7


def test_a_name_that_the_table_does_not_list_is_an_error_that_names_it() -> None:
    board = MetricsBoard(TABLE)
    board.add(lambda: {"massages": 1})
    with pytest.raises(UndeclaredMetricError, match="massages"):
        scraped(board)


def test_a_renamed_metric_is_shown_under_both_names() -> None:
    board = MetricsBoard()
    board.add(lambda: {"serendip_upgrade_sessions_left": 3})
    shown = {family.name: family.samples[0].value for family in board.collect()}
    assert shown == {"serendip_upgrade_sessions_left": 3, "serendip_handover_left": 3}
    assert OLD_NAMES.keys() <= {metric.name for metric in METRICS}


def test_every_declared_metric_is_named_and_explained_as_prometheus_wants() -> None:
    for metric in METRICS:
        assert metric.name.startswith("serendip_")
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert metric.help
        assert (metric.kind == "histogram") == bool(metric.buckets)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


async def test_a_scrape_holds_what_runs_here_and_the_process(server: MetricsServer) -> None:
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = await answer.text()
    assert "serendip_build_info{" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/metrics", "evil.example", 421),
        ("GET", "/metrics", "localhost:9464", 200),
        ("HEAD", "/metrics", "[::1]", 200),
        ("POST", "/metrics", "localhost", 405),
        ("GET", "/", "localhost", 404),
        ("GET", "/metrics/../secret", "localhost", 404),
    ],
)
async def test_only_get_of_metrics_by_a_known_name_is_answered(
    server: MetricsServer, method: str, path: str, host: str, status: int
) -> None:
    url = f"http://127.0.0.1:{server.port}{path}"
    async with aiohttp.ClientSession() as client, client.request(method, url, headers={"Host": host}) as answer:
        assert answer.status == status


async def test_a_port_already_taken_leaves_the_service_without_metrics(server: MetricsServer) -> None:
    second = MetricsServer(MetricsBoard(), settings.Metrics(port=server.port), Health())
    await second.start()
    assert second.port is None
    await second.stop()


async def test_scrapes_at_once_are_all_answered(server: MetricsServer) -> None:
    async def scrape(client: aiohttp.ClientSession) -> int:
        async with client.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
            await answer.read()
            return answer.status

    async with aiohttp.ClientSession() as client:
        assert await asyncio.gather(*(scrape(client) for _ in range(50))) == [200] * 50


async def answered(port: int | None) -> int:
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return answer.status


async def test_who_asks_while_it_pauses_is_answered_by_the_next_on_the_same_port() -> None:
    sockets = Sockets()
    old = MetricsServer(MetricsBoard(), settings.Metrics(port=0), Health(), sockets)
    await old.start()
    assert await answered(old.port) == 200
    await old.pause()
    asked = asyncio.create_task(answered(old.port))
    theirs = Sockets({name: sock.dup() for name, sock in sockets.all().items()})
    new = MetricsServer(MetricsBoard(), settings.Metrics(port=old.port), Health(), theirs)
    await new.start(listening=False)
    await old.stop()
    assert not asked.done()
    await new.listen()
    assert await asked == 200
    await new.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await answered(new.port)


async def test_after_a_pause_it_answers_again(server: MetricsServer) -> None:
    await server.pause()
    await server.pause()
    await server.listen()
    await server.listen()
    assert await answered(server.port) == 200


async def test_another_port_than_that_of_the_process_before_needs_a_restart() -> None:
    sockets = Sockets()
    old = MetricsServer(MetricsBoard(), settings.Metrics(port=0), Health(), sockets)
    await old.start()
    new = MetricsServer(MetricsBoard(), settings.Metrics(port=(old.port or 0) + 1), Health(), sockets)
    with pytest.raises(StartError, match=r"metrics: .* needs a restart"):
        await new.start(listening=False)
    await new.stop()
    await old.stop()


async def test_without_a_port_there_is_nothing_to_answer_on(server: MetricsServer) -> None:
    second = MetricsServer(MetricsBoard(), settings.Metrics(port=server.port), Health())
    await second.start(listening=False)
    await second.listen()
    await second.pause()
    assert second.port is None
    await second.stop()


async def test_whoever_ends_waits_for_the_next_scrape_only_where_there_was_one_and_no_longer_than_it_may(
    server: MetricsServer,
) -> None:
    await server.scraped_again(lambda: True)  # nobody scrapes: there is nobody to wait for
    async with aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{server.port}/metrics"
        async with client.get(url):
            pass
        await server.scraped_again(lambda: False)  # a signal came
        waiting = asyncio.create_task(server.scraped_again(lambda: True))
        await asyncio.sleep(0)
        assert not waiting.done()
        async with client.get(url):
            pass
        await waiting
