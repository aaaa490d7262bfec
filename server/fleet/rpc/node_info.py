"""Answer the request HELLO with this host's node id, software version, clock, ids of its secrets and epoch keys, and database revision, which an
operator compares between hosts. The answer has nothing about users.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_server import Answer, Handler, Request
from server.ops import version

CLUSTER: Final = "cell"  # the field `cluster` between hosts, as earlier releases name it


class NodeHello(NamedTuple):
    """Hello of one host. `time`: Unix ms; `secrets`: ids of those that it accepts, the present one first; `epochs`: those whose keys it has;
    `schema`: revision of its database, empty: none is open.
    """

    node: str
    cluster: str
    version: str
    time: int
    secrets: list[int]
    epochs: list[int]
    schema: str

    def packed(self) -> bytes:
        """Return the hello as bytes."""
        return orjson.dumps({CLUSTER if name == "cluster" else name: value for name, value in self._asdict().items()})


def read(data: bytes) -> NodeHello:
    """Decode a hello; fields of a newer version are skipped. Raises ValueError."""
    found: Any = orjson.loads(data)
    if type(found) is not dict:
        raise ValueError("no hello")
    fields: dict[str, Any] = {name: found.get(CLUSTER if name == "cluster" else name) for name in NodeHello._fields}
    hello = NodeHello(**fields)
    texts = (hello.node, hello.cluster, hello.version, hello.schema)
    if not all(type(text) is str for text in texts) or type(hello.time) is not int:
        raise ValueError("no hello")
    if not all(type(ids) is list and all(type(id) is int for id in ids) for ids in (hello.secrets, hello.epochs)):
        raise ValueError("no hello")
    return hello


def saying(
    node: str, cluster: str, secrets: list[int], epochs: Callable[[], list[int]], schema: Callable[[], str]
) -> Handler:
    """Return the handler of HELLO."""

    async def answer(_: Request) -> Answer:
        hello = NodeHello(node, cluster, version.VERSION, int(time.time() * 1000), secrets, epochs(), schema())
        return Answer(Status.TAKEN, hello.packed())

    return answer
