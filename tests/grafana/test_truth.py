"""The boards and alerts are true: a server, Debian's Prometheus, real chats of each kind, every query asked, values compared."""

import asyncio
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.grafana.boards import ALERTS, queries
from tests.grafana.service import PATIENCE, Person, prometheus, serendip

ROUNDS_SECONDS = 5.0  # of chats, so that every rate has several scrapes to stand on
# What only a store brings; asked like the others once the server has one.
STORE = ("serendip_store_", "serendip_logs_")


class Driven:
    """What was done to the server, to be compared with what Prometheus says."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()


async def two(http: aiohttp.ClientSession, port: int, driven: Driven, **wish: Any) -> tuple[Person, Person]:
    """Two who find each other."""
    one, _ = await Person.comes(http, port)
    other, _ = await Person.comes(http, port)
    await one.says(type="find", **wish)
    await other.says(type="find", **wish)
    common = (await one.hears("matched"))["common"]
    await other.hears("matched")
    driven.count["matches"] += 1
    driven.count["common"] += len(common)
    driven.count["opened"] += 2
    return one, other


async def talk(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """One of each kind of chat."""
    one, other = await two(http, port, driven, interests=["chess", "tea"], language="en")
    for number in range(5):
        await one.says(type="typing", typing=True)
        await one.says(type="message", text=f"number {number}")
        assert (await other.hears("message"))["text"] == f"number {number}"
        driven.count["messages"] += 1
        driven.count["typing"] += 1
    if not driven.count["reports"]:  # one: more would be a surge, and its alert would fire
        await other.says(type="report", reason="spam")
        await other.hears("reported")
        driven.count["reports"] += 1
    await one.says(type="leave")
    await other.hears("left")
    driven.count["ended"] += 1
    await one.says(type="nonsense")
    assert (await one.hears("error"))["code"] == "bad_type"
    driven.count["bad_type"] += 1
    await one.leaves()
    await other.leaves()
    driven.count["left 1000"] += 2

    one, other = await two(http, port, driven, mode="video", interests=["film"])
    await one.says(type="signal", candidate=None)
    await other.hears("signal")
    driven.count["signals"] += 1
    await one.leaves()
    await other.hears("left")
    await other.leaves()
    driven.count["ended"] += 1
    driven.count["left 1000"] += 2


async def spy(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """A question and its three."""
    people = [(await Person.comes(http, port))[0] for _ in range(3)]
    driven.count["opened"] += 3
    await people[0].says(type="find", role="spy", question="Is tea better than coffee?")
    for discusser in people[1:]:
        await discusser.says(type="find", role="discuss")
    for person in people:
        await person.hears("matched")
    driven.count["spy matches"] += 1
    await people[1].leaves()
    await people[2].hears("left")
    await people[0].hears("left")
    driven.count["ended"] += 1
    for person in (people[0], people[2]):
        await person.leaves()
    driven.count["left 1000"] += 3


async def trouble(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """What clients and strangers do wrong."""
    one, hello = await Person.comes(http, port)
    one.socket._writer.transport.abort()  # type: ignore[union-attr]  # the network goes, without a close
    back, _ = await Person.comes(http, port)
    await back.says(type="resume", token=hello["token"], last=0)
    await back.hears("resumed")
    await back.says(type="ping")
    await back.hears("pong")
    await back.leaves()
    driven.count["opened"] += 2
    driven.count["resumes"] += 1
    driven.count["left 1000"] += 1
    bad, _ = await Person.comes(http, port)
    await bad.socket.send_bytes(b"\0")
    with pytest.raises(ConnectionError):
        await bad.hears("pong")
    driven.count["opened"] += 1
    driven.count["closed 1003"] += 1
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"http://127.0.0.1:{port}/ws", headers={"Host": "evil.example"})
    driven.count["host"] += 1
    for path, status in (("/healthz", 200), ("/nowhere", 404)):
        async with http.get(f"http://127.0.0.1:{port}{path}") as answer:
            assert answer.status == status
            driven.count[f"{status // 100}xx"] += 1


async def ask(http: aiohttp.ClientSession, base: str, query: str) -> list[dict[str, Any]]:
    """Prometheus' answer to an instant query."""
    async with http.get(f"{base}/api/v1/query", params={"query": query}) as answer:
        body = await answer.json()
    assert body["status"] == "success", (query, body)
    found: list[dict[str, Any]] = body["data"]["result"]
    return found


async def number(http: aiohttp.ClientSession, base: str, query: str) -> float:
    """The one number of a query; not a number where there is none."""
    found = await ask(http, base, query)
    return float(found[0]["value"][1]) if found else math.nan


