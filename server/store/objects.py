"""The object store: texts of saved logs and the erasure list. Rule: bodies are sealed before they come here; names are random.

A folder by default, S3 by settings; both through obstore. Each request has one deadline, retries included.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from server.config.settings import Objects as ObjectSettings
from server.store.errors import ObjectsAway

RETRIES = 2  # an S3 server that answers 500 gets two more tries within the deadline
VERSIONED = (
    "the bucket keeps versions: what is deleted stays in it, sealed. Switch versioning off, or let a lifecycle rule"
    " expire noncurrent versions within retention.backup_days"
)
LARGEST = 4 * 1024 * 1024  # bytes of a body that is read back; a chat's ring holds 256 KiB of text, JSON may triple it


class Objects:
    """Put, get, delete, list. Every error but "not there" is ObjectsAway."""

    def __init__(self, options: ObjectSettings, data: Path) -> None:
        """A folder, or the bucket of the settings."""
        self.url = options.url
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
        try:
            await self._store.put_async(name, body)
        except (BaseError, OSError) as error:
            raise ObjectsAway(type(error).__name__) from error

    async def versioned(self) -> bool:
        """Whether the bucket keeps what is deleted as an old version: an object that is stored for this question says so. Raises ObjectsAway."""
        name = f"probe-{secrets.token_hex(8)}"
        try:
            put = await self._store.put_async(name, b"")
            await self._store.delete_async(name)
        except (BaseError, OSError) as error:
            raise ObjectsAway(type(error).__name__) from error
        return put["version"] not in {None, "null"}  # "null": versioning was on once and is suspended

    async def get(self, name: str) -> bytes | None:
        """The body, None where there is none (or one of a size that we never wrote). Raises ObjectsAway."""
        try:
            found = await self._store.get_async(name)
            if found.meta["size"] > LARGEST:
                return None
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise ObjectsAway(type(error).__name__) from error

    async def delete(self, name: str) -> None:
        """Remove; nothing happens where there is none. Raises ObjectsAway."""
        try:
            await self._store.delete_async(name)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise ObjectsAway(type(error).__name__) from error

    async def names(self, prefix: str) -> AsyncIterator[str]:
        """All names under a prefix, in batches underneath. Raises ObjectsAway."""
        try:
            async for batch in self._store.list(prefix):
                for meta in batch:
                    yield str(meta["path"])
        except (BaseError, OSError) as error:
            raise ObjectsAway(type(error).__name__) from error
