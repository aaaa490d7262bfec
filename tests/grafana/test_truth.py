"""The boards and alerts are true: a server, Debian's Prometheus, real chats of each kind, every query asked, values compared."""

import asyncio
import contextlib
import json
import math
import re
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.ops.process.control_socket import ask as ask_server
from server.ops.security import secret_keys
from tests.grafana.boards import ALERTS, queries
from tests.grafana.driven import Driven, looked_at, spy, talk, trouble, two
from tests.grafana.service import PATIENCE, Person, prometheus, serendip
from tests.support import services

# Parts that are off unless somebody has them, so that their panels have something to show: nobody mails or reports here.
ANSWERS = """import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "found": []}), flush=True)"""  # a provider of text that finds nothing
PARTS = {
    "SERENDIP_SCREENING__PROVIDER": "command",
    "SERENDIP_SCREENING__PROVIDER_COMMAND": json.dumps([sys.executable, "-c", ANSWERS]),
    "SERENDIP_MAIL__HOST": "127.0.0.1",
    "SERENDIP_TRANSLATION__URL": "http://127.0.0.1:5000",  # nobody asks it
    "SERENDIP_CHALLENGE__PROVIDER": "turnstile",  # nor this company
    "SERENDIP_CHALLENGE__SITE_KEY": "k",
    "SERENDIP_CHALLENGE__SECRET": "s",
    "SERENDIP_CHALLENGE__ORIGIN": "https://challenge.example",
    "SERENDIP_SAFETY__MODERATED": "true",
    "SERENDIP_VIDEO__TURN": "turn:127.0.0.1:3478",
    "SERENDIP_VIDEO__REPORTS": "true",
    "SERENDIP_VIDEO__REPORTS_PORT": "0",
}
# What one process has not: others, a hub, links, a frontend that others may lose sight of.
OF_SEVERAL = re.compile("serendip_hub_|serendip_ipc_link_|serendip_http_lost_|serendip_deaths_")
OF_HOSTS = re.compile(
    "serendip_nats_|serendip_members|serendip_cluster_|serendip_epoch_keys_|serendip_hub_owner|serendip_tunnel|serendip_visitor"
    "|serendip_http_forwarded|serendip_http_passing|serendip_migrations_doubtful|serendip_session_lookups|serendip_broadcasts"
)  # what one host has not: others
JUDGED = 240.0  # seconds for the pictures: the process that looks at them runs only while a core is free
ROUNDS_SECONDS = 5.0  # of chats, so that every rate has several scrapes to stand on
APART = 0.2  # seconds between two rounds: each brings four pictures, and who looks at them has other work beside


async def ask(http: aiohttp.ClientSession, base: str, query: str, at: float | None = None) -> list[dict[str, Any]]:
    """Prometheus' answer to an instant query, for now or for then (`at`: seconds since 1970)."""
    then = {} if at is None else {"time": str(at)}
    async with http.get(f"{base}/api/v1/query", params={"query": query, **then}) as answer:
        body = await answer.json()
    assert body["status"] == "success", (query, body)
    found: list[dict[str, Any]] = body["data"]["result"]
    return found


async def number(http: aiohttp.ClientSession, base: str, query: str) -> float:
    """The one number of a query; not a number where there is none."""
    found = await ask(http, base, query)
    return float(found[0]["value"][1]) if found else math.nan


