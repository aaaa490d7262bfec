"""What a host says of itself, asked over its port."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from server import version
from server.cluster import hello
from server.cluster.head import SMALL, Kind
from server.security import keys

from .ports import there

pytestmark = pytest.mark.blocking  # reads keys


async def test_a_host_says_who_it_is(tmp_path: Path) -> None:
    saying = hello.saying("ffffffffff", "1", [200, 17], lambda: [690, 691], lambda: "a042")
    async with there(keys.load(tmp_path), {Kind.HELLO: saying}) as host:
        found = hello.read(await host.asker.ask(host.address, Kind.HELLO, b""))
    assert found._replace(time=0) == hello.Hello("ffffffffff", "1", version.VERSION, 0, [200, 17], [690, 691], "a042")
    assert abs(found.time / 1000 - time.time()) < 60
    assert len(found._replace(epochs=list(range(690, 700))).packed()) < SMALL


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"node": "a"}'])
def test_what_is_no_hello_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError):
        hello.read(data)


def test_what_a_later_version_says_more_is_left_out() -> None:
    said = hello.Hello("a", "1", "9", 1, [1], [2], "x")
    assert hello.read(said.packed()[:-1] + b',"more":1}') == said
