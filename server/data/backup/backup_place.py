"""Keep whole backups in a folder or an S3 bucket: list, write, read and delete archives, and the ledger beside them.

All methods block: call them in a thread. Memory is bounded by PART bytes a request and CONCURRENT requests.
**Invariant:** an archive is there whole or not at all, however its writer ended: a folder renames a finished file, a bucket completes its upload.
"""

from __future__ import annotations

import datetime
import io
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import LocalStore, S3Store

from server.data.errors import ObjectsAway
from server.data.objects.object_store import ABSENT, LARGEST, RETRIES, cause, s3_config
from server.ops.config.backup_settings import Backup
from server.ops.security.secret_keys import sync_folder

PART: Final = 16 << 20  # bytes of a part: S3 takes 10,000 of them, 156 GiB
CONCURRENT: Final = 2  # parts on their way
REQUEST_S: Final = 120.0  # seconds for a part, its retries included
CLOCKS_APART_S: Final = 3600  # by which clocks of hosts may differ
LEDGER: Final = "ledger"
NAME: Final = re.compile(r"serendip-(\d{8}T\d{6}Z)\.tar").fullmatch
UNFINISHED: Final = ".unfinished"
TIME: Final = "%Y%m%dT%H%M%SZ"


class NoBackup(LookupError):
    """A backup that does not exist; the text names those that do."""


class TooLarge(ObjectsAway):
    """An entry is larger than what is written there."""


@dataclass(frozen=True, slots=True, order=True)
class Stored:
    """An archive. `at`: Unix seconds, from its name."""

    at: int
    name: str
    size: int


class Place(Protocol):
    """A place of backups. Every method raises ObjectsAway."""

    url: str

    def stored(self) -> list[Stored]:
        """Return the archives, oldest first."""

    def write(self, name: str, chunks: Iterator[bytes]) -> None:
        """Write an archive, whole or not at all."""

    def open(self, one: Stored) -> BinaryIO:
        """Open an archive for reading from the beginning."""

    def delete(self, name: str) -> None:
        """Delete an archive or an entry of the ledger, if it is there."""

    def put(self, name: str, body: bytes) -> None:
        """Write a small entry of the ledger."""

    def get(self, name: str, largest: int = LARGEST) -> bytes | None:
        """Return a small entry of the ledger, None if it does not exist. Raises TooLarge."""

    def names(self, prefix: str) -> set[str]:
        """Return the names of entries."""

    def size(self, name: str) -> int | None:
        """Return the bytes of an archive or an entry, None if it does not exist."""


def open_place(options: Backup, url: str = "") -> Place:
    """Return the place of the settings, or that of `url` with the settings' keys. Raises ValueError, ObjectsAway."""
    url = url or options.url
    if not url:
        raise ValueError("no place: set backup.url, or say --at s3://bucket/prefix or --at FOLDER")
    return _Bucket(url, options) if url.startswith("s3://") else _Folder(Path(url))


def name_at(now: float) -> str:
    """Return the name of an archive that is begun now."""
    return f"serendip-{datetime.datetime.fromtimestamp(int(now), datetime.UTC):{TIME}}.tar"


def time_of(name: str) -> int | None:
    """Return the time in an archive's name, None for another name."""
    found = NAME(name)
    return (
        None
        if found is None
        else int(datetime.datetime.strptime(found[1], TIME).replace(tzinfo=datetime.UTC).timestamp())
    )


def past(place: Place, now: float) -> list[Stored]:
    """Return the archives, oldest first, without those of a time to come: of a wrong clock, or by another hand. Raises ObjectsAway."""
    return [one for one in place.stored() if one.at <= now + CLOCKS_APART_S]


def find(place: Place, name: str) -> Stored:
    """Return the archive of a name, or the newest if it is empty. Raises NoBackup, ObjectsAway."""
    if (at := time_of(name)) is not None and (size := place.size(name)) is not None:
        return Stored(
            at, name, size
        )  # also where an object that another program put there has a name that ends each list
    there = place.stored()
    found = [one for one in there if not name or one.name == name]
    if not found:
        known = ", ".join(one.name for one in there[-5:]) or "none"
        raise NoBackup(f"{place.url}: no backup {name or 'at all'}; there are: {known}")
    return found[-1]


def _archives(found: Iterable[tuple[str, int]]) -> list[Stored]:
    return sorted(Stored(at, name, size) for name, size in found if (at := time_of(name)) is not None)


