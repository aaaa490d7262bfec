"""A connection to one server of NATS, by its library. Rule: it is not made anew here; what its user asks for ends it."""

from __future__ import annotations

import ssl
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import nats
import nats.errors
from nats.aio.client import Client

from server.ops import log
from server.ops.config.cluster_settings import Cluster

PATIENCE: Final = 2  # seconds for a connection, and between two signs of life of it
PINGS: Final = 2  # of them that may stay without an answer
_ended: Final[weakref.WeakSet[Client]] = weakref.WeakSet()  # TLS complains of what was on its way to who closes
logger = log.get()


class Proof(NamedTuple):
    """By what a server is believed, and what this host proves itself with."""

    secure: ssl.SSLContext | None
    seed: str | None

    @classmethod
    def read(cls, settings: Cluster) -> Proof:
        """Reads the disk. Raises OSError."""
        secure = None
        if any(server.startswith("tls:") for server in settings.nats):
            secure = ssl.create_default_context(cafile=settings.ca)
        return cls(secure, None if settings.credentials is None else settings.credentials.read_text())


async def connect(
    server: str,
    proof: Proof,
    over: Callable[[], Awaitable[None]] | None = None,
    troubled: Callable[[Exception], Awaitable[None]] | None = None,
) -> Client:
    """A connection to one server, which is not made anew. Raises what the library raises.

    `over`: told when it ended; `troubled`: of faults on the way, those that end it too, until it is to `end`.
    """
    faults: list[Exception] = []

    async def noted(fault: Exception) -> None:
        if made:
            if troubled is not None and made[0] not in _ended:
                await troubled(fault)
        else:
            faults.append(fault)

    made: list[Client] = []
    options: dict[str, Any] = {"tls": proof.secure} if server.startswith("tls:") else {}
    if proof.seed is not None:
        options["nkeys_seed_str"] = proof.seed
    try:
        client = await nats.connect(
            server, name="serendip", allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
            connect_timeout=PATIENCE, ping_interval=PATIENCE, max_outstanding_pings=PINGS, closed_cb=over, error_cb=noted,
            **options,
        )  # fmt: skip
    except nats.errors.NoServersError:
        raise faults[-1] if faults else nats.errors.NoServersError from None
    made.append(client)
    return client


async def end(client: Client) -> None:
    """Close a connection, of which no word is expected any more."""
    _ended.add(client)
    try:
        await client.close()
    except Exception as fault:  # noqa: BLE001 - it is gone in any case
        logger.debug("nats.close_failed", said=words(fault))


def words(fault: BaseException) -> str:
    """A fault of the library in words; some have none."""
    return str(fault) or type(fault).__name__
