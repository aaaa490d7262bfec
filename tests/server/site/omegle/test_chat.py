"""Chats over the HTTP face alone, by the rules that keep real clients alive."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller, pair
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]


async def test_two_meet_talk_and_part(caller: Make) -> None:
    one, two = await pair(caller, "part")
    assert await one.post("/typing") == "win"
    assert await two.events() == [["typing"]]
    assert await one.post("/stoppedtyping") == "win"
    assert await two.events() == [["stoppedTyping"]]
    assert await one.post("/send", msg='Grüße, "you" <b>\\ ☃') == "win"
    assert await two.events() == [["gotMessage", 'Grüße, "you" <b>\\ ☃']]
    assert await two.post("/disconnect") == "win"
    assert await one.events() == [["strangerDisconnected"]]
    assert await one.events() is None
    assert await one.post("/disconnect") == "win"
    assert await one.post("/send", msg="still there?") == "fail"


async def test_a_match_is_one_batch_with_digests_last(caller: Make) -> None:
    one, two = caller(), caller()
    topics = '["batch", "other"]'
    await one.start(topics=topics)
    mine = await two.start(topics='["other","BATCH"]')
    (theirs,) = [await one.events()]
    for batch, likes in ((mine, ["other", "BATCH"]), (theirs, ["batch", "other"])):
        assert batch[0] == ["connected"]
        assert batch[1][0] == "commonLikes"
        assert sorted(batch[1][1]) == sorted(likes)
        assert batch[2] == ["serverMessage", "You both speak the same language."]
        assert batch[-1][0] == "identDigests"
        assert re.fullmatch("(?:[0-9a-f]{32},){3}[0-9a-f]{32}", batch[-1][1])
    assert mine[-1] == theirs[-1]


async def test_the_answer_of_start_has_the_shape_that_was_asked_for(web: aiohttp.ClientSession) -> None:
    shapes = {}
    for name, query in {"bare": "lang=xa", "caps": "lang=xb&caps=x", "first": "lang=xc&firstevents=1"}.items():
        async with web.get(f"/start?{query}") as answer:
            assert answer.content_type == "application/json"
            shapes[name] = await answer.json()
    assert re.fullmatch("central1:[a-z0-9]{30}", shapes["bare"])
    assert shapes["caps"].keys() == {"clientID", "events"}
    assert shapes["caps"]["events"] == []
    assert [event[0] for event in shapes["first"]["events"]] == ["waiting", "statusInfo"]


async def test_a_newer_poll_answers_the_older_with_nothing(caller: Make) -> None:
    one, two = await pair(caller, "newer")
    polls = {asyncio.ensure_future(one.events()) for _ in range(2)}  # the older is the one that comes first
    older, newer = await asyncio.wait(polls, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert [poll.result() for poll in older] == [[]]
    await two.post("/send", msg="hi")
    assert await newer.pop() == [["gotMessage", "hi"]]


async def test_a_held_poll_ends_with_an_empty_list_and_another_may_follow(tmp_path: Path) -> None:
    server = await asyncio.to_thread(lambda: Server(tmp_path, SERENDIP_OMEGLE__HOLD="1"))
    try:
        async with aiohttp.ClientSession(server.url) as web:
            one, two = await pair(lambda: Caller(web), "held")
            assert await one.events() == []
            await two.post("/send", msg="late")
            assert await one.events() == [["gotMessage", "late"]]
    finally:
        await asyncio.to_thread(server.stop)


async def test_events_outlive_a_poll_that_was_dropped(caller: Make) -> None:
    one, two = await pair(caller, "dropped")
    poll = asyncio.ensure_future(one.events())
    await asyncio.sleep(0.2)
    poll.cancel()
    await asyncio.sleep(0.2)
    for number in range(5):
        await two.post("/send", msg=str(number))
    got = []
    while len(got) < 5:
        got += await one.events()
    assert got == [["gotMessage", str(number)] for number in range(5)]


async def test_with_topics_nobody_else_is_met_until_it_is_asked_for(caller: Make) -> None:
    one, two = caller(), caller()
    await one.start(topics='["a thing that nobody likes"]', lang="da")
    assert (await two.start(lang="da"))[0] == ["waiting"]
    assert await one.post("/stoplookingforcommonlikes") == "win"
    assert (await one.until("connected")) == ["connected"]
    assert await one.post("/stoplookingforcommonlikes") == "win"
    await two.until("connected")
    assert await two.post("/send", msg="still here") == "win"
    assert await one.until("gotMessage") == ["gotMessage", "still here"]


async def test_the_same_randid_is_not_met_again_at_once(caller: Make) -> None:
    one, two = caller(), caller()
    for same in (one, two):  # one browser is never its own stranger
        assert (await same.start(lang="sq", randid="AAAAAAAA"))[0] == ["waiting"]
    assert one.id != two.id
    one, two, three = caller(), caller(), caller()
    await one.start(lang="gd", randid="BBBBBBBB")
    assert (await two.start(lang="gd", randid="CCCCCCCC"))[0] == ["connected"]
    await two.post("/disconnect")
    await one.until("strangerDisconnected")
    await one.start(lang="gd", randid="BBBBBBBB")
    assert (await two.start(lang="gd", randid="CCCCCCCC"))[0] == ["waiting"]
    assert (await three.start(lang="gd", randid="DDDDDDDD"))[0] == ["connected"]


async def test_the_spy_watches_two_who_discuss(caller: Make) -> None:
    spy, one, two = caller(), caller(), caller()
    question = "Is a hot dog a sandwich?"
    assert (await spy.start(ask=question, cansavequestion="1"))[0] == ["waiting"]
    assert (await one.start(wantsspy="1"))[0] == ["waiting"]
    last = await two.start(wantsspy="1")
    assert last[:2] == [["connected"], ["question", question]]
    assert (await spy.events())[:2] == [["connected"], ["question", question]]
    await one.until("connected")
    await one.post("/typing")
    assert await spy.events() == [["spyTyping", "Stranger 1"]]
    await one.post("/stopTyping")
    assert await spy.events() == [["spyStoppedTyping", "Stranger 1"]]
    await two.post("/send", msg="no")
    assert await spy.events() == [["spyMessage", "Stranger 2", "no"]]
    assert await spy.post("/send", msg="I say yes") == "fail"
    assert await spy.post("/typing") == "win"
    await two.post("/disconnect")
    assert await spy.events() == [["spyDisconnected", "Stranger 2"]]
    assert await one.until("strangerDisconnected") == ["strangerDisconnected"]


async def test_the_spy_may_leave_without_ending_the_discussion(caller: Make) -> None:
    spy, one, two = caller(), caller(), caller()
    await spy.start(ask="Will anybody notice this?", lang="tr")
    await one.start(wantsspy="1", lang="tr")
    await two.start(wantsspy="1", lang="tr")
    await one.until("connected")
    await spy.post("/disconnect")
    await one.post("/send", msg="hello")
    assert await two.until("gotMessage") == ["gotMessage", "hello"]


async def test_video_signals_pass_and_one_side_makes_the_offer(caller: Make) -> None:
    one, two = caller(), caller()
    await one.start(webrtc="1", lang="cy")
    batch = await two.start(webrtc="1", lang="cy")
    other = await one.events()
    calls = [["rtccall"] in batch, ["rtccall"] in other]
    assert sorted(calls) == [False, True]
    assert await one.post("/rtcpeerdescription", desc='{"type":"offer","sdp":"v=0"}') == "win"
    assert await two.events() == [["rtcpeerdescription", {"type": "offer", "sdp": "v=0"}]]
    fields = [("id", two.id), ("candidate", '{"candidate":"a","sdpMid":"0","sdpMLineIndex":0}'), ("candidate", "null")]
    async with two.web.post("/icecandidate", data=fields) as answer:
        assert await answer.text() == "win"
    got = []
    while len(got) < 2:
        got += await one.events()
    assert got == [["icecandidate", {"candidate": "a", "sdpMid": "0", "sdpMLineIndex": 0}], ["icecandidate", None]]
    assert await one.post("/rtcpeerdescription", desc="no JSON") == "fail"
    assert await one.post("/icecandidate") == "fail"


async def test_status_has_every_field(web: aiohttp.ClientSession) -> None:
    for ask in (web.get, web.post):
        async with ask("/status?nocache=0.5&randid=ABCDEFGH") as answer:
            found = await answer.json()
        kinds = {name: type(value) for name, value in found.items()}
        assert kinds == {
            "count": int,
            "servers": list,
            "spyQueueTime": float,
            "spyeeQueueTime": float,
            "antinudeservers": list,
            "antinudepercent": float,
            "rtmfp": str,
            "timestamp": float,
        }
        assert found["servers"]
        assert found["antinudeservers"]


async def test_the_small_endpoints_answer(caller: Make) -> None:
    one = caller()
    await one.start(lang="qa")
    assert re.fullmatch("[0-9a-f]{32}", await one.post("/check"))
    assert await one.post("/recaptcha", challenge="x", response="y") == "fail"
    async with one.web.post("/upload?camera=0&num_frames=2", data=b"\xff\xd8" * 5000) as answer:
        assert answer.status == 200
    async with one.web.post("/generate", data={"log": '[["You:","hi"]]', "host": "1"}) as answer:
        assert answer.content_type == "text/html"
        assert "/log/" in await answer.text()


async def saved(one: Caller, **fields: str) -> dict[str, Any]:
    """What `/generate` saved, as its link has it in JSON."""
    async with one.web.post("/generate", data={"host": "1", **fields}) as answer:
        [link] = re.findall(r"(/log/[\w-]{22})</a>", await answer.text())
    async with one.web.get(link, headers={"Accept": "application/json"}) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_generate_saves_the_server_s_transcript_and_only_without_one_the_client_s_account(caller: Make) -> None:
    one, two = caller(), caller()
    await one.start(topics='["generated"]', randid="RANDID01")
    await two.start(topics='["generated"]', randid="RANDID02")
    await one.post("/send", msg="as it was")
    await two.until("gotMessage")
    await one.post("/disconnect")
    await two.until("strangerDisconnected")
    forged = '[["You:","never said"],["Stranger:","<b>nor this</b>"],["You have disconnected."],[1],"x"]'
    for randid in ("RANDID01", "RANDID02"):
        found = await saved(one, randid=randid, log=forged)
        assert [line["text"] for line in found["messages"]] == ["as it was"]
        assert (found["account"], found["common"]) == (False, ["generated"])
    found = await saved(one, randid="RANDID99", log=forged, topics='["a"]')
    assert [line["text"] for line in found["messages"]] == ["never said", "<b>nor this</b>"]
    assert found["account"]


@pytest.mark.parametrize("log", ["", "{", "[]", "[[]]", '["x"]', '[["Nobody:","x"]]', "7", "null"])
async def test_generate_saves_no_log_without_a_line(caller: Make, log: str) -> None:
    async with caller().web.post("/generate", data={"log": log}) as answer:
        assert answer.status == 200
        assert "Not saved" in await answer.text()


async def test_a_partner_who_takes_nothing_makes_send_fail_and_nothing_is_lost(caller: Make) -> None:
    one, two = await pair(caller, "slow")
    taken = 0
    while await two.post("/send", msg=f"{taken} " + "x" * 1000) == "win":
        taken += 1
        assert taken < 1000, "no bound"
    got: list[str] = []
    while len(got) < taken:
        got += [event[1] for event in await one.events()]
    assert [int(text.split()[0]) for text in got] == list(range(taken))
    assert await two.post("/send", msg="again") == "win"


@pytest.mark.parametrize("alias", ["/stoppedtyping", "/stopTyping", "/stoptyping", "/stoppedTyping"])
async def test_every_spelling_of_stopped_typing_is_known(caller: Make, alias: str) -> None:
    one, two = await pair(caller, f"alias {alias}")
    assert await one.post(alias) == "win"
    assert await two.events() == [["stoppedTyping"]]
