"""Create and open proofs of college membership: encrypted tokens that the browser keeps.

**Invariant:** a proof reveals nothing to its holder, cannot be forged, and expires.
"""

# Content: the expiry time, a keyed hash of the mail address (so that one address can be blocked), and the college's domain.

import secrets
import struct
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.ops.config.settings import Settings
from server.ops.security.secret_keys import Keys, Purpose

_CONTENT = struct.Struct(">I16s")  # seconds since 1970 of the expiry, hash of the address
_NONCE: Final = 12
CHARACTERS_MAX: Final = 512  # a domain of 253 bytes needs 400


def make_proofs(settings: Settings, keys: Keys) -> "CollegeProofs | None":
    """Return the proofs of a deployment; None if college mode is off, because mail cannot be sent."""
    return CollegeProofs(keys, settings.college.proof_days * 86_400) if settings.mail.host else None


class CollegeProofs:
    """Codec of proofs; `life` in seconds, 90 days at most (the previous secret is accepted for as long)."""

    def __init__(self, keys: Keys, life: float, clock: Callable[[], float] = time.time) -> None:
        self.life = life
        self._clock = clock
        self._ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(Purpose.COLLEGE).items()}
        self._id = bytes([keys.present.id])
        self._key = keys.derive(Purpose.COLLEGE)

    def digest(self, mailbox: str) -> bytes:
        """Return the keyed hash of a mail address, 16 bytes; the address cannot be derived from it without the key."""
        return blake2b(mailbox.encode(), digest_size=16, key=self._key, person=b"college mail").digest()

    def seal(self, digest: bytes, domain: str) -> str:
        """Return the proof of a domain."""
        nonce = secrets.token_bytes(_NONCE)
        content = _CONTENT.pack(int(self._clock() + self.life), digest) + domain.encode("ascii")
        sealed = self._id + nonce + self._ciphers[self._id].encrypt(nonce, content, self._id)
        return _spelled(sealed)

    def open(self, proof: str) -> str | None:
        """Return the domain of a proof; None if it is forged, malformed or expired."""
        if len(proof) > CHARACTERS_MAX or not proof.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(proof + "=" * (-len(proof) % 4))
        except (Error, ValueError):
            return None
        if _spelled(sealed) != proof:
            return None  # the decoder skips foreign characters; a proof has one spelling
        cipher = self._ciphers.get(sealed[:1])
        if cipher is None or len(sealed) < 1 + _NONCE + 16:
            return None
        try:
            content = cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1])
        except InvalidTag:
            return None
        if len(content) <= _CONTENT.size or _CONTENT.unpack_from(content)[0] <= self._clock():
            return None
        return content[_CONTENT.size :].decode("ascii")


def _spelled(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode("ascii").rstrip("=")
