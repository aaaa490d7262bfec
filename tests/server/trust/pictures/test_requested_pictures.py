"""Test requested pictures: accepted once and in time, reported as judged, and in memory alone for a bounded time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from server.trust.evidence.reported_picture import OWN, STRIP, Picture
from server.trust.pictures.picture_process_codec import CLEAN, HIT, Judged
from server.trust.pictures.requested_pictures import FEW, FOLLOWED, KEPT, WITHIN, PictureRequests, Refused

CHAT = "c0ffee"
STRIPED = bytes(range(256)) * 4  # a thumb


def jpeg(width: int, height: int, more: int = 0) -> bytes:
    """The head of one, which nothing decodes here."""
    frame = (
        b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    )
    return b"\xff\xd8" + frame + b"\xff\xda" + b"\x00" * more + b"\xff\xd9"


THEIRS, MINE = jpeg(320, 720), jpeg(320, 240)


class Judge:
    """Says what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.verdict, self.tag = CLEAN, ""
        self.strip: Sequence[bytes] = (STRIPED,) * 3
        self.own: bytes | None = STRIPED
        self.away = False
        self.go = asyncio.Event()
        self.go.set()
        self.asked: list[bool] = []

    async def judge(self, strip: bytes, reported: bool = False) -> Judged | None:
        self.asked.append(reported)
        await self.go.wait()
        return None if self.away else Judged(self.verdict, 0.1, 80, self.strip, self.tag, 0.01)

    async def thumb(self, own: bytes) -> bytes | None:
        return self.own


