"""Test a remote scorer: its requests, its accepted answers, and the local fallback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.ops.config.picture_settings import Pictures
from server.trust.pictures import remote_scores as module
from server.trust.pictures.picture_client import PictureClient
from server.trust.pictures.picture_process_codec import CLEAN, HIT, UNSURE
from server.trust.pictures.remote_scores import ANSWER_MAX, RemoteJudge
from tests.server.trust.pictures.running import Run, harmless, own
from tests.support.moderation import Moderation

Maker = Callable[..., RemoteJudge]


@pytest.fixture
def theirs() -> Iterator[Moderation]:
    server = Moderation(key="sesame")
    yield server
    server.stop()


@pytest.fixture
async def client(theirs: Moderation, run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Maker]:
    """Makes clients of it, which end with the test, and wait for as long as it takes."""
    monkeypatch.setattr(module, "PATIENCE", 60.0)
    made: list[RemoteJudge] = []

    def make(local: PictureClient | None = None, **more: object) -> RemoteJudge:
        settings = {"provider": "http", "url": theirs.url, "key": "sesame", **more}
        made.append(RemoteJudge(Pictures.model_validate(settings), local or run.judging))
        return made[-1]

    yield make
    theirs.open.set()
    for one in made:
        await one.stop()


async def test_it_is_sent_the_strip_and_nothing_else(client: Maker, theirs: Moderation) -> None:
    strip = harmless()
    assert await client().judge(strip) is not None
    assert theirs.asked == [{"kind": "strip", "image": base64.b64encode(strip).decode()}]
    names = {name.lower() for head in theirs.heads for name in head}
    assert names <= {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "connection",
        "authorization",
    }
    assert {head["User-Agent"] for head in theirs.heads} == {"serendip"}


@pytest.mark.parametrize(("score", "verdict"), [(0, CLEAN), (0.5, UNSURE), (1, HIT)])
async def test_its_score_decides_and_the_rest_is_made_here(
    client: Maker, theirs: Moderation, score: float, verdict: str
) -> None:
    theirs.score = score
    seen = await client().judge(harmless())
    assert seen is not None
    assert (seen.score, seen.verdict, len(seen.thumbs)) == (score, verdict, 3)
    assert seen.quality >= 50


async def test_one_s_own_tile_is_for_nobody_else(client: Maker, theirs: Moderation) -> None:
    assert await client().thumb(own())
    assert theirs.asked == []


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ((200, b""), "malformed"),
        ((200, b"[]"), "malformed"),
        ((200, b'{"score": "1"}'), "malformed"),
        ((200, b'{"score": true}'), "malformed"),
        ((200, b'{"score": 1.01}'), "malformed"),
        ((200, b'{"score": -0.1}'), "malformed"),
        ((200, b'{"score": NaN}'), "malformed"),
        ((200, b'{"score": 1' + b" " * ANSWER_MAX + b"}"), "malformed"),
        ((302, b""), "refused"),
        ((401, b""), "denied"),
        ((500, b'{"score": 1}'), "refused"),
    ],
)
async def test_where_it_says_nothing_the_process_here_judges(
    client: Maker, theirs: Moderation, wrong: tuple[int, bytes], cause: str
) -> None:
    theirs.wrong = wrong
    one = client()
    with capture_logs() as events:
        for _ in range(2):
            seen = await one.judge(harmless())
            assert seen is not None
            assert seen.verdict == CLEAN
            assert 0 <= seen.score < 0.01
    assert [(event["event"], event["cause"]) for event in events] == [("pictures.unchecked", cause)]
    assert len(theirs.asked) == 1  # the second time it is not asked


async def test_it_is_asked_again_after_a_while(
    client: Maker, theirs: Moderation, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = client(key="wrong")
    await one.judge(harmless())
    monkeypatch.setattr(module, "AWAY_FOR", 0.0)
    await one.judge(harmless())
    assert len(theirs.asked) == 2


async def test_one_that_is_slow_or_away_costs_its_time_once(
    client: Maker, theirs: Moderation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    monkeypatch.setattr(module, "SAID_EVERY", 0.0)
    theirs.open.clear()
    with capture_logs() as events:
        seen = await client().judge(harmless())
        gone = await client(url="http://127.0.0.1:9").judge(harmless())
    assert [one and one.verdict for one in (seen, gone)] == [CLEAN, CLEAN]
    assert [event["cause"] for event in events] == ["slow", "away"]


async def test_too_many_at_once_are_judged_here(client: Maker, theirs: Moderation) -> None:
    theirs.score = 1.0
    theirs.open.clear()
    one = client(queue=1)
    first = asyncio.create_task(one.judge(harmless()))
    while not theirs.asked:  # noqa: ASYNC110 - another thread
        await asyncio.sleep(0.01)
    second = await one.judge(harmless())
    assert second is not None
    assert second.verdict == CLEAN
    theirs.open.set()
    seen = await first
    assert seen is not None
    assert seen.verdict == HIT


async def test_where_there_is_no_process_nobody_is_asked(client: Maker, theirs: Moderation, tmp_path: Path) -> None:
    assert await client(PictureClient("server", Pictures(), tmp_path)).judge(harmless()) is None
    assert theirs.asked == []
