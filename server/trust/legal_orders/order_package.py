"""Write the package that answers a legal order: a new folder, or a ZIP file that is sent to the officer who downloads it.

A package is `records.json`, `README.txt` and `SHA256SUMS`; with the authority's key the records are encrypted by `age` before they are written or
sent. A folder has mode 0700 and appears complete, by one rename; a ZIP file is never on a disk.

**Invariant:** nothing plain is on a disk if the authority gave a key. A folder counts as the package of an order only if it is what was written: the
order notes the digest of its list of checksums before the folder appears.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from server.data.privacy.registry_model import Category
from server.ops.security.reference_numbers import shown
from server.ops.security.secret_keys import sync_folder
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import Order, OrderRefused
from server.trust.legal_orders.order_records import utc

AGE_S: Final = 60.0  # seconds that age may take
WRITING: Final = "package: "  # begins the reason of an order whose package is being written, before its folder
DIGEST: Final = "sha256:"  # before that folder, with the digest of its SHA256SUMS, once its files are written
SENDING: Final = "download by "  # the same of a package that is sent, before the officer
SUMS, README, RECORDS = "SHA256SUMS", "README.txt", "records.json"
ABSENT: Final = "age is not installed, and the authority gave a key: apt install age"
FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)  # of the files in a ZIP file: the same records are the same bytes


class AgeFailed(OrderRefused):
    """The records could not be encrypted to the authority's key."""


@dataclass(frozen=True, slots=True)
class PackageContent:
    """Content of a package. `counts`, `parts`: number and records of each part; `lines`: of the ledger."""

    order: Order
    chosen: Sequence[Category]
    counts: dict[str, int]
    parts: dict[str, Any]
    lines: Sequence[int]


KeepNote = Callable[[str], Awaitable[None]]  # keeps another reason with the order of a package


class PackagePlace(Protocol):
    """Place to which a package goes. `note`: the reason of its order meanwhile."""

    note: str

    async def is_complete(self, order: Order) -> bool:
        """Whether the package of an earlier attempt is there, after removing an incomplete one. Raises OrderRefused if it cannot be told."""

    async def give(self, content: PackageContent, keep_note: KeepNote) -> None:
        """Write or send the package. Raises OSError, AgeFailed, StoreAway."""

    async def may_be_given(self) -> bool:
        """Whether the package may have left, after `give` failed."""


