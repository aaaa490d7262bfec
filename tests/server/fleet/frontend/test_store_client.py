"""What chats of several workers leave, on real processes: each record once, saves, reports, bans and notices, whatever becomes of the frontend."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.disconnects import Disconnected
from serendip_client.events import (
    Closed,
    Error,
    Hello,
    Left,
    Matched,
    Message,
    Notice,
    Picture,
    PicturesAllowed,
    Reported,
    Saved,
)
from tests.server.fleet.processes.hosts import Host, apart, client, hosting, meet
from tests.support import scenes

GOOD, BAD = "a" * 22, "b" * 22
CHATS = "SELECT count(*) FROM chat"
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # servers and commands are processes that are waited for


async def left(one: Client, two: Client) -> None:
    """Their chat ends."""
    await one.leave()
    await two.next(Left)


async def case_of(host: Host) -> str:
    """The id of the one open case: the report is stored a moment after it was answered."""
    async with asyncio.timeout(30):
        while True:
            found = json.loads(await asyncio.to_thread(host.command, "cases", "--json"))
            if found:
                return str(found[0]["id"])


async def test_a_chat_over_two_workers_leaves_one_record_and_a_saved_page(tmp_path: Path) -> None:
    async with hosting(tmp_path) as host, aiohttp.ClientSession() as http:
        async with apart(host, (GOOD, BAD)) as (one, two):
            for person in (one, two):
                assert (await person.next(Hello)).statement, "the frontend's privacy statement"
            await meet(one, two, "record", "to be kept")
            await one.save()
            saved = await one.next(Saved)
            status, page = await host.get(http, saved.url)
            assert (status, "to be kept" in page) == (200, True)
            await left(one, two)
            await host.until(CHATS, [(1,)])
        async with apart(host, ("c" * 22, "d" * 22)) as others:  # the same two would wait half a minute for each other
            await meet(*others, "again")
        await host.until("SELECT count(*) FROM party", [(4,)])  # who closes, leaves
        assert await host.end() == 0
        assert host.rows("SELECT how FROM chat WHERE how = 'restart'") == []
        assert host.rows(CHATS) == [(2,)]
        assert host.events("loop.fault") == host.events("worker.fault") == host.events("store.lost") == []


async def test_the_end_of_the_host_keeps_the_records_of_chats_that_it_ends(tmp_path: Path) -> None:
    async with hosting(tmp_path, SERENDIP_SERVER__DRAIN="3") as host, apart(host, (GOOD, BAD)) as (one, two):
        await meet(one, two, "restart")
        assert await host.end() == 0
        assert host.rows("SELECT count(*), min(how) FROM chat") == [(1, "restart")]


async def test_a_report_opens_a_case_and_a_ban_holds_in_every_worker(tmp_path: Path) -> None:
    async with hosting(tmp_path) as host, aiohttp.ClientSession() as http:
        async with apart(host, (GOOD, BAD)) as (one, two), apart(host, (BAD, BAD)) as others:
            await meet(one, two, "report", "buy gold")
            await one.report("spam")
            receipt = (await one.next(Reported)).receipt
            case = await case_of(host)
            assert "REPORTED 1: buy gold" in await asyncio.to_thread(host.command, "show", case)
            assert (await host.get(http, receipt))[0] == 200
            told = await asyncio.to_thread(host.command, "decide", case, "--measure", "ban", "--rule", "R5")
            assert "identity for 1 day" in told
            assert (await one.next(Left)).by == "moderation"
            for banned in (two, *others):
                assert (await banned.next(Closed)).code == 4003
        host.kill("worker 1")
        await host.told("process.ready", 2, process="worker 1")
        for worker in ("worker 1", "worker 2"):  # one that has been told, and one that started anew
            host.hold(worker)
            async with client(host, BAD) as again:
                assert (await again.next(Closed)).code == 4003
            host.go_on(worker)
        assert host.events("loop.fault") == host.events("worker.fault") == []


async def test_pictures_of_two_workers_arrive_in_order_and_stand_with_a_report(tmp_path: Path) -> None:
    sent = [scenes.jpeg(scenes.scene(number, (400 + number, 300))) for number in range(3)]
    async with hosting(tmp_path, SERENDIP_PICTURES__IN_CHAT="on") as host, apart(host, (GOOD, BAD)) as (one, two):
        for person in (one, two):
            await person.find(["pictures"], pictures=True)
        for person in (one, two):
            assert (await person.next(Matched)).pictures
        for person, other in ((one, two), (two, one)):
            await person.allow_pictures()
            assert (await other.next(PicturesAllowed)).allow
        keys = []
        for body in sent:
            await two.send_picture(body)
            keys.append((await one.next(Picture)).key)
            assert (await two.next(Picture)).own
            assert await one.fetch_picture(keys[-1]) == await two.fetch_picture(keys[-1]) == body
        await one.report("nudity")
        await one.next(Reported)
        await host.until("SELECT count(*) FROM evidence WHERE kind = 'sent'", [(3,)])
        await two.leave()
        await one.next(Left)
        async with asyncio.timeout(20):
            for key in keys:
                while await one.fetch_picture(key) is not None:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)
        assert host.events("loop.fault") == host.events("worker.fault") == host.events("pictures.fault") == []


async def test_what_a_program_found_in_a_worker_is_a_case_and_a_pause_in_every_worker(tmp_path: Path) -> None:
    line = "hey im so bored tonight wanna see my private pics? add me on snap anna77"
    async with hosting(tmp_path) as host:
        async with client(host, BAD) as bad:
            for at in range(40):
                async with client(host, f"{at:02}" + "c" * 20) as other:
                    try:
                        await meet(other, bad, f"ad {at}")
                        await bad.say(line)
                    except Disconnected:
                        break
                    await other.next(Message, Left)
            else:
                assert (await bad.next(Closed)).code == 4003
            assert at >= 12
        case = await case_of(host)
        assert "a program did at once: pause R5" in await asyncio.to_thread(host.command, "show", case)
        for worker in ("worker 1", "worker 2"):
            host.hold(worker)
            async with client(host, BAD) as again:
                assert (await again.next(Closed)).code == 4003
            host.go_on(worker)
        assert host.events("loop.fault") == host.events("worker.fault") == []


async def test_a_notice_is_told_and_read_once_in_whichever_worker(tmp_path: Path) -> None:
    async with hosting(tmp_path) as host, apart(host, (GOOD, BAD)) as (one, two):
        await meet(one, two, "notice", "hateful")
        await one.report("hate")
        await one.next(Reported)
        case = await case_of(host)
        await asyncio.to_thread(host.command, "decide", case, "--measure", "warning", "--rule", "R4")
        notice = await two.next(Notice)
        assert (notice.kind, notice.rule) == ("warning", "R4")
        async with apart(host, (BAD, BAD)) as others:
            for other in others:
                assert await other.next(Notice) == notice
            host.kill("frontend")
            await two.seen(notice.id)  # while nobody can write it down
            await host.told("process.ready", 2, process="frontend")
            await host.until("SELECT count(*) FROM notice WHERE seen IS NOT NULL", [(1,)])
            await asyncio.gather(*(other.find(["next"]) for other in others))
        assert host.events("loop.fault") == host.events("worker.fault") == []


async def test_records_and_reports_wait_for_the_next_frontend(tmp_path: Path) -> None:
    pairs = (GOOD, BAD), ("c" * 22, "d" * 22)
    async with hosting(tmp_path) as host, apart(host, pairs[0]) as (one, two), apart(host, pairs[1]) as others:
        await meet(one, two, "first", "hello")
        host.hold("frontend")  # it reads nothing: what is sent is on its way
        await one.report("spam")
        await one.next(Reported)
        await left(one, two)
        await one.save()
        host.kill("frontend")
        refused = await one.next(Error)  # at once, for nobody would answer
        assert refused.code == "not_saved"
        await meet(*others, "second", "hello")
        await left(*others)
        await host.told("process.ready", 2, process="frontend")
        await host.until(CHATS, [(2,)])
        await host.until("SELECT count(*) FROM report", [(1,)])
        await host.until("SELECT count(*) FROM log", [(0,)])
        assert host.events("loop.fault") == host.events("worker.fault") == []
