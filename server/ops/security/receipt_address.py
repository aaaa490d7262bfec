"""A receipt's address. Rule: whoever has it may read what came of one report, and nothing else."""

from server.ops.security.url_secrets import decode, encode
from server.ops.security.url_secrets import draw as drawn

PATH = "/report/"


def draw() -> str:
    """A new one, as a path (`engine.core.ports.Outside.receipt`)."""
    return PATH + encode(drawn())


def secret(path: str) -> bytes | None:
    """The bits of a path, or of its last part; None for what `draw` never made."""
    return decode(path.removeprefix(PATH))
