"""The object store: texts of saved logs and the erasure list. Rule: bodies are sealed before they come here; names are random.

A folder by default, S3 by settings; both through obstore. Each request has one deadline, retries included. They are made from threads of ours:
one of the library's that came back into Python as the interpreter ends would abort the process, whatever it had done.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from server.data.errors import ObjectsAway
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.metrics.exposition import Reading
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.storage_metrics import OBJECT_BOUNDS

REQUESTS = 64  # at a time; further ones wait for their turn, at most as long as a request may take
RETRIES = 2  # an S3 server that answers 500 gets two more tries within the deadline
VERSIONED = (
    "the bucket keeps versions: what is deleted stays in it, sealed. Switch versioning off, or let a lifecycle rule"
    " expire noncurrent versions within retention.backup_days"
)
REMEDIES = {  # what an operator can do about each cause of a failure
    "denied": "these keys may not do this: look at objects.access_key, secret_key and the rights that the bucket gives them",
    "signature": "the secret key is not that of the access key, or the clock is off: look at objects.secret_key and timedatectl",
    "missing": "there is no such bucket or folder: look at objects.url, region and endpoint, or make it",
    "disk": "the folder takes no more: look at its disk and its owner",
    "away": "no answer: is the server of objects.endpoint running, and may this machine reach it?",
}
_code = re.compile(
    r"<Code>(\w{1,64})</Code>"
).search  # S3's error responses, "REST error responses" of its API reference
SIGNATURE = ("SignatureDoesNotMatch", "RequestTimeTooSkewed")
ABSENT = (NotFoundError, FileNotFoundError)
DENIED = (PermissionDeniedError, UnauthenticatedError, PermissionError)
Made = TypeVar("Made")
LARGEST = 4 * 1024 * 1024  # bytes of a body that is read back; a chat's ring holds 256 KiB of text, JSON may triple it


class Objects:
    """Put, get, delete, list. Every error but "not there" is ObjectsAway."""

    def __init__(self, options: ObjectSettings, data: Path) -> None:
        """A folder, or the bucket of the settings."""
        self.url = options.url
        self._threads = ThreadPoolExecutor(REQUESTS, "objects")  # made as they are needed
        self._patience = 2 * options.timeout  # seconds: a turn, and the request
        declared = VALUES["serendip_objects_failures"]
        self._times = {
            operation: Histogram(OBJECT_BOUNDS) for operation in VALUES["serendip_objects_seconds"]["operation"]
        }
        self._failures: Counter[tuple[str, ...]] = Counter(
            {(on, why): 0 for on in declared["operation"] for why in declared["cause"]}
        )
        if not options.url:
            folder = data / "objects"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store: Any = LocalStore(folder, automatic_cleanup=True)
            return
        bucket, _, prefix = options.url.removeprefix("s3://").partition("/")
        config: dict[str, Any] = {"region": options.region}
        if options.endpoint:
            config["endpoint"] = options.endpoint
        if options.access_key.get_secret_value():
            config["access_key_id"] = options.access_key.get_secret_value()
            config["secret_access_key"] = options.secret_key.get_secret_value()
        deadline = datetime.timedelta(seconds=options.timeout)
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": True,
                "timeout": deadline,
                "connect_timeout": min(deadline, datetime.timedelta(seconds=2)),
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": deadline,
                "backoff": {
                    "init_backoff": datetime.timedelta(milliseconds=50),
                    "max_backoff": datetime.timedelta(seconds=1),
                    "base": 2,
                },
            },
            **config,
        )

    async def put(self, name: str, body: bytes) -> None:
        """Store a body whole, or raise ObjectsAway."""
        with self._asking("put"):
            await self._do(self._store.put, name, body)

    async def versioned(self) -> bool:
        """Whether the bucket keeps what is deleted as an old version: an object that is stored for this question says so. Raises ObjectsAway."""
        name = f"probe-{secrets.token_hex(8)}"
        with self._asking("put"):
            put = await self._do(self._store.put, name, b"")
        with self._asking("delete"):
            await self._do(self._store.delete, name)
        return put["version"] not in {None, "null"}  # "null": versioning was on once and is suspended

    async def reach(self) -> None:
        """Ask the bucket for a name that nothing has; it answers if it is there and these keys may read. Raises ObjectsAway."""
        async for _ in self.names("probe-reach"):
            pass

    async def get(self, name: str) -> bytes | None:
        """The body, None where there is none (or one of a size that we never wrote). Raises ObjectsAway."""
        with self._asking("get"):
            return await self._do(self._read, name)

    async def delete(self, name: str) -> None:
        """Remove; nothing happens where there is none. Raises ObjectsAway."""
        with self._asking("delete", suppress=ABSENT):
            await self._do(self._store.delete, name)

    async def names(self, prefix: str) -> AsyncIterator[str]:
        """All names under a prefix, in batches underneath. Raises ObjectsAway."""
        with self._failing("list"):
            batches = self._store.list(prefix)
            while (batch := await self._do(next, batches, None)) is not None:
                for meta in batch:
                    yield str(meta["path"])

    async def _do(self, ask: Callable[..., Made], *words: Any) -> Made:
        async with asyncio.timeout(self._patience):
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask, *words)

    def _read(self, name: str) -> bytes | None:
        try:
            found = self._store.get(name)
        except ABSENT:
            return None
        return bytes(found.bytes()) if found.meta["size"] <= LARGEST else None

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_objects_seconds": {(operation,): times.reading() for operation, times in self._times.items()},
            "serendip_objects_failures": self._failures.copy(),
        }

    @contextlib.contextmanager
    def _asking(self, operation: str, suppress: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """One request: timed where it is answered, counted where it is not. `suppress`: errors that are an answer."""
        begun = time.monotonic()
        with self._failing(operation), contextlib.suppress(*suppress):
            yield
        self._times[operation].add(time.monotonic() - begun)

    @contextlib.contextmanager
    def _failing(self, operation: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            why = cause(error)
            self._failures[operation, why] += 1
            code = _code(str(error))
            raise ObjectsAway(f"{why} ({code[1] if code else type(error).__name__})", why) from error


def cause(error: BaseException) -> str:
    """Why a request failed, one of REMEDIES: `denied` (keys, rights), `signature` (the secret key, the clock), `missing` (the bucket, the
    folder), `disk` (a folder that takes no more), `away` (no answer in time, or one that says nothing)."""
    found = _code(str(error))
    code = found[1] if found else ""
    if code in SIGNATURE:
        return "signature"
    if isinstance(error, DENIED) or code in ("AccessDenied", "InvalidAccessKeyId"):
        return "denied"
    if isinstance(error, ABSENT) or code == "NoSuchBucket":
        return "missing"
    return "disk" if isinstance(error, OSError) and not isinstance(error, TimeoutError) else "away"
