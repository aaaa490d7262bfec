"""Define the exceptions of the engine: Refusal is a client's fault and is answered with its error code; IllegalMove is a bug of the engine."""


class Refusal(Exception):
    """A frame of a client was refused; the connection stays open.

    `of`: type of the frame; `id`: id of the refused message; `field`: name of the wrong field, for `bad_field`.
    """

    def __init__(
        self,
        code: str,
        of: str | None = None,
        id: str | None = None,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.of = of
        self.id = id
        self.retry_after = retry_after
        self.field = field


class BadField(Refusal):
    """A field of a client's frame is missing, of a wrong type, or has a value that is not allowed."""

    def __init__(self, of: str, field: str, id: str | None = None) -> None:
        super().__init__("bad_field", of, id, field=field)


class Busy(Exception):
    """The server cannot do what a client needs first: close its connection with `busy`; it may come back later."""


class KeptOut(Exception):
    """The sender of a frame may not use the service any more: close its connection with the reason."""


class IllegalMove(LookupError):
    """The transition table does not allow this event in this state: a fault of the engine, never of a client."""
