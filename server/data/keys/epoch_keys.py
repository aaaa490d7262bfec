"""Epoch keys: the random keys of live pseudonyms and addresses, one a 30-day epoch, in DATA/keys (0600).

Rule: a key that is destroyed unlinks every row, file and backup of its epoch at once. So a key is
made when its epoch begins, never derived from another secret, never stored with the database, and destroyed when
the longest retention plus one backup life has passed since its epoch ended.

Hosts that share a database share these keys: there no host makes one by itself. It proposes one, the database says whose holds
(`server.data.database.key_fingerprints`), and the others are told it by who has it (`server.fleet.cluster.epoch_key_exchange`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from server.data.errors import KeyAwaited

EPOCH = 30 * 86_400  # seconds; the statement's 120 days then span at most 5 epochs
SIZE = 32  # bytes: AES-256, and HMAC-SHA256 wants no more


class KeyGone(LookupError):
    """The key of this epoch was destroyed (or never existed here): its rows cannot be linked to anybody any more."""


def epoch_of(when: float) -> int:
    """Number of the epoch that holds this Unix time."""
    return int(when) // EPOCH


def due(epoch: int, now: float, days: int) -> bool:
    """Whether the key of this epoch is to be destroyed: the epoch ended more than `days` (retention + backup life) ago."""
    return (epoch + 1) * EPOCH + days * 86_400 <= now


class EpochKeys:
    """The folder of epoch keys. One key id byte (`epoch & 255`) stands before every value made with a key.

    `shared`: with other hosts. `awaited`: epochs that have begun, and whose key only others have.
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
        """Read the folder anew: keys that another process made or destroyed. Blocks for a few file reads."""
        found = {int(path.stem): path.read_bytes() for path in self.folder.glob("*.key") if path.stem.isdigit()}
        self._cache = {epoch: key for epoch, key in found.items() if len(key) == SIZE}

    def known(self, epoch: int) -> bool:
        """Whether the key is in memory: `get` and `make` then touch no file."""
        return epoch in self._cache

    def _path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.key"

    def get(self, epoch: int) -> bytes:
        """The key of an epoch, or KeyGone; KeyAwaited where another host has it. Never makes one."""
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
        """The key of an epoch, made (durably, atomically, 0600) when it is the first need of it. Raises KeyAwaited where keys are shared."""
        try:
            return self.get(epoch)
        except KeyGone:
            if self.shared:
                raise _awaited(epoch) from None
        return self.take(epoch, secrets.token_bytes(SIZE))

    def proposed(self, epoch: int) -> bytes | None:
        """What was proposed for an epoch from this folder, and neither became its key nor was given up."""
        try:
            key = self._proposal(epoch).read_bytes()
        except FileNotFoundError:
            return None
        return key if len(key) == SIZE else None

    def propose(self, epoch: int) -> bytes:
        """A key that an epoch may get, kept (as a key is) so that it is not lost between its election and `take`."""
        self._write(self._proposal(epoch), secrets.token_bytes(SIZE))
        key = self.proposed(epoch)
        if key is None:  # another process of this folder took it meanwhile
            return self.get(epoch)
        return key

    def take(self, epoch: int, key: bytes) -> bytes:
        """Have this key for an epoch from here on, unless it has one; the one that it has. What was proposed goes."""
        self._write(self._path(epoch), key)
        self._erase(self._proposal(epoch))
        self.awaited -= {epoch}
        return self.get(epoch)

    def whole(self) -> None:
        """That the keys of all epochs are here that have begun and are not over. Raises KeyAwaited."""
        if self.awaited:
            raise _awaited(min(self.awaited))

    def _proposal(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.proposed.key"

    def _write(self, path: Path, key: bytes) -> None:
        """Make a file whole, durably, 0600; one that is there stays."""
        spare = self.folder / f".{path.stem}.{secrets.token_hex(8)}"
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                os.write(descriptor, key)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with contextlib.suppress(FileExistsError):
                os.link(spare, path)  # the first of two makers wins, the other reads the winner's
        finally:
            spare.unlink()
        self._sync()

    def epochs(self) -> list[int]:
        """Epochs that have a key, oldest first, as of the last `reload`, `make` or `destroy`."""
        return sorted(self._cache)

    def find(self, key_id: int) -> int:
        """The epoch behind a key id byte, or KeyGone. Ids repeat after 256 epochs (21 years). May be one whose key is awaited."""
        for epoch in sorted({*self._cache, *self.awaited}, reverse=True):
            if epoch & 255 == key_id:
                return epoch
        raise KeyGone(f"no key with id {key_id}")

    def doomed(self, now: float, days: int) -> list[int]:
        """Epochs whose key is `due`. Reloads first."""
        self.reload()
        return [epoch for epoch in self.epochs() if due(epoch, now, days)]

    def destroy(self, epoch: int) -> None:
        """Overwrite and remove a key. Idempotent. On journalled or copy-on-write disks overwriting is best effort."""
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
        self._sync()

    def _sync(self) -> None:
        """Make the folder's entries durable."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _awaited(epoch: int) -> KeyAwaited:
    return KeyAwaited(f"the key of epoch {epoch} is another host's, and did not come yet")