async def says(http: aiohttp.ClientSession, base: str, query: str, value: float, *, patience: float = PATIENCE) -> None:
    """Wait until Prometheus has scraped that value: a poll, for it tells nobody."""
    async with asyncio.timeout(patience):
        while await number(http, base, query) != value:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@pytest.mark.timeout(420)
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_every_query_of_every_board_and_alert_is_answered_and_agrees_with_what_was_done(
    tmp_path: Path, workers: str
) -> None:
    driven = Driven()
    with (
        serendip(tmp_path, SERENDIP_LIMITS__ENABLED="false", SERENDIP_WORKERS=workers, **PARTS) as (port, metrics),
        prometheus(tmp_path, metrics) as base,
    ):
        async with aiohttp.ClientSession() as http:
            await says(http, base, "sum(up)", 1)  # the first scrape comes seconds after the start
            waits, _ = await Person.comes(http, port)  # one who waits all the time
            await waits.says(type="find", language="xx", interests=["nobody"])
            await waits.hears("waiting")
            driven.count["opened"] += 1
            await trouble(http, port, driven)
            await looked_at(http, port, driven)
            end = time.monotonic() + ROUNDS_SECONDS
            while time.monotonic() < end:
                await talk(http, port, driven)
                await spy(http, port, driven)
                await asyncio.sleep(APART)
            await says(http, base, "sum(serendip_messages_total)", driven.count["messages"])
            talked = time.time()  # what follows may take longer than a rate looks back
            await says(http, base, "sum(serendip_sessions)", 1)
            await says(http, base, "sum(serendip_picture_seconds_count)", driven.count["pictures"], patience=JUDGED)
            await says(http, base, "sum(serendip_store_written_total)", driven.count["ended"])
            await agrees(http, base, driven)
            await answered(http, base, talked, alone=workers == "1")
            await waits.leaves()


@pytest.mark.timeout(120)
async def test_several_hosts_are_on_the_board_and_no_alert_fires_for_them(tmp_path: Path) -> None:
    with services.nats() as nats, ExitStack() as stack:
        await asyncio.to_thread(secret_keys.load, tmp_path / "first")
        ports = []
        for number_, port in enumerate(services.free_ports(2)):
            folder = tmp_path / str(number_)
            await asyncio.to_thread(shutil.copytree, tmp_path / "first", folder / "data")
            settings = {
                "CLUSTER__NATS": nats.url,
                "CLUSTER__ADDRESS": f"127.0.0.1:{port}",
                "STORE__ENABLED": "false",
                "LIMITS__ENABLED": "false",
            }
            server = serendip(folder, **{f"SERENDIP_{name}": what for name, what in settings.items()})
            ports.append(stack.enter_context(server)[1])
        base = stack.enter_context(prometheus(tmp_path, *ports))
        async with aiohttp.ClientSession() as http:
            await says(http, base, "sum(serendip_members)", 2)
            await says(http, base, "sum(serendip_nats_up)", 2)
            for text in [text for _, text in queries("10s") if OF_HOSTS.search(text)]:
                async with asyncio.timeout(PATIENCE):
                    while not await ask(http, base, text):  # noqa: ASYNC110 - a rate needs two scrapes
                        await asyncio.sleep(0.2)
            firing = {
                series["metric"]["alertname"]
                for series in await ask(http, base, 'ALERTS{alertstate="firing", severity!="none"}')
            }
            assert not firing


@pytest.mark.timeout(120)
async def test_a_hand_over_is_on_the_board_and_no_alert_fires_for_it(tmp_path: Path) -> None:
    with (
        serendip(tmp_path, SERENDIP_LIMITS__ENABLED="false") as (port, metrics),
        prometheus(tmp_path, metrics) as base,
    ):
        async with aiohttp.ClientSession() as http:
            await says(http, base, "sum(serendip_migrations_total)", 0)
            one, other = await two(http, port, Driven())
            waits, _ = await Person.comes(http, port)
            await waits.says(type="find", language="xx", interests=["nobody"])
            await waits.hears("waiting")
            started = await number(http, base, "process_start_time_seconds")
            *_, last = await asyncio.to_thread(list, ask_server(tmp_path / "data", {"do": "upgrade", "program": None}))
            assert (last["done"], last["people"], last["chats"]) == (True, 3, 1)
            await says(http, base, "sum(serendip_migrations_total{result='taken'})", 3)
            await one.says(type="message", text="still here")
            assert (await other.hears("message"))["text"] == "still here"
            await says(http, base, "sum(serendip_messages_total)", 1)
            expected = {
                "sum(serendip_migrations_total)": 3,
                "sum(serendip_migration_seconds_count) > bool 0": 1,
                "serendip_upgrade_sessions_left": 0,
                "sum(serendip_sessions)": 3,
                "sum(serendip_connections)": 3,
                "serendip_waiting{language='other', mode='text'}": 1,
                f"process_start_time_seconds > bool {started}": 1,
            }
            assert {query: await number(http, base, query) for query in expected} == expected
            firing = {
                series["metric"]["alertname"]
                for series in await ask(http, base, 'ALERTS{alertstate="firing", severity!="none"}')
            }
            assert not firing
            for person in (one, other, waits):
                await person.leaves()


