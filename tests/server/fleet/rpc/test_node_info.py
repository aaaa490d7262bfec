"""What a host says of itself, asked over its port."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest

from server.fleet.rpc import node_info
from server.fleet.rpc.rpc_envelope import SMALL, Kind
from server.ops import version
from server.ops.security import secret_keys
from tests.server.fleet.cluster.ports import there

pytestmark = pytest.mark.blocking  # reads keys


async def test_a_host_says_who_it_is(tmp_path: Path) -> None:
    saying = node_info.saying("ffffffffff", "1", [200, 17], lambda: [690, 691], lambda: "a042")
    async with there(secret_keys.load(tmp_path), {Kind.HELLO: saying}) as host:
        found = node_info.read(await host.asker.ask(host.address, Kind.HELLO, b""))
    assert found._replace(time=0) == node_info.NodeHello(
        "ffffffffff", "1", version.VERSION, 0, [200, 17], [690, 691], "a042"
    )
    assert abs(found.time / 1000 - time.time()) < 60
    assert len(found._replace(epochs=list(range(690, 700))).packed()) < SMALL


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"node": "a"}', b"1e999"])
def test_what_is_no_hello_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError):
        node_info.read(data)


def test_what_a_later_version_says_more_is_left_out() -> None:
    said = node_info.NodeHello("a", "1", "9", 1, [1], [2], "x")
    assert node_info.read(said.packed()[:-1] + b',"more":1}') == said


@pytest.mark.parametrize(
    "field",
    [
        {"node": 7},
        {"cell": None},
        {"time": 1.5},
        {"time": True},
        {"secrets": "12"},
        {"epochs": [1, "2"]},
        {"schema": []},
    ],
)
def test_a_hello_with_a_field_of_another_type_is_none(field: dict[str, object]) -> None:
    good = orjson.loads(node_info.NodeHello("a", "1", "9", 1, [1], [2], "x").packed())
    assert node_info.read(orjson.dumps(good)).node == "a"
    with pytest.raises(ValueError):
        node_info.read(orjson.dumps({**good, **field}))
