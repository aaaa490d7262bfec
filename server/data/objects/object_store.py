"""Put, get, delete and list objects in a folder (the default) or an S3 bucket, with the library obstore.

**Invariant:** each request has one deadline, retries included. Callers pass only encrypted bodies, and names without personal values.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
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
from server.ops.config.backup_settings import Backup
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.storage_metrics import OBJECT_BOUNDS

REQUESTS = 64  # concurrent requests; others wait, at most as long as a request may take
RETRIES = 2  # an S3 server that answers 500 gets two more tries within the deadline
VERSIONED = (
    "the bucket keeps versions: what is deleted stays in it, sealed. Switch versioning off, or let a lifecycle rule"
    " expire noncurrent versions within retention.backup_days"
)
REMEDIES = {  # the operator's remedy for each cause of a failure
    "denied": "these keys may not do this: look at objects.access_key, secret_key and the rights that the bucket gives them",
    "signature": "the secret key is not that of the access key, or the clock is off: look at objects.secret_key and timedatectl",
    "missing": "there is no such bucket or folder: look at objects.url, region and endpoint, or make it",
    "disk": "the folder takes no more: look at its disk and its owner",
    "away": "no answer: is the server of objects.endpoint running, and may this machine reach it?",
}
_code = re.compile(
    r"<Code>(\w{1,64})</Code>"
).search  # S3's error responses, "REST error responses" of its API reference
# What the library says of a folder; it has no exception of its own for it.
_full = re.compile(rf"\(os error (?:{errno.ENOSPC}|{errno.EDQUOT}|{errno.EROFS})\)").search
SIGNATURE = ("SignatureDoesNotMatch", "RequestTimeTooSkewed")
ABSENT = (NotFoundError, FileNotFoundError)
DENIED = (PermissionDeniedError, UnauthenticatedError, PermissionError)
Made = TypeVar("Made")
LARGEST = 4 * 1024 * 1024  # bytes of a body that is read back; a chat's ring holds 256 KiB of text, JSON may triple it


class Objects:
    """The object store. Every error except "not found" is raised as ObjectsAway.

    Requests run in threads of this module: a thread of the library that returned to Python during the interpreter's exit would abort the process.
    """

    def __init__(self, options: ObjectSettings, data: Path) -> None:
        """Open a folder, or the bucket of the settings."""
        self.url = options.url
        self._rehearses = False
        self._threads = ThreadPoolExecutor(REQUESTS, "objects")  # made as they are needed
        self._patience = 2 * options.timeout  # seconds: the wait for a thread, and the request
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
            **s3_config(options),
        )

    async def put(self, name: str, body: bytes) -> None:
        """Store a body whole, or raise ObjectsAway."""
        if self._rehearses:
            return
        with self._asking("put"):
            await self._do(self._store.put, name, body)

    def rehearse(self) -> None:
        """Store and delete nothing from now on: a command that only says what would happen. It ends with the process."""
        self._rehearses = True

    async def versioned(self) -> bool:
        """Return whether the bucket keeps deleted objects as old versions; stores and deletes a probe. Raises ObjectsAway."""
        name = f"probe-{secrets.token_hex(8)}"
        with self._asking("put"):
            put = await self._do(self._store.put, name, b"")
        with self._asking("delete"):
            await self._do(self._store.delete, name)
        return put["version"] not in {None, "null"}  # "null": versioning was on once and is suspended

    async def reach(self) -> None:
        """List a name that does not exist: the bucket answers if it exists and these keys may read. Raises ObjectsAway."""
        async for _ in self.names("probe-reach"):
            pass

    async def get(self, name: str) -> bytes | None:
        """Return the body; None if it does not exist or is larger than any body written here. Raises ObjectsAway."""
        with self._asking("get"):
            return await self._do(self._read, name)

    async def exists(self, name: str) -> bool:
        """Return whether there is an object of this name. Raises ObjectsAway."""
        with self._asking("get"):
            return await self._do(self._is_there, name)

    async def delete(self, name: str) -> None:
        """Delete an object, if it exists. Raises ObjectsAway."""
        if self._rehearses:
            return
        with self._asking("delete", suppress=ABSENT):
            await self._do(self._store.delete, name)

    async def names(self, prefix: str) -> AsyncIterator[str]:
        """Yield all names under a prefix, fetched in batches. Raises ObjectsAway."""
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

    def _is_there(self, name: str) -> bool:
        try:
            self._store.head(name)
        except ABSENT:
            return False
        return True

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_objects_seconds": {(operation,): times.reading() for operation, times in self._times.items()},
            "serendip_objects_failures": self._failures.copy(),
        }

    @contextlib.contextmanager
    def _asking(self, operation: str, suppress: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """Wrap one request: time it if it is answered, count it if it fails. `suppress`: errors that count as an answer."""
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


def s3_config(options: ObjectSettings | Backup) -> dict[str, Any]:
    """Return the region, endpoint and keys of an S3 bucket, as its client takes them."""
    config: dict[str, Any] = {"region": options.region}
    if options.endpoint:
        config["endpoint"] = options.endpoint
    if options.access_key.get_secret_value():
        config["access_key_id"] = options.access_key.get_secret_value()
        config["secret_access_key"] = options.secret_key.get_secret_value()
    return config


def cause(error: BaseException) -> str:
    """Return why a request failed, a key of REMEDIES.

    `denied` (keys, permissions), `signature` (secret key, clock), `missing` (bucket, folder), `disk` (a folder that accepts no more), `away` (no
    answer in time, or an unclear one).
    """
    found = _code(str(error))
    code = found[1] if found else ""
    if code in SIGNATURE:
        return "signature"
    if isinstance(error, DENIED) or code in ("AccessDenied", "InvalidAccessKeyId"):
        return "denied"
    if isinstance(error, ABSENT) or code == "NoSuchBucket":
        return "missing"
    full = _full(str(error)) or (isinstance(error, OSError) and not isinstance(error, TimeoutError))
    return "disk" if full else "away"
