"""Define the numbers, codes and names of the protocol for the typed client.

Generated from engine/wire/protocol.py by `python -m engine.wire.protocol_copy_generator`: do not edit; a test compares the two.
"""

from typing import Final, Literal

# fmt: off
COMES_BACK: Final = frozenset({1001, 1006, 1011, 1012, 1013, 4008})  # close codes after which a client may reconnect
# errors after which the server closes
CLOSING: Final = frozenset(
    {"protocol", "binary", "encoding", "too_big", "internal", "restart", "busy", "banned", "country", "removed", "flood", "replaced"}
)
Role = Literal["stranger", "spy", "discuss"]
Reason = Literal["minor", "nudity", "threat", "hate", "spam", "danger", "other"]  # of a report
Face = Literal["heart", "laugh", "wow", "sad", "thumb", "thanks"]  # of a reaction
NoSnapWhy = Literal["camera", "hidden", "early"]  # why requested pictures are missing
REFUSED_KEPT: Final = 200  # ordinals of refused messages in `resumed`
SNAP_TILE: Final = (320, 240)  # pixels of a picture
SNAP_BYTES: Final = 49152  # of a strip, or of one picture
SENT_BYTES: Final = 196608  # of a picture for the partner
SENT_SIDE: Final = 1280  # pixels of its longer side
# fmt: on
