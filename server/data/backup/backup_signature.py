"""Sign the manifest of a backup, and tell by it whether this service made the backup (HMAC-SHA256).

Each signature has a name: `service` by a key that the service derives from one of its own, `operator` by one that belongs to the private key of
`serendip backup key`. **Invariant:** neither is in a backup but sealed, and access to the place of the backups gives neither.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.data.backup import sealed_box
from server.ops.config.settings import Settings
from server.ops.security import secret_keys

SERVICE, OPERATOR = "service", "operator"
NO_KEY: Final = "nothing here can tell who made this backup: give --key FILE, or set backup.signing_key. With --unsigned it is taken all the same"
UNSIGNED: Final = "it is not signed: an earlier program made it, or somebody else put it there. If nobody else writes to that place, say --unsigned"
FOREIGN: Final = (
    "none of the keys that are here signed it ({}): the private key is another one, another service made it, or somebody else put it there."
    " --unsigned takes it all the same"
)
Check = Callable[[bytes, Mapping[str, str]], None]  # of a manifest and its signatures


class Foreign(ValueError):
    """The backup is not signed with a key that is here."""


class SigningKeys:
    """The keys that are here, by the names of their signatures."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def sign(self, manifest: bytes) -> dict[str, str]:
        """Return a signature by each key."""
        return {name: hmac.digest(key, manifest, sha256).hex() for name, key in self._keys.items()}

    def check(self, manifest: bytes, signatures: Mapping[str, str]) -> None:
        """Raise Foreign unless one of the keys made one of the signatures."""
        if not self._keys:
            raise Foreign(NO_KEY)
        if not signatures:
            raise Foreign(UNSIGNED)
        ours = self.sign(manifest)
        if not any(
            hmac.compare_digest(mine.encode(), signatures.get(name, "").encode(errors="replace"))
            for name, mine in ours.items()
        ):
            raise Foreign(FOREIGN.format(" and ".join(sorted(ours))))


def signing_keys(settings: Settings, key: X25519PrivateKey | None = None) -> SigningKeys:
    """Return the keys of a host, and of the operator's private key if it is given. Raises SecretError."""
    keys = {}
    if (settings.data / secret_keys.SECRET).exists():
        keys[SERVICE] = secret_keys.load(settings.data).of_backups()
    if key is not None:
        keys[OPERATOR] = sealed_box.signing_key(key)
    elif text := settings.backup.signing_key.get_secret_value():
        keys[OPERATOR] = sealed_box.from_text(text)
    return SigningKeys(keys)


def accept_any(_manifest: bytes, _signatures: Mapping[str, str]) -> None:
    """Accept whatever backup the operator says."""
