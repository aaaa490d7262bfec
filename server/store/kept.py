"""The key of kept pseudonyms. Rule: it outlives every rotation of the secret, or saved logs would be lost with it.

Derived once from `DATA/secret` (so that hosts that share the secret agree), then written to `DATA/keys/kept.key` (0600)
and only read from there. Like all of that folder it is never in a backup of the database.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.security.keys import EPOCHS, Keys, Purpose
from server.store.epochs import SIZE, EpochKeys, KeyGone
from server.store.pseudonyms import Pseudonyms

KEPT = "kept.key"


def pseudonyms(keys: Keys, data: Path) -> Pseudonyms:
    """Everything that makes keyed values, from a data folder. Raises KeyGone for a kept key of a wrong size."""
    epochs = EpochKeys(data / EPOCHS)
    kept = _kept(keys, epochs.folder / KEPT)
    erasure = HKDF(SHA256(), SIZE, salt=None, info=b"serendip erasure list").derive(kept)
    return Pseudonyms(epochs, kept, erasure)


def _kept(keys: Keys, file: Path) -> bytes:
    if not file.exists():
        spare = file.with_name(f".kept.{secrets.token_hex(8)}")
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, keys.derive(Purpose.KEPT))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(spare, file)
        except FileExistsError:
            pass  # another process was faster; its file stays
        finally:
            spare.unlink()
    kept = file.read_bytes()
    if len(kept) != SIZE:
        raise KeyGone(f"{file}: must hold {SIZE} bytes")
    return kept
