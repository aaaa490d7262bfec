"""Fetch from other hosts the encryption keys of epochs (periods of time) that this host lacks, and give them its own.

**Invariant:** a key is sent only from host to host, never over NATS or to the database. The receiver compares the key with a check value in the
database before it writes a row with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import random
import secrets
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag

from server.data.errors import StoreAway
from server.data.keys.epoch_keys import EPOCH, EpochKeys, KeyGone, epoch_of
from server.data.keys.pseudonyms import fingerprint_of
from server.data.records.store_ports import Elections
from server.fleet.rpc.rpc_client import HostAway, RpcClient
from server.fleet.rpc.rpc_envelope import NONCE, Kind, Status
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops import log
from server.ops.metrics.metric_type import Reading

AHEAD: Final = 86_400.0  # seconds before an epoch's beginning from which its key is wanted
EVERY: Final = 60.0  # seconds between two looks
AGAIN: Final = 2.0  # seconds, while a key is missing
SHOWN: Final = 3  # hosts whose refusal is shown
CIPHER_NONCE: Final = 12
WHAT: Final = b"epoch key"
NUMBER: Final = struct.Struct(">Q")
logger = log.get()


class Untold(Exception):
    """No host gives this key now; the text says why."""


class SharedEpochs:
    """Epoch keys of one host. `addresses`: of the others; `opened`: waits until the database is open; `clock`: Unix seconds.

    Fetched are the keys of the current epoch, of the next one from a day before it begins, and of each epoch that the database knows and that has
    not expired. A key that the database does not know is elected (`server.data.database.key_fingerprints`); the others are requested from other
    hosts. A key that was destroyed, or had to be, is given to no host.
    """

    def __init__(
        self, keys: EpochKeys, elections: Elections, asker: RpcClient, addresses: Callable[[], Sequence[str]],
        opened: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._keys = keys
        self._elections = elections
        self._asker = asker
        self._addresses = addresses
        self._opened = opened
        self._clock = clock
        self._wake = asyncio.Event()
        self.missing: dict[int, str] = {}  # epochs, and why their keys are not here

    async def run(self) -> None:
        """Look for missing keys as soon as the database is open, until cancelled; soon again while one is missing."""
        await self._opened()
        while True:
            pause = AGAIN
            with contextlib.suppress(StoreAway):  # the store says so
                await self.look()
                pause = AGAIN if self.missing else EVERY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()

    def look_soon(self) -> None:
        """Look again soon: other hosts are known than before."""
        if self.missing:
            self._wake.set()

    async def look(self) -> None:
        """Get the wanted keys, as far as possible now. Raises StoreAway."""
        await asyncio.to_thread(self._keys.reload)
        known, now = await self._elections.epochs(), self._clock()
        missing = {}
        for epoch in sorted(known.keys() | {epoch_of(now), epoch_of(now + AHEAD)}, reverse=True):
            if not self._keys.known(epoch):
                try:
                    await self._have(epoch, known.get(epoch))
                except Untold as why:
                    missing[epoch] = str(why)
                except StoreAway:
                    raise
                except OSError as error:
                    missing[epoch] = f"it cannot be written: {error.strerror}"
        for epoch in missing.keys() - self.missing.keys():
            logger.error("cluster.key_missing", epoch=epoch, said=missing[epoch])
        self.missing = missing

    async def _have(self, epoch: int, value: bytes | None) -> None:
        """Get one key. `value`: its check value, None: it has none yet. Raises Untold, StoreAway, OSError."""
        if value is None:
            key = await asyncio.to_thread(self._keys.propose, epoch)
            value = await self._elections.elect(epoch, fingerprint_of(key, epoch))
        else:  # elected before this process was restarted
            proposed = await asyncio.to_thread(self._keys.proposed, epoch)
            key = proposed or b""
        if not _is(key, epoch, value):
            key = await self._told(epoch, value)
        await asyncio.to_thread(self._keys.take, epoch, key)
        logger.info("cluster.key_there", epoch=epoch)

    async def _told(self, epoch: int, value: bytes) -> bytes:
        """Return the key of this check value, from another host. Raises Untold."""
        addresses = list(self._addresses())
        random.shuffle(addresses)
        said = []
        for address in addresses:
            nonce, body = secrets.token_bytes(NONCE), NUMBER.pack(epoch)
            try:
                answer = await self._asker.ask(address, Kind.EPOCH, body, nonce=nonce)
                key = _opened(self._asker.seal, self._asker.seal.id, nonce, answer, body)
            except HostAway as error:
                said.append(f"{address}: {error}")
                continue
            if _is(key, epoch, value):
                return key
            said.append(f"{address}: its key is another than the database's")
        raise Untold("; ".join(said[:SHOWN]) or "another host made it, and none is there now")

    async def answer(self, request: Request) -> Answer:
        """Answer another host's request for the key of an epoch."""
        if len(request.body) != NUMBER.size:
            return no("that names no epoch")
        epoch: int = NUMBER.unpack(request.body)[0]
        if self._elections.over(epoch):
            return no("the time of that key is over")
        try:
            key = await asyncio.to_thread(self._keys.get, epoch)
        except (KeyGone, StoreAway):
            return no("it has not got that key either")
        nonce = secrets.token_bytes(CIPHER_NONCE)
        cipher = self._asker.seal.cipher(request.by, request.nonce, WHAT)
        return Answer(Status.TAKEN, nonce + cipher.encrypt(nonce, key, request.body))

    def unwell(self) -> list[str]:
        """Return a sentence for each missing key (`/readyz`)."""
        now = epoch_of(self._clock())
        return [
            f"keys: that of epoch {epoch} is missing ({why}); "
            + (
                "records wait"
                if epoch <= now
                else f"records wait from {time.strftime('%d %B %H:%M', time.gmtime(epoch * EPOCH))} UTC on"
            )
            for epoch, why in self.missing.items()
        ]

    def reading(self) -> Reading:
        """Return the metrics."""
        return {"serendip_epoch_keys_missing": len(self.missing)}


def _is(key: bytes, epoch: int, value: bytes) -> bool:
    return hmac.compare_digest(fingerprint_of(key, epoch), value)


def _opened(seal: Seal, by: int, nonce: bytes, answer: bytes, epoch: bytes) -> bytes:
    """Return the key in an answer. Raises HostAway."""
    try:
        return seal.cipher(by, nonce, WHAT).decrypt(answer[:CIPHER_NONCE], answer[CIPHER_NONCE:], epoch)
    except (InvalidTag, ValueError):
        raise HostAway("what it answers is no key") from None