async def says(http: aiohttp.ClientSession, base: str, query: str, value: float) -> None:
    """Wait until Prometheus has scraped that value: a poll, for it tells nobody."""
    async with asyncio.timeout(PATIENCE):
        while await number(http, base, query) != value:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@pytest.mark.timeout(180)
async def test_every_query_of_every_board_and_alert_is_answered_and_agrees_with_what_was_done(tmp_path: Path) -> None:
    driven = Driven()
    with (
        serendip(tmp_path, SERENDIP_LIMITS__ENABLED="false") as (port, metrics),
        prometheus(tmp_path, metrics) as base,
    ):
        async with aiohttp.ClientSession() as http:
            await says(http, base, "sum(up)", 1)  # the first scrape comes seconds after the start
            waits, _ = await Person.comes(http, port)  # one who waits all the time
            await waits.says(type="find", language="xx", interests=["nobody"])
            await waits.hears("waiting")
            driven.count["opened"] += 1
            await trouble(http, port, driven)
            end = time.monotonic() + ROUNDS_SECONDS
            while time.monotonic() < end:
                await talk(http, port, driven)
                await spy(http, port, driven)
            await says(http, base, "sum(serendip_messages_total)", driven.count["messages"])
            await says(http, base, "sum(serendip_sessions)", 1)
            await agrees(http, base, driven)
            await answered(http, base)
            await waits.leaves()


async def agrees(http: aiohttp.ClientSession, base: str, driven: Driven) -> None:
    """Values against what was driven."""
    did = driven.count
    expected = {
        "sum(serendip_connections)": 1,
        "serendip_waiting{language='other', mode='text'}": 1,
        "sum(serendip_sessions{state='waiting', connection='here'})": 1,
        "sum(serendip_sessions)": 1,
        "sum(serendip_handshakes_total{result='opened'})": did["opened"],
        "sum(serendip_handshakes_total{result='host'})": did["host"],
        "sum(serendip_matches_total{rule!='spy'})": did["matches"],
        "sum(serendip_matches_total{rule='spy'})": did["spy matches"],
        "sum(serendip_match_wait_seconds_count{mode='spy'})": 2 * did["spy matches"],
        "sum(serendip_match_wait_seconds_count{mode!='spy'})": 2 * did["matches"],
        "sum(serendip_match_common_interests_sum)": did["common"],
        "sum(serendip_tickets_total{outcome='matched'})": 2 * did["matches"],
        "sum(serendip_tickets_total{outcome='submitted'})": 2 * did["matches"] + 1,
        "sum(serendip_chats_ended_total)": did["ended"],
        "sum(serendip_chat_seconds_count)": did["ended"],
        "sum(serendip_messages_total)": did["messages"],
        "sum(serendip_relay_seconds_count)": did["messages"],
        "sum(serendip_typing_total)": did["typing"],
        "sum(serendip_signals_total)": did["signals"],
        "sum(serendip_reports_total{reason='spam'})": did["reports"],
        "sum(serendip_resumes_total)": did["resumes"],
        "sum(serendip_errors_total{code='bad_type'})": did["bad_type"],
        "sum(serendip_errors_total{code='binary'})": did["closed 1003"],
        "sum(serendip_closes_total{side='client', code='1000'})": did["left 1000"],
        "sum(serendip_closes_total{side='server', code='1003'})": did["closed 1003"],
        "sum(serendip_closes_total{side='client', code='none'})": 1,
        "sum(serendip_http_responses_total{status='2xx'})": did["2xx"],
        "sum(serendip_http_responses_total{status='4xx'})": did["4xx"],
        "serendip_log_undeclared_total": 0,
    }
    found = {query: await number(http, base, query) for query in expected}
    assert found == expected


async def answered(http: aiohttp.ClientSession, base: str) -> None:
    """Every panel has series with numbers; every alert is a query, and none fires."""
    store = await ask(http, base, "serendip_store_up")
    empty = []
    for where, text in queries("10s"):
        if any(name in text for name in STORE) and not store:
            continue
        found = await ask(http, base, text)
        if not found or all(math.isnan(float(series["value"][1])) for series in found):
            empty.append((where, text))
    assert not empty
    for alert in ALERTS:
        await ask(http, base, alert["expr"])
    firing = {series["metric"]["alertname"] for series in await ask(http, base, 'ALERTS{alertstate="firing"}')}
    assert not firing
    async with http.get(f"{base}/api/v1/rules") as answer:
        groups = (await answer.json())["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
