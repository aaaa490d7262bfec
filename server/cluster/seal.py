"""The seal on what hosts tell each other. Rule: whoever has not the service's secret is not heard, and a word holds only where it was said.

Two services on one NATS, or a host with another `DATA/secret`, are told apart by it. It hides nothing: what must not be read travels elsewhere.

    key id u8 | HMAC-SHA256, its first 16 bytes, under the sub-key CLUSTER over: length of the place u16, the place, the body | body
"""

import hmac

from server.security.keys import Keys, Purpose

MAC = 16  # bytes


class Seal:
    """Of one deployment: the present secret seals, the previous one is believed as long as it is anywhere."""

    def __init__(self, keys: Keys) -> None:
        self._id = keys.present.id
        self._keys = keys.accepted(Purpose.CLUSTER)

    def sealed(self, place: bytes, body: bytes) -> bytes:
        """What to send. `place`: where it is said, e.g. its subject."""
        return bytes((self._id,)) + _mac(self._keys[self._id], place, body) + body

    def opened(self, place: bytes, data: bytes) -> bytes | None:
        """The body; None: it was not sealed for this place by who has the secret."""
        key = self._keys.get(data[0]) if data else None
        body = data[1 + MAC :]
        if key is None or not hmac.compare_digest(data[1 : 1 + MAC], _mac(key, place, body)):
            return None
        return body


def _mac(key: bytes, place: bytes, body: bytes) -> bytes:
    return hmac.digest(key, len(place).to_bytes(2, "big") + place + body, "sha256")[:MAC]
