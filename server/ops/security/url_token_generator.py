"""Generate and encode the secrets in URLs: of a saved log, its deletion, a report's receipt, an appeal.

**Invariant:** 128 random bits, of which the store holds only a keyed hash.
"""

import base64
import binascii
import secrets

SECRET = 16  # bytes: 128 bits, so that a million guesses a second find nothing in the age of the universe


def encode(secret: bytes) -> str:
    """Encode 16 bytes as 22 characters that are valid in any URL."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def draw() -> bytes:
    """Draw 16 bytes whose text does not begin with a hyphen, which a command line would take for an option."""
    while True:
        secret = secrets.token_bytes(SECRET)
        if not encode(secret).startswith("-"):
            return secret


def decode(text: str) -> bytes | None:
    """Decode a secret; None for a text that `encode` did not make."""
    try:
        secret = base64.b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return secret if len(secret) == SECRET and encode(secret) == text else None
