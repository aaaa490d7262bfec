"""Everything that makes keyed values, over one data folder. Rule: the kept key outlives every rotation, or saved logs would be lost with it."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.data.keys.epoch_keys import SIZE, EpochKeys
from server.data.keys.pseudonyms import Pseudonyms
from server.ops.security.secret_keys import EPOCHS, Keys, Purpose


def pseudonyms(keys: Keys, data: Path, *, shared: bool = False) -> Pseudonyms:
    """Pseudonyms by the epochs' keys (`shared` with other hosts), the kept one, and the erasure list's, which follows from it. Raises OSError."""
    kept = keys.lasting[Purpose.KEPT]
    erasure = HKDF(SHA256(), SIZE, salt=None, info=b"serendip erasure list").derive(kept)
    return Pseudonyms(EpochKeys(data / EPOCHS, shared=shared), kept, erasure, keys.kept)
