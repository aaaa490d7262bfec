"""Test pictures that two in a chat send each other: held and given out for a bounded time; and the whole path on a real server that checks them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import aiohttp
import pytest

from engine.wire.protocol import SENT_BYTES
from serendip_client import Client, Error, Matched, Picture, PicturesAllowed
from serendip_client.events import Upload
from server.trust.evidence.reported_picture import SENT
from server.trust.evidence.reported_picture import Picture as Kept
from server.trust.pictures.picture_process_codec import CLEAN, HIT, Judged
from server.trust.pictures.picture_relay import CHAT_MOST, FEW, GIVEN_MOST, WITHIN, HeldPictures, SentPictures
from server.trust.pictures.requested_pictures import KEPT, Refused
from tests.server.site.web.servers import Server
from tests.server.trust.pictures.test_routes import Person, looked_at
from tests.support import scenes

BODY = scenes.jpeg(scenes.scene(0))
KEYS = [f"{number:022d}" for number in range(99)]


class Bench:
    """Sent pictures, whose clock stands still unless it is moved."""

    def __init__(self, most: int = 1 << 24, *, required: bool = False) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, str]] = []
        self.verdict: Judged | None = Judged(CLEAN, 0.1, 80, (), "", 0.0)
        self.go = asyncio.Event()
        self.go.set()
        self.sent = SentPictures(self._check, most, required, lambda *what: self.told.append(what), lambda: self.now)

    async def _check(self, _: bytes) -> Judged | None:
        await self.go.wait()
        return self.verdict

    async def put(self, key: str, side: int = 0, chat: str = "c", body: bytes = BODY) -> None:
        """Upload a picture, and wait for what is told."""
        known = len(self.told)
        self.sent.asked(chat, side, key)
        self.sent.begin(key)
        self.sent.take(key, body)
        async with asyncio.timeout(5):
            while len(self.told) == known:  # noqa: ASYNC110 - a call has no event
                await asyncio.sleep(0)


async def test_a_picture_is_given_out_after_its_check_until_the_chat_ends() -> None:
    bench = Bench()
    bench.go.clear()
    bench.sent.asked("c", 0, KEYS[0])
    bench.sent.take(KEYS[0], BODY)
    assert bench.sent.give(KEYS[0]) is None, "it is not checked"
    with pytest.raises(Refused):
        bench.sent.take(KEYS[0], BODY)
    bench.go.set()
    await bench.put(KEYS[1])
    assert bench.told == [(KEYS[0], CLEAN), (KEYS[1], CLEAN)]
    assert bench.sent.give(KEYS[0]) == bench.sent.give(KEYS[0]) == BODY
    bench.sent.over("c")
    assert bench.sent.give(KEYS[0]) is None
    assert [one.body for one in bench.sent.shown("c", 0)] == [BODY, BODY], "a report may ask for them"


async def test_a_listed_picture_is_never_given_out_and_kept_with_its_entry() -> None:
    bench = Bench()
    bench.verdict = Judged(HIT, 0.9, 80, (), "list: one", 0.0)
    await bench.put(KEYS[0])
    assert bench.told == [(KEYS[0], "known")]
    assert bench.sent.give(KEYS[0]) is None
    (kept,) = bench.sent.shown("c", 0)
    assert (kept.kind, kept.listed) == (SENT, "list: one")


async def test_without_a_verdict_it_is_told_as_unchecked() -> None:
    for required in (False, True):
        bench = Bench(required=required)
        bench.verdict = None
        await bench.put(KEYS[0])
        assert bench.told == [(KEYS[0], "unchecked")]
        assert bench.sent.give(KEYS[0]) == (None if required else BODY), (
            "where checks are required, its key opens nothing"
        )


async def test_what_the_engine_does_not_show_is_given_out_no_more_and_stays_for_a_report() -> None:
    bench = Bench()
    await bench.put(KEYS[0])
    bench.sent.withdraw(KEYS[0])
    assert bench.sent.give(KEYS[0]) is None
    assert len(bench.sent.shown("c", 0)) == 1


async def test_a_picture_whose_chat_ended_during_its_check_is_not_given_out() -> None:
    bench = Bench()
    bench.go.clear()
    bench.sent.asked("c", 0, KEYS[0])
    bench.sent.take(KEYS[0], BODY)
    bench.sent.over("c")
    bench.go.set()
    async with asyncio.timeout(5):
        while not bench.told:  # noqa: ASYNC110 - a call has no event
            await asyncio.sleep(0)
    assert bench.sent.give(KEYS[0]) is None


async def test_a_picture_is_no_public_address_and_one_key_takes_one_body_at_a_time() -> None:
    bench = Bench()
    await bench.put(KEYS[0])
    assert [bench.sent.give(KEYS[0]) for _ in range(GIVEN_MOST + 1)] == [*[BODY] * GIVEN_MOST, None]
    bench.sent.asked("c", 0, KEYS[1])
    bench.sent.begin(KEYS[1])
    with pytest.raises(Refused):
        bench.sent.begin(KEYS[1])
    bench.sent.stop(KEYS[1])
    bench.sent.begin(KEYS[1])


async def test_harmless_pictures_push_no_unsafe_one_out_of_a_report_and_a_chat_holds_a_bounded_number() -> None:
    bench = Bench()
    bench.verdict = Judged(HIT, 0.9, 80, (), "", 0.0)
    unsafe = BODY[:2] + b"\xff\xdd\x00\x04\x00\x00" + BODY[2:]  # the same with a restart interval
    await bench.put(KEYS[0], body=unsafe)
    bench.verdict = Judged(CLEAN, 0.1, 80, (), "", 0.0)
    for number in range(FEW):
        await bench.put(KEYS[number + 1])
    assert [one.body for one in bench.sent.shown("c", 0)] == [unsafe, BODY, BODY]
    bench.sent.over("c")
    assert [one.body for one in bench.sent.shown("c", 0)] == [unsafe, BODY, BODY]
    for number in range(CHAT_MOST + 3):
        await bench.put(KEYS[number + 10], chat="d")
    held = bench.sent.reading()["serendip_sent_pictures_bytes"]
    assert held == len(unsafe) + (FEW - 1 + CHAT_MOST) * len(BODY)
    small = Bench(most=2 * len(BODY))
    for number in range(4):
        await small.put(KEYS[number])
    assert small.sent.reading()["serendip_sent_pictures_bytes"] == 2 * len(BODY), "one chat alone as well"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GIF89a",
        scenes.jpeg(scenes.scene(0), comment=b"a comment"),
        BODY + b"PK\xff\xd9",
        scenes.jpeg(scenes.scene(0, (1281, 100))),
        scenes.jpeg(scenes.scene(0, (100, 8))),
        BODY[:-2] + bytes(SENT_BYTES) + b"\xff\xd9",
    ],
    ids=["nothing", "another kind", "a comment", "something behind it", "too wide", "too low", "too large"],
)
async def test_what_is_no_bare_jpeg_of_the_right_size_is_refused_and_told(body: bytes) -> None:
    bench = Bench()
    bench.sent.asked("c", 0, KEYS[0])
    with pytest.raises(Refused) as refused:
        bench.sent.take(KEYS[0], body)
    assert (refused.value.status, bench.told) == (415, [(KEYS[0], "refused")])
    assert bench.sent.shown("c", 0) == ()


async def test_keys_and_pictures_go_with_time_and_the_oldest_for_want_of_room() -> None:
    bench = Bench(most=3 * len(BODY))
    bench.sent.asked("c", 0, KEYS[0])
    bench.now += WITHIN
    with pytest.raises(Refused):
        bench.sent.begin(KEYS[0])
    for number in range(4):
        await bench.put(KEYS[number + 1], chat=f"c{number}")
    assert bench.sent.give(KEYS[1]) is None
    assert bench.sent.give(KEYS[2]) == BODY
    assert bench.sent.reading()["serendip_sent_pictures_bytes"] == 3 * len(BODY)
    bench.now += KEPT + 1
    sweeping = asyncio.create_task(bench.sent.run())  # without another picture
    async with asyncio.timeout(5):
        while bench.sent.reading()["serendip_sent_pictures_bytes"]:  # noqa: ASYNC110 - a call has no event
            await asyncio.sleep(0)
    sweeping.cancel()
    assert bench.sent.reading()["serendip_sent_pictures_bytes"] == 0


async def test_after_the_chat_the_newest_few_of_each_side_stay_and_a_report_gets_later_ones() -> None:
    bench = Bench()
    for number in range(FEW + 2):
        await bench.put(KEYS[number])
    await bench.put(KEYS[50], side=1)
    added: list[Kept] = []

    async def adds(pictures: Iterable[Kept]) -> None:
        added.extend(pictures)

    held = HeldPictures([bench.sent])
    held.follow("c", 0, held.shown("c", 0), adds)
    await bench.put(KEYS[60])
    await asyncio.sleep(0)
    assert len(added) == 1
    bench.sent.over("c")
    assert len(held.shown("c", 0)) == FEW
    assert len(held.shown("c", 1)) == 1
    assert bench.sent.reading()["serendip_sent_pictures_bytes"] == (FEW + 1) * len(BODY)


async def test_a_report_before_the_first_picture_gets_those_that_come() -> None:
    bench = Bench()
    added: list[Kept] = []

    async def adds(pictures: Iterable[Kept]) -> None:
        added.extend(pictures)

    bench.sent.follow("c", 0, bench.sent.shown("c", 0), adds)
    bench.sent.follow("d", 0, (), adds)  # no picture ever comes there
    bench.now += 60
    await bench.put(KEYS[0])
    await bench.put(KEYS[1], side=1)
    await asyncio.sleep(0)
    assert [one.side for one in added] == [0]
    bench.now += KEPT - 30
    bench.sent.sweep(bench.now)
    assert list(bench.sent._chats) == ["c"], "a report is forgotten as pictures are"


async def test_a_reported_chat_without_pictures_is_not_counted_among_those_whose_pictures_went() -> None:
    bench = Bench(most=len(BODY))

    async def adds(_: Iterable[Kept]) -> None:
        """Nothing comes."""

    bench.sent.follow("d", 0, (), adds)
    await bench.put(KEYS[0])
    await bench.put(KEYS[1], chat="e")
    assert list(bench.sent._chats) == ["e"]
    assert bench.sent.tally["forgotten"] == 1, "the chat with a picture"


# a real server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("data"), SERENDIP_SAFETY__MODERATED="true", SERENDIP_LIMITS__ENABLED="false"
    )
    yield server
    server.stop()


@pytest.fixture
async def pair(server: Server) -> AsyncIterator[tuple[Client, Client]]:
    """Two who both allow pictures, once pictures are checked there."""
    async with aiohttp.ClientSession(server.url) as web:
        await looked_at(web)
    url = f"ws://127.0.0.1:{server.port}/ws"
    async with Client(url) as one, Client(url) as two:
        for person in (one, two):
            await person.find(["pictures"], pictures=True)
        for person in (one, two):
            assert (await person.next(Matched)).pictures
        await one.allow_pictures()
        await two.next(PicturesAllowed)
        await two.allow_pictures()
        await one.next(PicturesAllowed)
        yield one, two


@pytest.mark.timeout(420)  # it loads a model, and looks at pictures only while a core is free
async def test_a_picture_arrives_unsafe_ones_with_a_veil_and_what_is_none_is_refused(
    pair: tuple[Client, Client], server: Server
) -> None:
    one, two = pair
    id = await one.send_picture(BODY)
    told, own = await two.next(Picture), await one.next(Picture)
    assert (told.key, told.veil, told.own) == (own.key, None, False)
    assert (own.own, own.id) == (True, id)
    assert await two.fetch_picture(told.key) == BODY
    await two.send_picture(scenes.jpeg(scenes.blobs()))
    assert (await one.next(Picture)).veil == "nudity"
    id = await one.send_picture(scenes.jpeg(scenes.scene(1), comment=b"where it was taken"))
    refused = await one.next(Error)
    assert (refused.code, refused.of, refused.fields["id"]) == ("no_picture", "picture", id)
    async with aiohttp.ClientSession(server.url) as web:
        for body, kind, status in (
            (BODY, "image/jpeg", 404),
            (bytes(SENT_BYTES + 1), "image/jpeg", 404),
        ):
            async with web.post(f"/api/picture/{KEYS[0]}", data=body, headers={"Content-Type": kind}) as answer:
                assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")
        await one._send({"type": "picture", "id": "by hand"})
        key = (await one.next(Upload)).key
        async with web.post(f"/api/picture/{key}", data=bytes(SENT_BYTES + 1)) as answer:
            assert answer.status in (413, 415)
        async with web.get(f"/api/picture/{told.key}") as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["Content-Disposition"] == "attachment"
        await two.leave()
        async with asyncio.timeout(10):
            while True:
                async with web.get(f"/api/picture/{told.key}") as answer:
                    if answer.status == 404:
                        break
                await asyncio.sleep(0.01)


# a hostile client


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose users may send each other unchecked pictures, as many as the engine allows: no model is loaded."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_PICTURES__IN_CHAT="on", SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


async def meet(one: Person, two: Person, topic: str) -> None:
    """Two meet, whose clients can show pictures."""
    for person in (one, two):
        person.socket = await person.web.ws_connect("/ws")
        await person.say("find", interests=[topic], pictures=True)
    for person in (one, two):
        assert (await person.hear("matched"))["pictures"]


async def agree(one: Person, two: Person) -> None:
    """Both allow pictures."""
    for person, other in ((one, two), (two, one)):
        await person.say("pictures", allow=True)
        await other.hear("pictures")


async def error(person: Person, **fields: object) -> str:
    """Return the code of the refusal that a frame gets."""
    await person.say("picture", **fields)
    found = await person.hear("error", "upload")
    return str(found.get("code", found["type"]))


async def key_of(person: Person, id: str) -> str:
    """Return a key for a picture."""
    await person.say("picture", id=id)
    found = await person.hear("error", "upload")
    assert found["type"] == "upload", found
    return str(found["key"])


async def test_a_hostile_client_gets_a_clear_error_each_time_and_hurts_nobody(open_server: Server) -> None:
    async with (
        aiohttp.ClientSession(open_server.url) as web,
        aiohttp.ClientSession(open_server.url) as theirs,
    ):
        bad, victim, anna, ben = Person(web), Person(theirs), Person(theirs), Person(theirs)

        async def post(key: str, body: bytes, kind: str = "image/jpeg") -> int:
            async with web.post(f"/api/picture/{key}", data=body, headers={"Content-Type": kind}) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status

        bad.socket = await web.ws_connect("/ws")
        assert await error(bad, id="early") == "no_chat"
        await meet(bad, victim, "hostile")
        await meet(anna, ben, "peaceful")
        assert await error(bad, id="without consent") == "pictures"
        await bad.say("pictures", allow=True)
        assert await error(bad, id="by one alone") == "pictures"
        await victim.say("pictures", allow=True)
        await bad.hear("pictures")
        for wrong in ({}, {"id": 7}, {"id": ""}, {"id": "x" * 999}, {"id": None}):
            assert await error(bad, **wrong) == "bad_field", wrong
        first = await key_of(bad, "one")
        assert await error(bad, id="another meanwhile") == "too_fast"
        assert await post(first, bytes(SENT_BYTES + 1)) in (413, 415), "it is too large"
        for body in (b"GIF89a" + bytes(99), BODY[:99], scenes.jpeg(scenes.scene(0), comment=b"a place")):
            key = await key_of(bad, "one")
            assert await post(key, body) == 415
            refused = await bad.hear("error")
            assert (refused["code"], refused["of"], refused["id"]) == ("no_picture", "picture", "one")
            assert await post(key, BODY) == 404, "it was used"
        assert await post("A" * 22, BODY) == 404
        await agree(anna, ben)
        other = await key_of(anna, "one")  # an id is of its sender alone
        newer = await key_of(anna, "one")
        assert (await post(newer, BODY), await post(newer, BODY)) == (204, 404), "one body for a key"
        told = await ben.hear("picture")
        assert told["key"] == newer != other
        key = await key_of(bad, "good")
        assert await post(key, BODY) == 204
        assert (await victim.hear("picture"))["key"] == key
        codes = [await error(bad, id=f"flood {number}") for number in range(60)]
        assert set(codes) <= {"too_fast", "upload", "pictures"}
        assert codes.count("upload") <= 1, "one at a time"
        await bad.say("pictures", allow=False)
        assert (await victim.hear("pictures"))["allow"] is False
        assert await error(bad, id="taken back") == "pictures"
        async with theirs.get(f"/api/picture/{told['key']}") as answer:
            assert await answer.read() == BODY, "the others see theirs"
        for speaker, hearer in ((victim, bad), (anna, ben)):
            await speaker.say("message", text="still here")
            assert (await hearer.hear("message"))["text"] == "still here"
