"""Encrypt a person's identity into a rights key (`sr1.…`) or into a code for an authorised agent (`sa1.…`), and decrypt both.

**Invariant:** a key or code reveals nothing to its holder, and a forged one is refused. A rights key never expires; a code is valid for CODE_DAYS
days.
"""

from __future__ import annotations

import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.ops.security.secret_keys import Keys, Purpose
from server.trust.data_requests.identity_proof import DELETE, KNOW, WHOLE

KEY = "sr1."
CODE = "sa1."
CODE_DAYS = 14
CHARACTERS_MAX = 128
_KEY = struct.Struct(">QQ8s")  # identity, milliseconds since 1970, serial
_CODE = struct.Struct(">QQ8sB")  # and the scope, a bit each
_BITS = {KNOW: 1, DELETE: 2}
_NONCE = 12


@dataclass(frozen=True, slots=True)
class KeyContent:
    """Content of a key or a code. `issued`: milliseconds since 1970."""

    identity: int
    issued: int
    serial: bytes
    scope: frozenset[str]
    agent: bool


class RightsKeys:
    """Cipher of rights keys and codes.

    The cipher's key derives from the identities' own (`Keys.of_identity`): a rotation, a restart, a restore or another host of the service changes
    nothing, and if that key is lost no cookie identifies a person either.
    """

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESGCM(keys.of_identity(Purpose.RIGHTS))

    def key(self, identity: int, issued: int) -> str:
        """Return a person's rights key. `issued`: in milliseconds."""
        return self._seal(KEY, _KEY.pack(identity, issued, secrets.token_bytes(8)))

    def code(self, identity: int, issued: int, scope: frozenset[str]) -> str:
        """Return an agent's code, for scopes of AGENT."""
        bits = sum(_BITS[name] for name in scope)
        return self._seal(CODE, _CODE.pack(identity, issued, secrets.token_bytes(8), bits))

    def open(self, text: str, now: float) -> KeyContent | None:
        """Return the content; None if it is forged, malformed, or an expired code. `now`: Unix seconds."""
        shape = {KEY: _KEY, CODE: _CODE}.get(text[:4])
        if shape is None or len(text) > CHARACTERS_MAX or not text.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(text[4:] + "=" * (-len(text) % 4))
            content = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], text[:4].encode())
        except (Error, ValueError, InvalidTag):
            return None
        identity, issued, serial, *rest = shape.unpack(content)
        if not rest:
            return KeyContent(identity, issued, serial, WHOLE, agent=False)
        if issued / 1000 + CODE_DAYS * 86_400 <= now:
            return None
        scope = frozenset(name for name, bit in _BITS.items() if rest[0] & bit)
        return KeyContent(identity, issued, serial, scope, agent=True)

    def _seal(self, kind: str, content: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, content, kind.encode())
        return kind + urlsafe_b64encode(sealed).decode().rstrip("=")