class Bench:
    """Looks, whose clock stands still unless it is moved."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.judge = Judge()
        self.now = 1000.0
        self.told: list[tuple[str, str]] = []
        self.looks = PictureRequests(self.judge, most, 0.8, 0.6, lambda *what: self.told.append(what), lambda: self.now)

    def ask(self, name: str = "", chat: str = CHAT) -> tuple[str, str]:
        nonces = f"a{name}", f"b{name}"
        self.looks.asked(chat, (0, 1), nonces)
        return nonces

    def give(self, nonce: str, kind: str, body: bytes) -> None:
        self.looks.begin(nonce, kind)
        self.looks.take(nonce, kind, body)

    def refusal(self, nonce: str, kind: str, body: bytes) -> int:
        with pytest.raises(Refused) as refused:
            self.give(nonce, kind, body)
        return refused.value.status

    async def rest(self) -> None:
        while self.looks._tasks:
            await asyncio.wait(self.looks._tasks)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.looks.close()


async def test_what_comes_and_what_is_seen_is_told_by_its_nonce(bench: Bench) -> None:
    a, b = bench.ask()
    bench.give(b, "mine", MINE)
    bench.give(a, "theirs", THEIRS)
    await bench.rest()
    assert bench.told == [(b, "mine"), (a, "theirs"), (a, CLEAN), (a, "agrees")]
    bench.judge.verdict, bench.judge.strip = HIT, (bytes(reversed(STRIPED)),) * 3
    bench.give(b, "theirs", THEIRS)
    bench.give(a, "mine", MINE)
    await bench.rest()
    assert bench.told[4:] == [(b, "theirs"), (a, "mine"), (b, HIT), (b, "differs")]


async def test_a_picture_comes_once_in_time_and_by_a_nonce_that_is_known(bench: Bench) -> None:
    a, b = bench.ask()
    assert bench.refusal("nobody", "theirs", THEIRS) == 404
    bench.give(a, "theirs", THEIRS)
    assert bench.refusal(a, "theirs", THEIRS) == 404
    bench.now += WITHIN + 1
    assert bench.refusal(b, "theirs", THEIRS) == 404
    a, b = bench.ask("2")
    bench.looks.begin(a, "mine")
    bench.now += WITHIN + 1
    bench.ask("3")  # what is over is forgotten
    with pytest.raises(Refused):
        bench.looks.take(a, "mine", MINE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 64,
        THEIRS[:-2],
        MINE,
        jpeg(60_000, 60_000),
        jpeg(320, 721),
        b"\xff\xd8\xff",
    ],
)
async def test_what_is_no_picture_of_that_size_is_refused_and_used_up(bench: Bench, body: bytes) -> None:
    a, _ = bench.ask()
    assert bench.refusal(a, "theirs", body) == 415
    assert bench.refusal(a, "theirs", THEIRS) == 404
    await bench.rest()
    assert bench.told == []
    assert bench.looks.shown(CHAT, 1) == ()


async def test_where_nobody_looks_that_is_told_and_agreement_is_not(bench: Bench) -> None:
    a, b = bench.ask()
    bench.judge.away, bench.judge.own = True, None
    bench.give(a, "theirs", THEIRS)
    bench.give(b, "mine", MINE)
    await bench.rest()
    assert bench.told == [(a, "theirs"), (b, "mine"), (a, "undecided")]


async def test_a_listed_picture_is_told_beside_what_was_seen(bench: Bench) -> None:
    a, _ = bench.ask()
    bench.judge.tag = "list/1"
    bench.give(a, "theirs", THEIRS)
    await bench.rest()
    assert bench.told == [(a, "theirs"), (a, CLEAN), (a, "known")]


async def test_a_picture_goes_nowhere_before_it_was_judged_and_then_with_the_entry_that_it_is_like(
    bench: Bench,
) -> None:
    got: list[Picture] = []

    async def adds(pictures: Iterable[Picture]) -> None:
        got.extend(pictures)

    a, b = bench.ask()
    bench.judge.tag = "list: 1"
    bench.judge.go.clear()
    bench.give(a, "theirs", THEIRS)
    bench.give(b, "mine", MINE)
    await asyncio.sleep(0)
    had = bench.looks.shown(CHAT, 1)
    assert [one.kind for one in had] == [OWN]
    bench.looks.follow(CHAT, 1, had, adds)
    bench.judge.go.set()
    await bench.rest()
    assert [(one.kind, one.listed) for one in got] == [(STRIP, "list: 1")]
    assert [(one.kind, one.listed) for one in bench.looks.shown(CHAT, 1)] == [(STRIP, "list: 1"), (OWN, "")]
    assert bench.looks.reading()["serendip_pictures_bytes"] == len(THEIRS) + len(MINE)
    bench.judge.away = True
    bench.give(bench.ask("2")[0], "theirs", jpeg(320, 720, 1))
    await bench.rest()
    assert [one.listed for one in got] == ["list: 1", ""], "one that nobody can judge is as good as any"


async def test_the_newest_pictures_of_each_camera_are_there_until_some_time_after_the_last_look(bench: Bench) -> None:
    for number in range(FEW + 1):
        a, b = bench.ask(str(number))
        bench.give(a, "theirs", jpeg(320, 720, number))
        bench.give(b, "mine", jpeg(320, 240, number))
    bench.give(a, "mine", MINE)
    await bench.rest()
    shown = bench.looks.shown(CHAT, 1)
    assert [one.kind for one in shown] == [STRIP] * FEW + [OWN] * FEW
    assert [one.body for one in shown[:FEW]] == [jpeg(320, 720, number) for number in range(1, FEW + 1)]
    assert {one.side for one in shown} == {1}
    assert [one.kind for one in bench.looks.shown(CHAT, 0)] == [OWN]
    assert bench.looks.shown("other", 0) == ()
    bench.now += KEPT + 1
    bench.ask("later", chat="other")
    assert bench.looks.shown(CHAT, 1) == ()
    assert bench.looks.reading()["serendip_pictures_bytes"] == 0


async def test_pictures_of_the_chat_looked_at_the_longest_ago_go_where_there_is_no_room() -> None:
    bench = Bench(most=4 * len(THEIRS))
    for chat in ("one", "two", "three", "four", "five"):
        a, _ = bench.ask(chat, chat)
        bench.give(a, "theirs", THEIRS)
    await bench.rest()
    assert [bool(bench.looks.shown(chat, 1)) for chat in ("one", "two", "five")] == [False, True, True]
    assert bench.looks.reading()["serendip_pictures_bytes"] == 4 * len(THEIRS)
    await bench.looks.close()


async def test_what_comes_after_a_report_goes_to_who_asked_for_a_while(bench: Bench) -> None:
    got: list[Picture] = []

    async def adds(pictures: Iterable[Picture]) -> None:
        got.extend(pictures)

    bench.looks.follow(CHAT, 1, (), adds)  # of a chat that nobody looks at nothing will come
    bench.give(bench.ask("1")[0], "theirs", jpeg(320, 720, 1))
    await bench.rest()
    had = bench.looks.shown(CHAT, 1)
    bench.give(bench.ask("2")[0], "theirs", jpeg(320, 720, 2))
    await bench.rest()
    bench.looks.follow(CHAT, 1, had, adds)
    await bench.rest()
    assert [one.body for one in got] == [jpeg(320, 720, 2)]
    got.clear()
    a, b = bench.ask()
    bench.give(a, "theirs", THEIRS)
    bench.give(a, "mine", MINE)  # of the other side
    bench.give(b, "mine", MINE)
    await bench.rest()
    assert sorted((one.kind, one.side) for one in got) == [(OWN, 1), (STRIP, 1)]
    assert bench.judge.asked[-1], "known pictures are looked for, whatever is seen"
    bench.now += FOLLOWED + 1
    a, _ = bench.ask("3")
    bench.give(a, "theirs", THEIRS)
    await bench.rest()
    assert len(got) == 2


async def test_a_fault_of_ours_costs_one_picture_and_is_counted(bench: Bench) -> None:
    a, b = bench.ask()

    async def breaks(_: bytes, __: bool = False) -> Judged | None:
        raise RuntimeError

    usual, bench.judge.judge = bench.judge.judge, breaks  # type: ignore[method-assign]  # for this once
    bench.give(a, "theirs", THEIRS)
    await bench.rest()
    bench.judge.judge = usual  # type: ignore[method-assign]
    bench.give(b, "theirs", THEIRS)
    await bench.rest()
    assert bench.told == [(a, "theirs"), (b, "theirs"), (b, CLEAN)]
    assert bench.looks.tally["failed"] == 1
    assert [len(bench.looks.shown(CHAT, side)) for side in (0, 1)] == [1, 1]


async def test_the_end_waits_for_nobody(bench: Bench) -> None:
    a, _ = bench.ask()
    bench.judge.go.clear()
    bench.give(a, "theirs", THEIRS)
    await bench.looks.close()
    assert bench.told == [(a, "theirs")]
