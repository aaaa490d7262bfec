"""Define the states of a session as two state machines, activity and presence, and the allowed transitions.

Activity: idle, waiting for a match, chatting, parted (the chat ended while the user was disconnected), gone. Presence: connected, or disconnected
with a deadline.
**Invariant:** TABLE is complete; `Session.move` alone applies it, and raises IllegalMove for a transition that TABLE lacks.
"""

# Activity of the user. IDLE: neither searching nor chatting. WAITING: one ticket is in the lobby. CHATTING: one seat in one chat. PARTED: the chat
# ended while the user was away, and they have not been notified; only coming back leaves this state. GONE: the end.
#
# Presence. HERE: exactly one live connection carries the session. AWAY: none does, and the session ends at a deadline; a waiting ticket is set aside,
# a seat is kept. A GONE session has no connection.
#
# The machines meet in one rule: the end of a chat leads to IDLE if the user is HERE, to PARTED if AWAY.

from typing import Final

from engine.wire.engine_errors import IllegalMove

IDLE: Final = 0
WAITING: Final = 1
CHATTING: Final = 2
PARTED: Final = 3
GONE: Final = 4

STATES: Final = ("idle", "waiting", "chatting", "parted", "gone")

NOWHERE: Final = -1


class Transitions:
    """Transitions by one event, from state to state."""

    __slots__ = ("event", "to")

    def __init__(self, event: str, moves: dict[int, int]) -> None:
        self.event = event
        self.to = tuple([moves.get(state, NOWHERE) for state in range(len(STATES))])  # by state; NOWHERE: not allowed

    def after(self, state: int) -> int:
        """Return the state to which the event leads. Raises IllegalMove."""
        after = self.to[state]
        if after < 0:
            raise IllegalMove(f"{self.event} while {STATES[state]}")
        return after


FIND: Final = Transitions("find", {IDLE: WAITING, WAITING: WAITING, CHATTING: WAITING})
MATCH: Final = Transitions("match", {WAITING: CHATTING})
LEAVE: Final = Transitions("leave", {WAITING: IDLE, CHATTING: IDLE})
OVER: Final = Transitions("over", {CHATTING: IDLE})
OVER_AWAY: Final = Transitions("over while away", {CHATTING: PARTED})
TOLD: Final = Transitions("told", {PARTED: IDLE})
END: Final = Transitions("end", {IDLE: GONE, WAITING: GONE, CHATTING: GONE, PARTED: GONE})

TABLE: Final = (FIND, MATCH, LEAVE, OVER, OVER_AWAY, TOLD, END)
