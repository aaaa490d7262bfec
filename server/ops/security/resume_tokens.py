"""Create and open resume tokens, with which a new connection continues an existing session (docs/protocol.md, rule 5).

**Invariant:** a token reveals nothing to its holder, cannot be forged (AES-GCM), and is bound to the connection's identity cookie, if any, but not
to an address.
"""

# The engine decides when a token may be used: the session key inside is random, one per `hello`.

import hmac
import secrets
import struct
import time
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.ops.security.secret_keys import Keys, Purpose

_CONTENT = struct.Struct(">QQHHII")  # session key, identity, node, worker, generation, seconds of issue
_pack = _CONTENT.pack
_NONCE = 12
_LAST = (1 << _NONCE * 8) - 1
_SIZE = 1 + _NONCE + _CONTENT.size + 16  # key id, nonce, content, tag: 57, a multiple of 3, so base64 needs no padding
_CHARACTERS = _SIZE * 4 // 3
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(
    b"-_+/", b"+/!!"
)  # one spelling per token: `+` and `/` of the standard alphabet are refused


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a token; `identity` 0: bound to none; `issued` in whole seconds since 1970."""

    session_key: int
    identity: int
    node: int
    worker: int
    generation: int
    issued: int


class Tokens:
    """Codec of the tokens of one worker (node, worker, and generation: which start of it)."""

    def __init__(
        self, keys: Keys, node: int = 0, worker: int = 0, generation: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self.address = (node, worker, generation)
        self._clock = clock
        self._ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(Purpose.TOKEN).items()}
        self._id = bytes([keys.present.id])
        self._encrypt = self._ciphers[self._id].encrypt
        # A random start, then a count: no process uses a nonce twice, and the ranges of two processes do not meet.
        self._nonce = secrets.randbits(_NONCE * 8)

    def seal(self, session_key: int, identity: int) -> str:
        """Return a token of 76 characters for a session key below 2**63; `identity` 0 binds it to none."""
        self._nonce = self._nonce + 1 & _LAST
        nonce = self._nonce.to_bytes(_NONCE)
        node, worker, generation = self.address
        content = _pack(session_key, identity, node, worker, generation, int(self._clock()))
        sealed = b"".join((self._id, nonce, self._encrypt(nonce, content, self._id)))
        return b2a_base64(sealed, newline=False).translate(_TO_URL).decode("ascii")

    def open(self, token: str, identity: int) -> int | None:
        """Return the session key of a token that this worker issued; None if it is forged, malformed or another worker's."""
        content = self.read(token, identity)
        if content is None or (content.node, content.worker, content.generation) != self.address:
            return None
        return content.session_key

    def read(self, token: str, identity: int) -> Content | None:
        """Return the content of a token of any worker, so that the session can be looked up there; None as in `open`."""
        if len(token) != _CHARACTERS or not token.isascii():
            return None
        try:
            sealed = a2b_base64(token.encode("ascii").translate(_FROM_URL), strict_mode=True)
        except Error:
            return None
        cipher = self._ciphers.get(sealed[:1])
        if cipher is None:
            return None
        try:
            content = Content(*_CONTENT.unpack(cipher.decrypt(sealed[1:13], sealed[13:], sealed[:1])))
        except InvalidTag:
            return None
        if content.identity and not hmac.compare_digest(content.identity.to_bytes(8), identity.to_bytes(8)):
            return None
        return content
