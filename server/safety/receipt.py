"""A receipt's address. Rule: 128 random bits in the path; whoever has it may read what came of one report, and nothing else."""

from __future__ import annotations

import base64
import binascii
import secrets

PATH = "/report/"
BYTES = 16


def draw() -> str:
    """A new one, as a path (`engine.ports.Outside.receipt`)."""
    return PATH + base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).rstrip(b"=").decode()


def secret(path: str) -> bytes | None:
    """The bits of a path, or of its last part; None for what `draw` never made."""
    text = path.removeprefix(PATH)
    try:
        found = base64.b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return found if len(found) == BYTES and len(text) == 22 else None
