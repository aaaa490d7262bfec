"""What the engine raises. Rule: a Refusal is a client's fault and is answered by its code; an IllegalMove is the engine's."""


class Refusal(Exception):
    """A client's frame that was not taken; all goes on.

    `of`: the frame's type; `id`: the refused message's; `field`: with `bad_field`, the wrong one.
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
    """The server cannot do what a client needs first: its connection ends with `busy`, and it comes back later."""


class KeptOut(Exception):
    """Whoever sent the frame may not be here any more: their connection ends, and they are told why."""


class IllegalMove(LookupError):
    """An event that the transition table does not allow in that state: a fault of the engine, never of a client."""