def looked(pictures: int) -> dict[str, float]:
    """What so many looks at one side of a video chat bring: two pictures each."""
    return {
        "sum(serendip_snaps_total{result='answered'})": pictures,
        "sum(serendip_snaps_total{result='clean'})": pictures,
        "sum(serendip_snap_agreement_total{result='agrees'})": pictures,
        "sum(serendip_pictures_taken_total)": 2 * pictures,
    }


async def settled(http: aiohttp.ClientSession, base: str, expected: dict[str, float]) -> dict[str, float]:
    """The values of these queries as soon as they are as expected, else the last ones: the figures of a picture may lie in two scrapes."""
    found: dict[str, float] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while found != expected:  # a poll, as above
                found = {query: await number(http, base, query) for query in expected}
                await asyncio.sleep(0.2)
    return found


async def agrees(http: aiohttp.ClientSession, base: str, driven: Driven) -> None:
    """Values against what was driven."""
    did = driven.count
    expected = looked(did["pictures"]) | {
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
        "sum(serendip_logs_saved_total)": did["saved"],
        "sum(serendip_store_lost_total)": 0,
        "sum(serendip_errors_total{code='bad_type'})": did["bad_type"],
        "sum(serendip_errors_total{code='binary'})": did["closed 1003"],
        "sum(serendip_closes_total{side='client', code='1000'})": did["left 1000"],
        "sum(serendip_closes_total{side='server', code='1003'})": did["closed 1003"],
        "sum(serendip_closes_total{side='client', code='none'})": 1,
        "sum(serendip_http_responses_total{status='2xx'})": did["2xx"],
        "sum(serendip_http_responses_total{status='4xx'})": did["4xx"],
        "serendip_log_undeclared_total": 0,
        "sum(serendip_http_seconds_count{route='/rules'})": did["rules"],
        "sum(serendip_http_seconds_count{route='none'})": 1,
        f"sum(serendip_objects_seconds_count{{operation='put'}}) >= bool {did['saved']}": 1,
        "sum(serendip_objects_failures_total)": 0,
        "sum(serendip_store_batch_seconds_count) > bool 0": 1,
        "count(serendip_store_schema_info)": 1,
        "serendip_logs_waiting": 0,
        "serendip_omegle_clients": 0,
        "sum(serendip_limited_total)": 0,
        "sum(serendip_mail_letters_total)": 0,
        "serendip_media_relays_reporting": 0,
        "serendip_backup_timestamp_seconds": 0,
        "sum(serendip_migrations_total{result=~'back|refused'})": 0,
        "sum(serendip_migrations_total{why='upgrade'})": 0,
        "sum(serendip_people)": 1,
        "min(serendip_process_up)": 1,
        "serendip_upgrade_sessions_left": 0,
        "serendip_disk_free_bytes <= bool serendip_disk_size_bytes": 1,
        "count(serendip_build_info{commit!=''})": 1,
    }
    assert await settled(http, base, expected) == expected


async def answered(http: aiohttp.ClientSession, base: str, talked: float, *, alone: bool) -> None:
    """Every panel had series with numbers, if there can be any (`alone`: of one process); every alert is a query, and none fires."""
    empty = []
    for where, text in queries("10s"):
        if (alone and OF_SEVERAL.search(text)) or OF_HOSTS.search(text):
            continue
        found = await ask(http, base, text, talked)
        if not found or all(math.isnan(float(series["value"][1])) for series in found):
            empty.append((where, text))
    assert not empty
    for alert in ALERTS:
        await ask(http, base, alert["expr"])
    firing = {
        series["metric"]["alertname"]
        for series in await ask(http, base, 'ALERTS{alertstate="firing", severity!="none"}')
    }
    assert not firing
    async with http.get(f"{base}/api/v1/rules") as answer:
        groups = (await answer.json())["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
