"""Create the secret URL of a report's receipt, with which the reporter can read the outcome of this one report."""

from server.ops.security.url_token_generator import decode, encode
from server.ops.security.url_token_generator import draw as drawn

PATH = "/report/"


def draw() -> str:
    """Draw a new address, as a path (`engine.core.ports.Outside.make_receipt_url`)."""
    return PATH + encode(drawn())


def secret(path: str) -> bytes | None:
    """Return the secret of a path, or of its last part; None if `draw` did not make it."""
    return decode(path.removeprefix(PATH))
