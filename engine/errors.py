"""The whole error contract on one screen: what each code says, whether it closes, whether the client may come back..



Close codes below 4000 are RFC 6455's; a client comes back after 1001, 1006, 1011, 1012, 1013 and 4008, not after the
others.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: `close` is the close code (0: all goes on), `back` whether the client may reconnect."""

    message: str
    close: int = 0
    back: bool = True


FAULTS: Final[dict[str, Fault]] = {
    # the frame was not taken, and all goes on
    "bad_json": Fault("The frame is not one JSON object."),
    "bad_type": Fault("This type of frame is unknown, or has no place here."),
    "bad_field": Fault("A field is missing, of a wrong type, or has a value that is not allowed."),
    "too_long": Fault("A field is longer than allowed."),
    "empty": Fault("A text has no characters."),
    "control": Fault("A text holds a control character or half a character."),
    "no_chat": Fault("There is no chat."),
    "not_waiting": Fault("You are neither in a chat nor waiting."),
    "slow": Fault("Your partner takes messages too slowly; this one was not delivered."),
    "too_fast": Fault("Too many in too short a time."),
    "no_session": Fault("That session cannot be resumed; this connection goes on as a new one."),
    "no_college": Fault("There is no valid proof of a college address."),
    "no_turn": Fault("This server has no relay for video."),
    "not_saved": Fault("The chat could not be saved."),
    "challenge": Fault("The challenge comes first."),
    "adult": Fault("Only adults may use this service."),
    # the connection is closed behind the error
    "protocol": Fault("The WebSocket protocol was broken.", 1002, back=False),
    "binary": Fault("Only text frames are spoken here.", 1003, back=False),
    "encoding": Fault("The text is not UTF-8.", 1007, back=False),
    "too_big": Fault("The frame or message is over 64 KiB.", 1009, back=False),
    "internal": Fault("The server failed.", 1011),
    "restart": Fault("The server restarts; come back in a moment.", 1012),
    "busy": Fault("The server is full; come back in a moment.", 1013),
    "banned": Fault("You are banned.", 4003, back=False),
    "flood": Fault("Too much; come back later.", 4008),
    "replaced": Fault("Another connection goes on with this session.", 4009, back=False),
}

MAY_COME_BACK: Final = frozenset(
    {1001, 1006} | {fault.close for fault in FAULTS.values() if fault.close and fault.back}
)


class Refusal(Exception):
    """A client's frame that was not taken; all goes on. `of`: the frame's type, `id`: the refused message's."""

    def __init__(
        self, code: str, of: str | None = None, id: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.of = of
        self.id = id
        self.retry_after = retry_after


class IllegalMove(LookupError):
    """An event that the transition table does not allow in that state: a fault of the engine, never of a client."""
