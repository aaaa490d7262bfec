"""Seal bytes to an operator's public key, so that only the private key, which the service does not have, opens them (X25519, HKDF, AES-256-GCM).

**Invariant:** each box has a key of its own, from an ephemeral key pair that is forgotten at once: the service cannot open what it sealed.
"""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from server.ops.config.backup_settings import KEY_BYTES

FORMAT = b"serendip sealed box 1\n"
INFO = b"serendip backup, sealed"
SIGNING = b"serendip backup, signed"
NONCE = bytes(12)  # each key seals one message


class WrongKey(ValueError):
    """The private key is not that of the public key to which this was sealed, or the box is damaged."""


def new_key() -> tuple[bytes, X25519PrivateKey]:
    """Return a new private key, as PEM and to be used."""
    key = X25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), key


def public_text(key: X25519PrivateKey) -> str:
    """Return the public key of a private key, as text."""
    return to_text(key.public_key().public_bytes_raw())


def signing_key(key: X25519PrivateKey) -> bytes:
    """Return the key by which the server signs backups for the owner of a private key, which cannot be computed from it."""
    return HKDF(SHA256(), 32, salt=None, info=SIGNING).derive(key.private_bytes_raw())


def to_text(key: bytes) -> str:
    """Return a key as the settings have it."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Return the key of a setting."""
    return base64.urlsafe_b64decode(text + "=")


def read_key(file: Path) -> X25519PrivateKey:
    """Read a private key. Raises WrongKey, OSError."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):
        raise WrongKey(f"{file}: is no private key of `serendip backup key`") from None
    if not isinstance(key, X25519PrivateKey):
        raise WrongKey(f"{file}: is no private key of `serendip backup key`")
    return key


def seal(public: str, body: bytes) -> bytes:
    """Return the body, sealed to a public key."""
    theirs = from_text(public)
    ours = X25519PrivateKey.generate()
    shared = ours.exchange(X25519PublicKey.from_public_bytes(theirs))
    head = FORMAT + ours.public_key().public_bytes_raw()
    return head + AESGCM(_key(shared, head, theirs)).encrypt(NONCE, body, head)


def unseal(private: X25519PrivateKey, box: bytes) -> bytes:
    """Return the body of a box. Raises WrongKey."""
    size = len(FORMAT) + KEY_BYTES
    head, body = box[:size], box[size:]
    if not head.startswith(FORMAT) or len(head) != size:
        raise WrongKey("this is no sealed box")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(head[len(FORMAT) :]))
        key = _key(shared, head, private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(NONCE, body, head)
    except (InvalidTag, ValueError):
        raise WrongKey(f"the private key is not that of the backup; its public key is {public_text(private)}") from None


def _key(shared: bytes, head: bytes, theirs: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=head + theirs, info=INFO).derive(shared)