class _Ranges(io.RawIOBase):
    """Reads an object in ranges, in order."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self._left, self._at, self._read = size, 0, read

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        wanted = min(len(into), self._left)
        if not wanted:
            return 0
        body = self._read(self._at, wanted)
        into[: len(body)] = body
        self._at += len(body)
        self._left -= len(body)
        return len(body)


@contextmanager
def _named() -> Iterator[None]:
    """Turn errors of the library and the system into ObjectsAway."""
    try:
        yield
    except InvalidPathError as error:
        said = str(error).strip().splitlines()[0][:200].encode("ascii", "backslashreplace").decode()
        raise ObjectsAway(f"an object there has a name that ends each list of names; delete it. {said}") from error
    except (BaseError, OSError) as error:
        if isinstance(error, ObjectsAway):
            raise
        raise ObjectsAway(f"{cause(error)} ({type(error).__name__})", cause(error)) from error


class _Kept:
    """The ledger of either kind of place."""

    def __init__(self, url: str, store: Any) -> None:
        self.url = url
        self._store = store

    def put(self, name: str, body: bytes) -> None:
        with _named():
            self._store.put(name, body)

    def get(self, name: str, largest: int = LARGEST) -> bytes | None:
        with _named():
            try:
                found = self._store.get(name)
            except ABSENT:
                return None
            if found.meta["size"] > largest:
                raise TooLarge(f"{name}: is larger than what is written there")
            return bytes(found.bytes())

    def names(self, prefix: str) -> set[str]:
        with _named():
            return {str(meta["path"]) for batch in self._store.list(prefix) for meta in batch}

    def size(self, name: str) -> int | None:
        with _named():
            try:
                return int(self._store.head(name)["size"])
            except ABSENT:
                return None

    def delete(self, name: str) -> None:
        with _named(), suppress(*ABSENT):
            self._store.delete(name)


class _Folder(_Kept):
    """A folder, on a disk of its own if possible."""

    def __init__(self, folder: Path) -> None:
        with _named():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(folder), LocalStore(folder, automatic_cleanup=False))
        self._folder = folder

    def stored(self) -> list[Stored]:
        with _named():
            return _archives((path.name, path.stat().st_size) for path in self._folder.glob("serendip-*.tar"))

    def write(self, name: str, chunks: Iterator[bytes]) -> None:
        with _named():
            for old in self._folder.glob(f".serendip-*{UNFINISHED}"):  # of a killed writer: there is one at a time
                old.unlink(missing_ok=True)
            spare = self._folder / f".{name}.{secrets.token_hex(4)}{UNFINISHED}"
            try:
                with open(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                spare.rename(self._folder / name)
            finally:
                spare.unlink(missing_ok=True)
            sync_folder(self._folder)

    def open(self, one: Stored) -> BinaryIO:
        with _named():
            return (self._folder / one.name).open("rb")


class _Bucket(_Kept):
    """A bucket of S3, away from the host."""

    def __init__(self, url: str, options: Backup) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        deadline = datetime.timedelta(seconds=REQUEST_S)
        super().__init__(url, S3Store(
            bucket,
            prefix=prefix or None,
            client_options={"allow_http": True, "timeout": deadline, "connect_timeout": datetime.timedelta(seconds=5)},
            retry_config={"max_retries": RETRIES, "retry_timeout": datetime.timedelta(seconds=60)},
            **s3_config(options),
        ))  # fmt: skip

    def stored(self) -> list[Stored]:
        with _named():
            listed = self._store.list_with_delimiter()["objects"]
            return _archives((str(meta["path"]), meta["size"]) for meta in listed)

    def write(self, name: str, chunks: Iterator[bytes]) -> None:
        failed: list[BaseException] = []

        def watched() -> Iterator[bytes]:
            try:
                yield from chunks
            except BaseException as error:  # the library would give it a name of its own
                failed.append(error)
                raise

        try:
            with _named():
                self._store.put(name, watched(), use_multipart=True, chunk_size=PART, max_concurrency=CONCURRENT)
        except BaseException:
            if failed:
                raise failed[0] from None
            raise

    def open(self, one: Stored) -> BinaryIO:
        def read(at: int, wanted: int) -> bytes:
            with _named():
                return bytes(self._store.get_range(one.name, start=at, length=wanted))

        return io.BufferedReader(_Ranges(one.size, read), PART // 4)
