"""Create, keep and destroy the epoch keys in DATA/keys: one random key per 30 days, for the identities and addresses in chat records.

**Invariant:** an epoch's key is created when the epoch begins, never derived from another secret, and stored outside the database (file mode 0600).
It is destroyed once retention and the life of one backup have passed after the epoch's end; then no row, file or backup of the epoch can be linked
to a person.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from server.data.errors import KeyAwaited
from server.ops.security.secret_keys import sync_folder

EPOCH = 30 * 86_400  # seconds; the statement's 120 days then span at most 5 epochs
SIZE = 32  # bytes: AES-256, and HMAC-SHA256 wants no more


class KeyGone(LookupError):
    """The key of this epoch was destroyed or never existed here: its rows can no longer be linked to a person."""


def epoch_of(when: float) -> int:
    """Return the number of the epoch that contains this Unix time."""
    return int(when) // EPOCH


def due(epoch: int, now: float, days: int) -> bool:
    """Return whether the key of this epoch is to be destroyed: it ended more than `days` (retention + backup life) ago."""
    return (epoch + 1) * EPOCH + days * 86_400 <= now


class EpochKeys:
    """The folder of epoch keys. One key id byte (`epoch & 255`) precedes every value made with a key.

    `shared`: with other hosts. `awaited`: started epochs whose key only other hosts have.

    Hosts that share a database share the keys, and none creates one alone: a host proposes a key, the database elects one
    (`server.data.database.key_fingerprints`), and its host sends it to the others (`server.fleet.cluster.epoch_key_exchange`).
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self.folder = folder
        self.shared = shared
        self.awaited: frozenset[int] = frozenset()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._cache: dict[int, bytes] = {}
        self.reload()

    def reload(self) -> None:
        """Read the folder again: other processes may have created or destroyed keys. Blocks for a few file reads."""
        found = {int(path.stem): path.read_bytes() for path in self.folder.glob("*.key") if path.stem.isdigit()}
        self._cache = {epoch: key for epoch, key in found.items() if len(key) == SIZE}

    def await_keys(self, epochs: Iterable[int]) -> None:
        """Set the epochs whose key only other hosts have so far."""
        self.awaited = frozenset(epochs)

    def known(self, epoch: int) -> bool:
        """Return whether the key is in memory: `get` and `make` then touch no file."""
        return epoch in self._cache

    def _path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.key"

    def get(self, epoch: int) -> bytes:
        """Return the key of an epoch; never creates one. Raises KeyGone, and KeyAwaited if another host has it."""
        key = self._cache.get(epoch)
        if key is None:
            try:
                key = self._path(epoch).read_bytes()
            except FileNotFoundError:
                if epoch in self.awaited:
                    raise _awaited(epoch) from None
                raise KeyGone(f"no key for epoch {epoch}") from None
            if len(key) != SIZE:
                raise KeyGone(f"the key file of epoch {epoch} is {len(key)} bytes, not {SIZE}")
            self._cache[epoch] = key
        return key

    def make(self, epoch: int) -> bytes:
        """Return the key of an epoch, created (durably, atomically, 0600) on first need. Raises KeyAwaited if keys are shared."""
        try:
            return self.get(epoch)
        except KeyGone:
            if self.shared:
                raise _awaited(epoch) from None
        return self.take(epoch, secrets.token_bytes(SIZE))

    def proposed(self, epoch: int) -> bytes | None:
        """Return the pending proposal of this folder for an epoch, or None."""
        try:
            key = self._proposal(epoch).read_bytes()
        except FileNotFoundError:
            return None
        return key if len(key) == SIZE else None

    def propose(self, epoch: int) -> bytes:
        """Create a key as a proposal for an epoch, stored durably so that it survives a crash between its election and `take`."""
        self._write(self._proposal(epoch), secrets.token_bytes(SIZE))
        key = self.proposed(epoch)
        if key is None:  # another process of this folder made it the key meanwhile
            return self.get(epoch)
        return key

    def take(self, epoch: int, key: bytes) -> bytes:
        """Make this key the key of an epoch, unless it has one; return the key that it has. Deletes the proposal."""
        self._write(self._path(epoch), key)
        self._erase(self._proposal(epoch))
        self.awaited -= {epoch}
        return self.get(epoch)

    def whole(self) -> None:
        """Check that the keys of all started epochs are here. Raises KeyAwaited."""
        if self.awaited:
            raise _awaited(min(self.awaited))

    def _proposal(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.proposed.key"

    def _write(self, path: Path, key: bytes) -> None:
        """Create a file whole, durably, 0600; an existing file stays."""
        spare = self.folder / f".{path.stem}.{secrets.token_hex(8)}"
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                os.write(descriptor, key)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with contextlib.suppress(FileExistsError):
                os.link(spare, path)  # the first of two processes wins, the other reads the winner's key
        finally:
            spare.unlink()
        sync_folder(self.folder)

    def epochs(self) -> list[int]:
        """Return the epochs that have a key, oldest first, as of the last `reload`, `make` or `destroy`."""
        return sorted(self._cache)

    def find(self, key_id: int) -> int:
        """Return the epoch of a key id byte, possibly one whose key is awaited. Ids repeat after 256 epochs (21 years). Raises KeyGone."""
        for epoch in sorted({*self._cache, *self.awaited}, reverse=True):
            if epoch & 255 == key_id:
                return epoch
        raise KeyGone(f"no key with id {key_id}")

    def doomed(self, now: float, days: int) -> list[int]:
        """Return the epochs whose key is `due`. Reloads first."""
        self.reload()
        return [epoch for epoch in self.epochs() if due(epoch, now, days)]

    def destroy(self, epoch: int) -> None:
        """Overwrite and remove a key. Idempotent. On journalled or copy-on-write disks, overwriting is best effort."""
        self._cache.pop(epoch, None)
        self._erase(self._path(epoch))
        self._erase(self._proposal(epoch))

    def _erase(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return
        try:
            os.pwrite(descriptor, bytes(SIZE), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        sync_folder(self.folder)


def _awaited(epoch: int) -> KeyAwaited:
    return KeyAwaited(f"the key of epoch {epoch} is another host's, and did not come yet")
