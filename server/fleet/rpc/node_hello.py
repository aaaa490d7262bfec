"""Who a host is, as it says itself to who asks at its cluster port. Rule: what two hosts have to agree in, and nothing of people."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import orjson

from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_server import Answer, Handler, Request
from server.ops import version


class NodeHello(NamedTuple):
    """Of one host. `time`: Unix ms; `secrets`: ids of those that it takes, the present one first; `epochs`: those whose keys it has; `schema`: the
    revision of its database, empty: none is open."""

    node: str
    cell: str
    version: str
    time: int
    secrets: list[int]
    epochs: list[int]
    schema: str

    def packed(self) -> bytes:
        """As it is sent."""
        return orjson.dumps(self._asdict())


def read(data: bytes) -> NodeHello:
    """What a host said; fields of a newer version are left out. Raises ValueError."""
    try:
        found = orjson.loads(data)
        return NodeHello(**{name: found[name] for name in NodeHello._fields})
    except (KeyError, TypeError) as error:
        raise ValueError("no hello") from error


def saying(
    node: str, cell: str, secrets: list[int], epochs: Callable[[], list[int]], schema: Callable[[], str]
) -> Handler:
    """Answers HELLO."""

    async def answer(_: Request) -> Answer:
        hello = NodeHello(node, cell, version.VERSION, int(time.time() * 1000), secrets, epochs(), schema())
        return Answer(Status.TAKEN, hello.packed())

    return answer
