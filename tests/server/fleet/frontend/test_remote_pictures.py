"""A report at one host has the pictures that another one took of its chat."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from engine.wire.protocol import SNAP_BYTES
from server.fleet.frontend.remote_pictures import RemotePictures, packed, unpacked
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Request
from server.ops.security import secret_keys
from server.ops.security.secret_keys import Keys
from server.trust.evidence.reported_picture import MOST, OWN, STRIP, Adds, Picture
from tests.server.fleet.cluster.ports import NODE, there

pytestmark = pytest.mark.blocking  # reads keys
STRIPS = tuple(
    Picture(STRIP, 1, 1_795_000_000 + n, bytes([n]) * SNAP_BYTES, "list: tag" if n else "") for n in range(MOST)
)


class Looks:
    """Of one host, which has pictures of a chat."""

    def __init__(self, pictures: Sequence[Picture] = (), chat: str = "c0ffee") -> None:
        self.pictures, self.chat = tuple(pictures), chat
        self.followed: list[str] = []

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        return self.pictures if (chat, side) == (self.chat, 1) else ()

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        self.followed.append(chat)


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return secret_keys.load(tmp_path)


class Case:
    """What it was given."""

    def __init__(self) -> None:
        self.added: list[Picture] = []
        self.came = asyncio.Event()

    async def add(self, pictures: Iterable[Picture]) -> None:
        self.added += pictures
        self.came.set()


async def test_they_come_to_the_case_from_the_host_that_looked(secret: Keys) -> None:
    other = Looks(STRIPS)
    async with there(secret, {}) as empty, there(secret, {}) as far:
        empty_looks = RemotePictures(Looks(), empty.asker, list)
        far_looks = RemotePictures(other, far.asker, list)
        empty.port._handlers[Kind.LOOKS] = empty_looks.answer  # type: ignore[index]
        far.port._handlers[Kind.LOOKS] = far_looks.answer  # type: ignore[index]
        here = Looks()
        everywhere = RemotePictures(here, far.asker, lambda: ["127.0.0.1:9", empty.address, far.address])
        case = Case()
        everywhere.follow("c0ffee", 1, (), case.add)
        async with asyncio.timeout(10):
            await case.came.wait()
        assert tuple(case.added) == STRIPS
        assert here.followed == ["c0ffee"]
        assert everywhere.shown("c0ffee", 1) == ()

        case = Case()
        everywhere.follow("c0ffee", 1, STRIPS[:1], case.add)  # there were some here: nobody is asked
        everywhere.follow("decaf", 1, (), case.add)  # nobody has any
        await asyncio.gather(*everywhere._tasks)
        assert case.added == []
        await everywhere.close()


async def test_a_fault_of_the_store_costs_the_case_its_pictures_alone(secret: Keys) -> None:
    async def full(_: Iterable[Picture]) -> None:
        raise RuntimeError

    async with there(secret, {}) as far:
        far.port._handlers[Kind.LOOKS] = RemotePictures(Looks(STRIPS), far.asker, list).answer  # type: ignore[index]
        everywhere = RemotePictures(Looks(), far.asker, lambda: [far.address])
        everywhere.follow("c0ffee", 1, (), full)
        await asyncio.gather(*everywhere._tasks)


async def test_what_is_no_question_is_refused(secret: Keys) -> None:
    async with there(secret, {}) as far:
        looks = RemotePictures(Looks(STRIPS), far.asker, list)
        for body in (b"", b"{}", b"[]", b"[1,1]", b'["c0ffee",2]', b'["c0ffee"]', b'["c0ffee",[]]', b"null", b"1"):
            assert (await looks.answer(Request(Kind.LOOKS, NODE, bytes(16), 1, body))).status == Status.NO


def test_what_is_sent_is_bounded_and_comes_back() -> None:
    own = Picture(OWN, 0, 5, b"x")
    assert unpacked(packed([own, *STRIPS])) == STRIPS, "the newest"
    assert unpacked(packed([own])) == (own,)
    assert len(packed(STRIPS)) < 1 << 20
    for data in (
        b"",
        b"5",
        b"[5]",
        b'[["strip",1,1,"!",""]]',
        b'[["strip",1,null,"",""]]',
        b"[[1]]",
        b'[["own",1,1.5,"QQ==",""]]',
        b'{"a":1}',
    ):
        with pytest.raises(ValueError):
            unpacked(data)
    assert unpacked(b'[["strip",7,1,"QQ==",""],["x",1,1,"QQ==",""]]') == ()