class PackageFolder:
    """A new folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.note = f"{WRITING}{out}"

    async def is_complete(self, order: Order) -> bool:
        """Whether the folder is a package of this order. Raises OrderRefused for another folder, or if one is complete elsewhere."""
        await asyncio.to_thread(clear_interrupted, order, self._out)
        return await asyncio.to_thread(_is_package_of, self._out, order)

    async def give(self, content: PackageContent, keep_note: KeepNote) -> None:
        """Write the folder. After an error none stays. Raises OSError, AgeFailed, StoreAway."""
        part = _part_of(self._out)
        try:
            digest = await asyncio.to_thread(_write_files, part, content)
            await keep_note(f"{WRITING}{DIGEST}{digest} {self._out}")
            await asyncio.to_thread(part.rename, self._out)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
            raise
        await asyncio.to_thread(sync_folder, self._out.parent)

    async def may_be_given(self) -> bool:
        """Whether the folder appeared: it is complete then, and the next call writes its outcome."""
        return await asyncio.to_thread(self._out.exists)


class PackageDownload:
    """A ZIP file that an officer downloads. `send`: returns once all of it was sent; raises OSError."""

    def __init__(self, operator: str, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self.note = f"{SENDING}{operator}"

    async def is_complete(self, order: Order) -> bool:
        """Return False: it can be sent again. Raises OrderRefused if a complete folder may have been given."""
        await asyncio.to_thread(clear_interrupted, order, None)
        return False

    async def give(self, content: PackageContent, keep_note: KeepNote) -> None:
        """Send the file. Raises OSError, AgeFailed."""
        await self._send(await asyncio.to_thread(_zipped, content))

    async def may_be_given(self) -> bool:
        """Return False: it was not sent whole."""
        return False


def _is_package_of(out: Path, order: Order) -> bool:
    """Whether the folder is a complete package of this order, unchanged since it was written. Raises OrderRefused for another folder."""
    if not out.exists():
        return False
    noted, digest = _noted(order)
    try:
        sums = (out / SUMS).read_bytes()
        same = (
            noted == out and digest != "" and hashlib.sha256(sums).hexdigest() == digest and _are_as_listed(out, sums)
        )
    except OSError:
        same = False
    if not same:
        raise OrderRefused(f"{out} exists, and is no package of this order as it was written: move it away")
    return True


def _are_as_listed(out: Path, sums: bytes) -> bool:
    """Whether the folder has the files of a list of checksums. Raises OSError."""
    listed = dict(line.split("  ", 1)[::-1] for line in sums.decode().splitlines())
    return all(hashlib.sha256((out / file).read_bytes()).hexdigest() == digest for file, digest in listed.items())


def _noted(order: Order) -> tuple[Path, str]:
    """Return the folder that an order names, and the digest of its checksums: empty until its files are written."""
    words = order.why.removeprefix(WRITING)
    if not words.startswith(DIGEST):
        return Path(words), ""
    digest, _, folder = words.removeprefix(DIGEST).partition(" ")
    return Path(folder), digest


def clear_interrupted(order: Order, out: Path | None = None) -> None:
    """Remove what an interrupted attempt left beside another folder than `out`. Raises OrderRefused if its package is complete."""
    if not order.why.startswith(WRITING):
        return
    earlier, _ = _noted(order)
    if earlier == out:
        return
    with contextlib.suppress(OSError):
        shutil.rmtree(_part_of(earlier))
    try:
        complete = _is_package_of(earlier, order)
    except (OrderRefused, OSError):  # it is something else by now
        complete = False
    if complete:
        raise OrderRefused(f"its package is complete in {earlier}: say --out {earlier}")


def _part_of(out: Path) -> Path:
    """Return the folder in which the files are until all are written."""
    return out.with_name(out.name + ".part")


def _write_files(part: Path, content: PackageContent) -> str:
    """Write the files of a package into a new folder, wait until they are on the disk, and return the digest of their list of checksums. Raises
    OSError, AgeFailed.
    """
    if part.exists():
        shutil.rmtree(part)  # of an attempt that was killed
    part.mkdir(mode=0o700, parents=True)
    files = _files(content)
    for file, body in files.items():
        descriptor = os.open(part / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(body)
            opened.flush()
            os.fsync(descriptor)
    sync_folder(part)
    return hashlib.sha256(files[SUMS]).hexdigest()


def _files(content: PackageContent) -> dict[str, bytes]:
    """Return the files of a package by name. Raises AgeFailed."""
    order = content.order
    body = orjson.dumps({"order": shown(order.number), "records": content.parts}, option=orjson.OPT_INDENT_2)
    name = RECORDS
    if order.age_key:
        body, name = _encrypted(body, order.age_key), f"{RECORDS}.age"
    files = {name: body, README: _readme(content, name).encode()}
    sums = "".join(f"{hashlib.sha256(of_file).hexdigest()}  {file}\n" for file, of_file in files.items())
    return files | {SUMS: sums.encode()}


def _zipped(content: PackageContent) -> bytes:
    """Return a package as a ZIP file with one folder. Raises AgeFailed."""
    made, folder = io.BytesIO(), package_name(content.order.number)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, body in _files(content).items():
            packed.writestr(zipfile.ZipInfo(f"{folder}/{file}", FIRST_DAY), body, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def package_name(number: str) -> str:
    """Return the name of a package, without an ending."""
    return f"order-{shown(number)}"


def _encrypted(body: bytes, key: str) -> bytes:
    """Return the bytes encrypted to the authority's key. Nothing plain is on a disk."""
    try:
        made = subprocess.run(["age", "--encrypt", "--recipient", key], input=body, capture_output=True, timeout=AGE_S)  # noqa: S603, S607 - checked key
    except FileNotFoundError:
        raise AgeFailed(ABSENT) from None
    except subprocess.TimeoutExpired:
        raise AgeFailed(f"age took more than {AGE_S:.0f} s") from None
    if made.returncode:
        raise AgeFailed(f"age refused the key: {made.stderr.decode(errors='replace').strip()[:200]}")
    return made.stdout


def _readme(content: PackageContent, name: str) -> str:
    order, lines = content.order, content.lines
    about = "\n".join(f"  {part}: {count}" for part, count in content.counts.items())
    kinds = "\n".join(f"  {one.name}: {one.value}" for one in content.chosen)
    span = f"{utc(order.since) or 'the first record'} to {utc(order.until) or 'the last record'}"
    decrypt = (
        "\nDecrypt it with the private key: age --decrypt --identity KEY records.json.age\n" if order.age_key else ""
    )
    return f"""Answer to order {shown(order.number)}
{order_kinds.KINDS[order.kind].words}
of {order.authority} ({order.country}), received {utc(order.received)}

{name}: the records, JSON in UTF-8, times in UTC.{decrypt}
Check the files: sha256sum --check {SUMS}

Categories that the order names and its kind may open:
{kinds}
Records of the time from {span}:
{about}

This is all that is stored of these categories about whom the order names. An address that is null was kept
under a key that has been destroyed. Lines {min(lines)} to {max(lines)} of this service's ledger of disclosures record this answer.
"""
