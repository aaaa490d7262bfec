"""Answer the request HELLO with this host's node id, software version, clock, ids of its secrets and epoch keys, and database revision, which an
operator compares between hosts. The answer has nothing about users.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import orjson

from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_server import Answer, Handler, Request
from server.ops import version


class NodeHello(NamedTuple):
    """Hello of one host. `time`: Unix ms; `secrets`: ids of those that it accepts, the present one first; `epochs`: those whose keys it has;
    `schema`: revision of its database, empty: none is open.
    """

    node: str
    cell: str
    version: str
    time: int
    secrets: list[int]
    epochs: list[int]
    schema: str

    def packed(self) -> bytes:
        """Return the hello as bytes."""
        return orjson.dumps(self._asdict())


def read(data: bytes) -> NodeHello:
    """Decode a hello; fields of a newer version are skipped. Raises ValueError."""
    try:
        found = orjson.loads(data)
        return NodeHello(**{name: found[name] for name in NodeHello._fields})
    except (KeyError, TypeError) as error:
        raise ValueError("no hello") from error


def saying(
    node: str, cell: str, secrets: list[int], epochs: Callable[[], list[int]], schema: Callable[[], str]
) -> Handler:
    """Return the handler of HELLO."""

    async def answer(_: Request) -> Answer:
        hello = NodeHello(node, cell, version.VERSION, int(time.time() * 1000), secrets, epochs(), schema())
        return Answer(Status.TAKEN, hello.packed())

    return answer
