"""Hold the state of one HTTP client: its id, its queued events, and its held poll.

**Invariant:** an event stays queued until it was written to the client.
"""

from typing import Any, Protocol

from engine.views import SessionView
from server.site.omegle.remote_session import SessionWire

ID_BEFORE = "central1:"  # before `HostHints.letters`: 30 of 36 each; strict clients accept no other number
QUEUE_EVENTS = 200  # events kept for a client; beyond, its partner gets `slow` (protocol.md, rule 8)
QUEUE_BYTES = 64 * 1024
POLL_COST = 0.25  # seconds: a client may poll four times a second in the long run
POLL_CREDIT = 5.0  # seconds, so 20 polls at once; beyond, each is answered a second late


class Poll(Protocol):
    """A held poll: a future that a handler waits for, or a parked connection."""

    def done(self) -> bool: ...
    def set_result(self, news: bool) -> None: ...


class OmegleClient:
    """The state of one client. `gone`: no further event will come; `refused`: the engine refused the last frame.

    At most one poll is held: a newer one answers the older with an empty list at once, since a library with ten requests in flight would block its
    own `/send` otherwise.
    """

    __slots__ = (
        "carrying",
        "challenge",
        "chat",
        "conn",
        "dark",
        "events",
        "find",
        "gone",
        "heard",
        "host",
        "id",
        "key",
        "last",
        "moved",
        "paid",
        "patience",
        "paused",
        "pending",
        "person",
        "poll",
        "refused",
        "service",
        "session",
        "size",
        "solved",
        "told",
        "unread",
        "wire",
    )

    def __init__(
        self, id: str, session: SessionView, person: int, key: str, find: dict[str, Any], now: float, host: str
    ) -> None:
        self.id = id
        self.session = session
        self.conn = session.conn
        self.person = person
        self.key = key  # of the address, as the limits count it
        self.find = find
        self.host = host  # the name by which the client addressed this server
        self.heard = now  # monotonic seconds of the last request or response
        self.paid = now
        self.events: list[bytes] = []
        self.size = 0
        self.poll: Poll | None = None
        self.carrying = False  # a response with events is being written
        self.paused = False  # the reactor holds further frames back
        self.chat = ""  # the latest chat that the client was sent, and the number of its last message
        self.last = 0
        self.dark = ""  # the chat in which it was sent that there is no video
        self.gone = False
        self.told = False  # it was sent `waiting`
        self.unread = ""  # the id of the notice that is queued for it
        self.refused = ""
        self.service = ""  # what operators say to all users, as it was sent last
        self.challenge = ""  # the kind of the open challenge
        self.solved = False  # it was solved, and the search has not begun yet
        self.pending = False  # the search begins when the challenge is solved, or after a wait
        self.patience = 0.0  # seconds for which its last search was refused
        self.wire: SessionWire | None = None  # the connection to its session at another host; None: the session is here
        self.moved = False  # another process has it: it is sent nothing here any more

    def put(self, events: list[bytes]) -> None:
        """Queue one batch of events."""
        self.events += events
        self.size += sum(map(len, events))

    def forget(self, events: tuple[bytes, ...]) -> None:
        """Remove the last queued events if they are these, and none of them is being written."""
        while self.events and not self.carrying and self.events[-1] in events:
            self.size -= len(self.events.pop())

    @property
    def waits(self) -> bool:
        """Whether a poll is held."""
        return self.poll is not None

    @property
    def full(self) -> bool:
        """Whether no more events may be queued."""
        return self.size >= QUEUE_BYTES or len(self.events) >= QUEUE_EVENTS

    def written(self, number: int) -> None:
        """Remove the first `number` events, which reached the client."""
        self.size -= sum(map(len, self.events[:number]))
        del self.events[:number]

    def wake(self) -> None:
        """Answer the held poll if there are events, or no more will come."""
        if self.poll is not None and not self.carrying and (self.events or self.gone):
            self.release(True)

    def release(self, news: bool) -> None:
        """Answer the held poll: with events if `news`, else with an empty list."""
        poll, self.poll = self.poll, None
        if poll is not None and not poll.done():
            poll.set_result(news)

    def hasty(self, now: float) -> bool:
        """Count a poll; return whether polls come too fast."""
        self.paid = max(self.paid, now) + POLL_COST
        return self.paid - now > POLL_CREDIT
