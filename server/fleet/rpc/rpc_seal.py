"""Authenticate messages between hosts by an HMAC with the service's secret. A seal does not encrypt.

**Invariant:** a message without a valid seal is dropped, and a seal is valid only for one place (a NATS subject or an rpc address).
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.ops.security.secret_keys import Keys, Purpose

MAC: Final = 16  # bytes
SEALED: Final = 1 + MAC  # bytes of a seal, before the body


class Seal:
    """Seal of one deployment: the present secret seals, the previous one is accepted as long as it is configured.

        key id u8 | HMAC-SHA256, its first 16 bytes, under the sub-key CLUSTER over: length of the place u16, the place, the body | body

    It separates two services on one NATS, or a host with another `DATA/secret`.
    """

    def __init__(self, keys: Keys) -> None:
        self.id = keys.present.id  # of the secret that seals
        self._keys = keys.accepted(Purpose.CLUSTER)

    def sealed(self, place: bytes, body: bytes, by: int | None = None) -> bytes:
        """Return a sealed body. `place`: for which it is valid, e.g. its subject; `by`: the id of the secret of the request that it answers."""
        ident = self.id if by is None else by
        return bytes((ident,)) + _mac(self._keys[ident], place, body) + body

    def opened(self, place: bytes, data: bytes) -> bytes | None:
        """Return the body; None: it was not sealed for this place with the secret."""
        key = self._keys.get(data[0]) if data else None
        body = data[1 + MAC :]
        if key is None or not hmac.compare_digest(data[1 : 1 + MAC], _mac(key, place, body)):
            return None
        return body

    def hidden(self, network: str) -> str:
        """Return a pseudonym of a network that shows its width and no more: the same on all hosts, unless their secrets differ."""
        _, slash, bits = network.partition("/")
        return _mac(self._keys[self.id], b"network", network.encode()).hex() + slash + bits

    def cipher(self, by: int, nonce: bytes, what: bytes) -> AESGCM:
        """Return a cipher, because a seal hides nothing: for the one answer to the request of this nonce, by the secret of this id. Raises
        KeyError.
        """
        return AESGCM(
            HKDF(SHA256(), 32, salt=nonce, info=b"serendip answer between hosts, " + what).derive(self._keys[by])
        )


def _mac(key: bytes, place: bytes, body: bytes) -> bytes:
    return hmac.digest(key, len(place).to_bytes(2, "big") + place + body, "sha256")[:MAC]
