"""Signals that are none, too many or too late: the sender hears `fail`, the partner nothing, and the chat goes on."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller, pair
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]
CANDIDATE = json.dumps({"candidate": "candidate:1 1 udp 1 192.0.2.1 5000 typ host", "sdpMid": "0", "sdpMLineIndex": 0})


async def candidates(caller: Caller, *told: str) -> str:
    """The answer to a request with these candidates."""
    fields = [("id", caller.id), *[("candidate", one) for one in told]]
    async with caller.web.post("/icecandidate", data=fields) as answer:
        return await answer.text()


async def goes_on(one: Caller, two: Caller) -> None:
    """Nothing came but what is said now."""
    assert await one.post("/send", msg="still here") == "win"
    events = []
    while not events:
        events = await two.events()
    assert events == [["gotMessage", "still here"]]


@pytest.mark.parametrize(
    "desc",
    [
        "",
        "null",
        "[]",
        "7",
        '{"type":"offer","sdp":',
        '{"type":"offer"}',
        '{"type":"offer","sdp":""}',
        '{"type":"offer","sdp":7}',
        '{"type":"marriage","sdp":"v=0"}',
        '{"sdp":"v=0"}',
        json.dumps({"type": "offer", "sdp": "x" * 40_000}),
        json.dumps({"type": "offer", "sdp": "x" * 60_000}),
    ],
    ids=lambda desc: desc[:30],
)
async def test_a_description_that_is_none_fails_and_the_chat_goes_on(caller: Make, desc: str) -> None:
    one, two = await pair(caller, f"wrong description {desc[:20]!r:.30}".replace('"', ""), webrtc="1")
    assert await one.post("/rtcpeerdescription", desc=desc) == "fail"
    await goes_on(one, two)


@pytest.mark.parametrize(
    "told",
    [
        (),
        ("",),
        ("{",),
        ("[]",),
        ('"candidate"',),
        ("{}",),
        ('{"candidate":1}',),
        ('{"candidate":"a","sdpMLineIndex":-1}',),
        (json.dumps({"candidate": "x" * 3_000}),),
        (CANDIDATE,) * 65,
    ],
    ids=lambda told: (str(told[0])[:30] if told else "none") + f" {len(told)}",
)
async def test_candidates_that_are_none_fail_and_the_chat_goes_on(caller: Make, told: tuple[str, ...]) -> None:
    name = "".join(filter(str.isalnum, "".join(told)[:40])) + str(len(told))
    one, two = await pair(caller, f"wrong candidate {name}", webrtc="1")
    assert await candidates(one, *told) == "fail"
    await goes_on(one, two)


@pytest.mark.parametrize(
    "fields", [{"desc": "[" * 200_000}, {f"candidate{n}": CANDIDATE for n in range(1_000)}], ids=["long", "many"]
)
async def test_a_form_beyond_the_bounds_is_refused_and_the_chat_goes_on(caller: Make, fields: dict[str, str]) -> None:
    one, two = await pair(caller, f"beyond {len(fields)}", webrtc="1")
    for path in ("/rtcpeerdescription", "/icecandidate"):
        async with one.web.post(path, data={"id": one.id, **fields}) as answer:
            assert answer.status in {400, 413}
    await goes_on(one, two)


async def test_a_null_candidate_and_script_are_passed_on_as_what_they_are(caller: Make) -> None:
    one, two = await pair(caller, "null and script", webrtc="1")
    evil = {"type": "offer", "sdp": "<img onerror=alert(1)>\u2028</script>"}
    assert await one.post("/rtcpeerdescription", desc=json.dumps(evil)) == "win"
    assert await candidates(one, "null") == "win"
    got = []
    while len(got) < 2:
        async with two.web.post("/events", data={"id": two.id}) as answer:
            assert answer.content_type == "application/json"
            got += await answer.json()
    assert got == [["rtcpeerdescription", evil], ["icecandidate", None]]


async def test_a_text_chat_takes_no_signal_and_neither_does_a_chat_that_is_over(caller: Make) -> None:
    one, two = await pair(caller, "text takes none")
    assert await one.post("/rtcpeerdescription", desc='{"type":"offer","sdp":"v=0"}') == "fail"
    assert await candidates(one, CANDIDATE) == "fail"
    await goes_on(one, two)
    one, two = await pair(caller, "over takes none", webrtc="1")
    await one.post("/disconnect")
    assert await two.until("strangerDisconnected") == ["strangerDisconnected"]
    for who in (one, two):
        assert await who.post("/rtcpeerdescription", desc='{"type":"offer","sdp":"v=0"}') == "fail"
        assert await candidates(who, CANDIDATE) == "fail"


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Make]:
    """Clients of a server with the limits of a person as they ship."""
    server = Server(tmp_path, SERENDIP_OMEGLE__HOLD="3")
    async with aiohttp.ClientSession(server.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield lambda: Caller(session)
    server.stop()


@pytest.mark.blocking  # the server's start
async def test_a_thousand_candidates_fail_but_for_the_burst_and_ten_thousand_are_a_flood(strict: Make) -> None:
    one, two = await pair(strict, "too many", webrtc="1")
    here, there = await pair(strict, "neighbours", webrtc="1")
    told = [await candidates(one, *[CANDIDATE] * 50) for _ in range(20)]
    assert told[0] == "win"
    assert told.count("fail") > 10
    assert await one.post("/send", msg="enough") == "win"
    heard: list[list[object]] = []
    while ["gotMessage", "enough"] not in heard:
        heard += await two.events()
    assert 0 < [event[0] for event in heard].count("icecandidate") <= 400
    told = [await candidates(one, *[CANDIDATE] * 50) for _ in range(200)]
    assert told[-1] == "fail"
    assert await one.events() == [["error", "Too much, too fast. Come back later."]]
    assert await one.events() is None  # its chat alone is lost
    assert await two.until("strangerDisconnected") == ["strangerDisconnected"]
    await goes_on(here, there)
