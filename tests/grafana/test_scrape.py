"""The scrape of a live server: clean by promtool, answered in overload and ten times a second, and nothing of it from outside."""

import asyncio
import json
import socket
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.load import generator
from engine.wire.protocol import FAULTS
from server.ops.metrics.ipc_metrics import ALONE
from server.ops.metrics.metric_table import OLD_NAMES, VALUES
from tests.grafana.boards import ROOT
from tests.grafana.driven import Driven, spy, talk, trouble
from tests.grafana.service import PATIENCE, Person, serendip

# The first parts of the addresses that the program declares.
PATHS = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
ROUTES = {"none", *("/" + path.split("/")[1] for path in PATHS)}
TENTH = 0.1  # seconds between two scrapes of somebody who is impatient


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[int, int]]:
    with serendip(tmp_path, SERENDIP_LIMITS__ENABLED="false") as ports:
        yield ports


async def scraped(http: aiohttp.ClientSession, metrics: int, **headers: str) -> str:
    """The text of one scrape."""
    async with http.get(f"http://127.0.0.1:{metrics}/metrics", headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


def values(text: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_promtool_finds_nothing_to_complain_of_after_chats_of_each_kind(live: tuple[int, int]) -> None:
    port, metrics = live
    driven = Driven()
    async with aiohttp.ClientSession() as http:
        await trouble(http, port, driven)
        await talk(http, port, driven)
        await spy(http, port, driven)
        text = await scraped(http, metrics)
    check = await asyncio.to_thread(
        subprocess.run, ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")


async def test_no_label_has_a_value_from_outside(live: tuple[int, int]) -> None:
    port, metrics = live
    async with aiohttp.ClientSession() as http:
        one, _ = await Person.comes(http, port)
        await one.says(type="find", language="tlh", interests=["outside"], mode="text")
        await one.hears("waiting")
        for frame in (
            {"type": "outside"},
            {"type": "report", "reason": "outside"},
            {"type": "find", "mode": "outside"},
        ):
            await one.says(**frame)
            await one.hears("error")
        await one.socket.close(code=4321)
        for name in ("Host", "Origin"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(f"http://127.0.0.1:{port}/ws", headers={name: "http://outside.example"})
        async with http.request("OUTSIDE", f"http://127.0.0.1:{port}/outside", headers={"X-Outside": "outside"}):
            pass
        text = await scraped(http, metrics, **{"User-Agent": "outside"})
    # without the numbers: the time of the start and what a turn took have any digits
    named = "\n".join(line if line.startswith("#") else line.rpartition(" ")[0] for line in text.splitlines())
    assert "serendip_closes_total{" in named
    for foreign in ("outside", "tlh", "4321"):
        assert foreign not in named
    new_names = {old: new for new, old in OLD_NAMES.items()}
    for family in text_string_to_metric_families(text):
        name = new_names.get(family.name, family.name)
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label == "le" or family.name in ("serendip_build_info", "serendip_store_schema_info"):
                    continue
                known = VALUES.get(name, {}).get(label) or {"route": ROUTES, "code": FAULTS, "process": {ALONE}}[label]
                assert value in known, (sample.name, label)


async def test_who_scrapes_ten_times_a_second_costs_nobody_a_message_and_leaves_nothing_open(
    live: tuple[int, int],
) -> None:
    port, metrics = live
    driven = Driven()
    done = asyncio.Event()
    texts: list[str] = []

    async def impatient() -> None:
        while not done.is_set():
            async with aiohttp.ClientSession() as own:  # a connection for each scrape
                texts.append(await scraped(own, metrics))
            await asyncio.sleep(TENTH)

    async with aiohttp.ClientSession() as http:
        scraping = asyncio.create_task(impatient())
        while len(texts) < 30:
            await talk(http, port, driven)
            await asyncio.sleep(0)
        done.set()
        await scraping
        last = values(await scraped(http, metrics))
    assert last["serendip_messages_total[]"] == driven.count["messages"]
    series = [values(text) for text in texts]
    counters = [name for name in series[0] if name.startswith("serendip_") and "_total[" in name]
    for before, after in pairwise(series):
        assert all(after[name] >= before[name] for name in counters)
    # the worker's own, those of a chat, its HTTP client's and this scrape's: not one a scrape
    assert last["process_open_fds[]"] <= series[0]["process_open_fds[]"] + 15


@pytest.mark.timeout(120)
async def test_a_scrape_in_overload_is_answered_and_no_message_is_lost_for_it(live: tuple[int, int]) -> None:
    port, metrics = live
    command = [str(generator.built()), "relay", "-n", "200", "-d", "32", "-p", str(port), "-t", "3"]
    load = asyncio.create_task(asyncio.to_thread(subprocess.run, command, capture_output=True, check=False, timeout=60))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
        texts = [await scraped(http, metrics)]
        while not load.done():
            texts.append(await scraped(http, metrics))
        found = json.loads((await load).stdout)
        texts.append(await scraped(http, metrics))  # the last one may have begun before the last message came
    assert found["errors"] == 0
    counts = [values(text)["serendip_messages_total[]"] for text in texts]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    assert counts[-1] >= found["messages"]


async def test_a_metrics_port_that_is_taken_is_logged_and_the_service_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with serendip(tmp_path, SERENDIP_METRICS__PORT=str(number)) as (port, _):
            async with aiohttp.ClientSession() as http:
                person, _ = await Person.comes(http, port)
                await person.says(type="ping")
                await person.hears("pong")
                await person.leaves()
    log = (tmp_path / "server.ops.log").read_text()
    events = {line["event"]: line for line in map(json.loads, log.splitlines())}
    assert events["metrics.port_taken"]["port"] == number
    assert events["metrics.port_taken"]["level"] == "warning"
    assert "metrics.ready" not in events


async def test_the_metrics_port_answers_nobody_who_asks_by_a_foreign_name(live: tuple[int, int]) -> None:
    _, metrics = live
    url = f"http://127.0.0.1:{metrics}/metrics"
    async with aiohttp.ClientSession() as http:
        for name in ("evil.example", f"evil.example:{metrics}", "127.0.0.1.evil.example", ""):
            async with http.get(url, headers={"Host": name}) as answer:
                assert answer.status in (400, 421)
                assert "serendip_" not in await answer.text()


async def test_whom_the_rates_stop_is_counted_by_what_they_asked(tmp_path: Path) -> None:
    """One of each more than the burst, said at once."""
    bursts = {"MESSAGE": "3", "SIGNAL": "4", "FIND": "2"}
    settings = {
        f"SERENDIP_LIMITS__{what}_{part}": value
        for what, burst in bursts.items()
        for part, value in (("BURST", burst), ("RATE", "0.01"))
    }
    with serendip(tmp_path, **settings) as (port, metrics):
        async with aiohttp.ClientSession() as http:
            one, other = [(await Person.comes(http, port))[0] for _ in range(2)]
            for person in (one, other):
                await person.says(type="find", mode="video", interests=["limits"])
            for person in (one, other):
                await person.hears("matched")
            for _ in range(4):
                await one.says(type="message", text="again")
            assert (await one.hears("error"))["code"] == "too_fast"
            for _ in range(5):
                await one.says(type="signal", candidate=None)
            assert (await one.hears("error"))["code"] == "too_fast"
            for _ in range(2):
                await one.says(type="find", mode="video")
            assert (await one.hears("error"))["code"] == "too_fast"
            text = await scraped(http, metrics)
            for person in (one, other):
                await person.leaves()
    found = {
        sample.labels["what"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "serendip_limited_total"
    }
    assert found == {"message": 1, "signal": 1, "find": 1}
