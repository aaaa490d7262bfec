"""Tokens by which a browser says whom it does not want to meet again. Rule: the server stores none; what is forged, old or foreign is nobody.

A token says nothing to who holds it, and two tokens of one person are not alike (AES-GCM, a nonce of their own).
"""

import secrets
import struct
import time
from base64 import b64decode
from binascii import Error, b2a_base64
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.protocol import AVOID_DAYS
from server.security.keys import Keys, Purpose

DAY = 86_400
_CONTENT = struct.Struct(">QI")  # person, day since 1970
_NONCE = 12
_SIZE = 1 + _NONCE + _CONTENT.size + 16  # key id, nonce, content, tag: 41
_CHARACTERS = 55  # of them in base64 without padding
_TO_URL = bytes.maketrans(b"+/", b"-_")


class AvoidTokens:
    """Makes and opens them. `clock`: Unix seconds."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(Purpose.AVOID).items()}
        self._id = bytes([keys.present.id])

    def make(self, person: int) -> tuple[str, int]:
        """A token for a person (the engine's number, below 2**64), and until when it is good."""
        day, nonce = int(self._clock()) // DAY, secrets.token_bytes(_NONCE)
        sealed = self._id + nonce + self._ciphers[self._id].encrypt(nonce, _CONTENT.pack(person, day), self._id)
        text = b2a_base64(sealed, newline=False).translate(_TO_URL, b"=").decode("ascii")
        return text, (day + AVOID_DAYS) * DAY

    def open(self, tokens: Sequence[str]) -> tuple[int, ...]:
        """The persons behind tokens, in their order, without those that are not ours or not good any more."""
        found = (self._person(token) for token in tokens)
        return tuple(person for person in found if person is not None)

    def _person(self, token: str) -> int | None:
        if len(token) != _CHARACTERS or not token.isascii():
            return None
        try:
            sealed = b64decode(token + "=", altchars=b"-_", validate=True)
        except Error:
            return None
        cipher = self._ciphers.get(sealed[:1])
        if cipher is None or len(sealed) != _SIZE:
            return None
        try:
            person, day = _CONTENT.unpack(cipher.decrypt(sealed[1:13], sealed[13:], sealed[:1]))
        except InvalidTag:
            return None
        return int(person) if 0 <= int(self._clock()) // DAY - day < AVOID_DAYS else None
