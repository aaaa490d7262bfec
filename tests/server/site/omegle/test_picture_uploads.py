"""Stills that programs upload of their own cameras: scored, forgotten, never evidence; one that is not clean brings a look by the partner's page."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from serendip_client import Client, Matched, Shown, Snap
from server.ops.security.token_buckets import BucketRegistry
from server.site.omegle.picture_uploads import EVERY, KEPT, UPLOAD_MAX, PictureUploads, _frames
from tests.server.realtime.video.metrics import scrape
from tests.server.site.omegle.conftest import Caller, pair
from tests.server.site.web.servers import Server
from tests.support import scenes
from tests.support.forkserver import START, forked
from tests.support.services import free_port

pytestmark = pytest.mark.timeout(120)  # a server that loads a model
CANARY = b"canary of an upload"
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}
# A call of which an upload alone brings a look: no chat is looked at otherwise.
ON = {"SERENDIP_SAFETY__MODERATED": "true", "SERENDIP_PICTURES__SHARE": "0", "SERENDIP_METRICS__ENABLED": "true"}


FAST = "from server.site.omegle import picture_uploads as uploads\nuploads.RATE = 1e9\n"  # of all together: tests wait for no other one's
forked(FAST + START)


class Looked:
    """A server that looks at pictures, and what it counted of uploads."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder, self._metrics = folder, free_port()
        self.server = Server(folder, FAST, **{**ON, "SERENDIP_METRICS__PORT": str(self._metrics), **more})

    def counted(self) -> dict[str, int]:
        """Uploads by what became of them."""
        name = "serendip_omegle_uploads_total"
        return {labels[0]: int(value) for (found, *labels), value in scrape(self._metrics).items() if found == name}

    async def one_more(self, before: dict[str, int]) -> str:
        """Wait until another one was counted; what became of it."""
        async with asyncio.timeout(30):
            while True:
                now = await asyncio.to_thread(self.counted)
                if more := [result for result, count in now.items() if count > before[result]]:
                    return more[0]
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    made = Looked(tmp_path_factory.mktemp("uploads"))
    yield made
    made.server.stop()


@pytest.fixture
async def web(looked: Looked) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to it, once pictures are looked at there."""
    async with aiohttp.ClientSession(looked.server.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        async with asyncio.timeout(60):
            while True:
                async with session.get("/api/config") as answer:
                    if (await answer.json()).get("pictures"):
                        break
                await asyncio.sleep(0.05)
        yield session


class Asked:
    """What the partner of a program was asked for."""

    def __init__(self) -> None:
        self.snaps: asyncio.Queue[Snap] = asyncio.Queue()

    async def __call__(self, snap: Snap) -> Shown:
        self.snaps.put_nowait(snap)
        return Shown()


@asynccontextmanager
async def call(
    looked: Looked, web: aiohttp.ClientSession, topic: str, randid: str
) -> AsyncIterator[tuple[Caller, Asked]]:
    """A program in a video chat with somebody whose client answers looks."""
    program, asked = Caller(web), Asked()
    async with Client(looked.server.url.replace("http", "ws") + "ws", pictures=asked) as partner:
        await program.start(topics=f'["{topic}"]', webrtc="1", randid=randid)
        await partner.find([topic], mode="video")
        await partner.next(Matched)
        await partner.signal(description=ANSWER)
        assert (await program.until("rtcpeerdescription"))[1]["type"] == "answer"
        yield program, asked
        await program.post("/disconnect")


async def upload(web: aiohttp.ClientSession, body: bytes, **asked: str) -> tuple[int, str]:
    """(status, word) of one."""
    async with web.post("/upload", params={"camera": "a", "frame_delay": "500", **asked}, data=BytesIO(body)) as answer:
        return answer.status, await answer.text()


def still(nude: bool = False, frames: int = 2) -> bytes:
    """As an old client makes one: frames below each other, of no strip's size."""
    picture = scenes.blobs() if nude else scenes.scene(0)
    tall = scenes.strip(picture).resize((320, 240 * frames))
    for frame in range(frames):
        tall.paste(picture, (0, 240 * frame))
    return scenes.jpeg(tall, comment=CANARY)


def kept(folder: Path) -> list[Path]:
    """Files in which something of one stands."""
    return [path for path in folder.rglob("*") if path.is_file() and CANARY in path.read_bytes()]


