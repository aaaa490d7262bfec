"""Sign the receipt of a deletion, and verify it.

**Invariant:** a receipt is self-contained: its text and the published public key are enough to verify it years later.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "serendip-receipts"
ED25519 = b"\x01"  # the kind of signature, before the key
ID = 4  # bytes of a key's id
DASH = "\u2014 "


class NotGenuine(ValueError):
    """Not an unchanged receipt of this service; the text is the cause."""


class Receipts:
    """Signer of receipts. `seed`: the lasting key of Purpose.RECEIPT, 32 bytes.

    A receipt is a signed note of transparency logs (C2SP signed-note): the text, an empty line, and `— NAME BASE64(key id ‖ Ed25519 signature)`.
    The public key is at `/.well-known/serendip-receipts`, as `NAME+KEYID+BASE64(1 ‖ key)`.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = ED25519 + self._key.public_key().public_bytes_raw()
        self._id = _key_id(raw)
        self.public = f"{NAME}+{self._id.hex()}+{base64.b64encode(raw).decode()}"

    def sign(self, text: str) -> bytes:
        """Return the signed note; the same text gives the same bytes."""
        body = text.rstrip("\n") + "\n"
        signature = base64.b64encode(self._id + self._key.sign(body.encode())).decode()
        return f"{body}\n{DASH}{NAME} {signature}\n".encode()


def verify(note: bytes, public: str) -> str:
    """Return the text of a receipt, verified with the published public key. Raises NotGenuine."""
    name, _, rest = public.strip().partition("+")
    ident, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if raw[:1] != ED25519 or len(raw) != 33 or _key_id(raw).hex() != ident or name != NAME:
        raise NotGenuine("this is no key of receipts")
    try:
        text, _, line = note.decode().rpartition(f"\n\n{DASH}")
    except UnicodeDecodeError:
        raise NotGenuine("it is no signed note") from None
    signed = _decoded(line.removeprefix(f"{NAME} ").strip())
    if signed[:ID] != _key_id(raw):
        raise NotGenuine("it was signed with another key")
    try:
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signed[ID:], f"{text}\n".encode())
    except InvalidSignature:
        raise NotGenuine("the text was changed, or the signature") from None
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # not ASCII, or not base64
        raise NotGenuine("it is no signed note") from None


def _key_id(raw: bytes) -> bytes:
    return hashlib.sha256(f"{NAME}\n".encode() + raw).digest()[:ID]
