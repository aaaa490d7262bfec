"""Open one connection to one NATS server with the nats-py library. `nats_bus` reconnects; this module does not."""

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

PATIENCE: Final = 2  # seconds for a connection, and between two pings
PINGS: Final = 2  # pings that may stay unanswered
_ended: Final[weakref.WeakSet[Client]] = weakref.WeakSet()  # TLS complains of data that arrives after a close
logger = log.get()


class Proof(NamedTuple):
    """TLS context by which a server is verified, and seed by which this host authenticates itself."""

    secure: ssl.SSLContext | None
    seed: str | None

    @classmethod
    def read(cls, settings: Cluster) -> Proof:
        """Read the files. Raises OSError."""
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
    """Return a connection to one server, which is not made anew. Raises what the library raises.

    `over`: called when it ended; `troubled`: with faults, also those that end it, until `end` is called.
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
    """Close a connection, of which nothing more is expected."""
    _ended.add(client)
    try:
        await client.close()
    except Exception as fault:  # noqa: BLE001 - it is gone in any case
        logger.debug("nats.close_failed", said=words(fault))
    # A close that failed half-way, also one by the library itself, leaves its socket open and its subscriptions waiting for ever.
    for subscription in client._subs.values():
        subscription._stop_processing()
    if client._transport is not None:
        client._transport.close()  # type: ignore[no-untyped-call]


def words(fault: BaseException) -> str:
    """Return a fault of the library in words; some have none."""
    return str(fault) or type(fault).__name__