async def test_one_that_is_not_clean_brings_a_look_at_its_call_and_nothing_else(
    looked: Looked, web: aiohttp.ClientSession
) -> None:
    async with (
        call(looked, web, "harmless", "AAAA2222") as (clean, other),
        call(looked, web, "not", "BBBB3333") as (_, asked),
    ):
        before = looked.counted()
        assert await upload(web, still(), id=clean.id, num_frames="2") == (200, "win")
        assert await looked.one_more(before) == "clean"
        before = looked.counted()
        assert await upload(web, still(nude=True), randid="BBBB3333", num_frames="2") == (200, "win")
        assert await looked.one_more(before) == "hit"
        snap = await asyncio.wait_for(asked.snaps.get(), 20)
        assert (snap.tiles, snap.mine) == (
            3,
            False,
        )  # the program cannot be asked, so nothing of the partner's is held against it
        assert other.snaps.empty()
        before = looked.counted()
        assert await upload(web, still(nude=True), randid="BBBB3333") == (200, "win")
        assert await looked.one_more(before) == "passed", f"one of a client in {EVERY:.0f} s"
        assert await clean.post("/send", msg="on it goes") == "win"
    async with web.get("/api/config") as answer:
        assert (await answer.json())["pictures"] is True
    assert kept(looked.folder) == []
    assert not list((looked.folder / "objects").glob("snaps/**/*"))
    assert CANARY.decode() not in looked.server.said


PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)
BOMB = still().replace(b"\x01\xe0\x01\x40", b"\xff\xdc\xff\xdc", 1)  # says that it is 65500 by 65500


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (PNG, "undecided"),
        (BOMB, "undecided"),
        (still()[:900], "undecided"),
        (still() + bytes(KEPT), "passed"),
        (b"", "passed"),
    ],
    ids=["png", "bomb", "cut", "long", "nothing"],
)
async def test_what_is_no_such_still_is_answered_like_one_and_asks_nobody(
    looked: Looked, web: aiohttp.ClientSession, body: bytes, result: str
) -> None:
    async with call(looked, web, f"bad {len(body)}", f"BAD{len(body)}") as (program, asked):
        before = looked.counted()
        assert await upload(web, body, id=program.id, num_frames="2") == (200, "win")
        assert await looked.one_more(before) == result
        assert asked.snaps.empty()


async def test_what_is_nobody_s_in_a_call_is_looked_at_by_nobody(looked: Looked, web: aiohttp.ClientSession) -> None:
    talker = Caller(web)
    await talker.start(randid="TEXT2222", topics='["text alone"]')
    for of in ({"randid": "NOBODY22"}, {}, {"id": "central1:nobody"}, {"randid": "TEXT2222"}, {"id": talker.id}):
        before = looked.counted()
        assert await upload(web, still(nude=True), **of) == (200, "win")
        assert await looked.one_more(before) == "passed"


async def test_two_programs_have_no_video_together_and_are_told_so_once(web: aiohttp.ClientSession) -> None:
    one, two = await pair(lambda: Caller(web), "two programs", webrtc="1")
    for _ in range(2):
        assert await one.post("/rtcpeerdescription", desc='{"type":"offer","sdp":"v=0"}') == "fail"
    assert (await one.until("serverMessage"))[1].startswith("There is no video with this stranger")
    assert await two.post("/send", msg="so we write") == "win"
    assert await one.events() == [["gotMessage", "so we write"]]
    for caller in (one, two):
        await caller.post("/disconnect")


async def test_more_than_a_still_can_be_is_refused(web: aiohttp.ClientSession) -> None:
    assert (await upload(web, bytes(UPLOAD_MAX + 1)))[0] == 413


async def test_of_a_client_one_is_scored_in_ten_seconds_and_of_all_one_at_a_time_and_five_a_second() -> None:
    services = SimpleNamespace(spent=BucketRegistry())
    uploads = PictureUploads(SimpleNamespace(), services)  # type: ignore[arg-type]  # neither is asked for what follows
    one, two, three = (SimpleNamespace(id=id) for id in "123")
    assert uploads._may(one, 100.0)  # type: ignore[arg-type]
    assert [uploads._may(two, 100.0 + after) for after in (0.0, 0.19, 0.21)] == [False, False, True]  # type: ignore[arg-type]
    assert [uploads._may(one, 100.0 + after) for after in (9.9, 10.1)] == [False, True]  # type: ignore[arg-type]
    assert list(uploads._lately) == ["2", "1"]
    uploads._scoring = asyncio.create_task(asyncio.Event().wait())  # type: ignore[arg-type]
    assert not uploads._may(three, 200.0)  # type: ignore[arg-type]
    await uploads.close()
    assert uploads._may(three, 200.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "frames"),
    [("", 1), ("1", 1), ("10", 10), ("16", 16), ("17", 1), ("0", 1), ("-2", 1), ("x", 1), ("²", 1), ("9" * 9, 1)],
)
def test_a_number_of_frames_that_is_none_is_one(said: str, frames: int) -> None:
    assert _frames(said) == frames


async def test_where_reports_alone_bring_looks_nobody_scores_one(tmp_path: Path) -> None:
    looked = Looked(tmp_path, SERENDIP_PICTURES__MODE="reports")
    try:
        async with (
            aiohttp.ClientSession(looked.server.url) as web,
            call(looked, web, "reports", "RRRR2222") as (program, asked),
        ):
            before = looked.counted()
            assert await upload(web, still(nude=True), id=program.id) == (200, "win")
            assert await looked.one_more(before) == "passed"
            assert asked.snaps.empty()
    finally:
        looked.server.stop()
