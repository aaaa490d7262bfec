"""The states of a session, and the only moves between them.

Theory. A session is a person's, and outlives connections. Two machines run side by side:

*What the person does.* IDLE: neither waits nor talks. WAITING: one ticket is in the lobby. CHATTING: one seat in one
chat. PARTED: the chat ended while the person was away and they were not told yet; only coming back leads out of it.
GONE: the end.

*Whether the person is there.* HERE: exactly one live connection carries the session. AWAY: none does, and the session
ends at a deadline; a waiting ticket is set aside, a seat stays. A session that is GONE has no connection.

The machines meet in one rule: what ends a chat (`over`) leads to IDLE where the person is HERE and to PARTED where
AWAY. Rule: `TABLE` is all there is, and `Session.move` alone goes by it: a move that is not in it raises IllegalMove.

A session that comes from another process is made in the state that it had there (`engine.migrate.session_moves`); what it leaves behind
there is GONE. No connection, partner or record is told of either.
"""

from typing import Final, NoReturn

from engine.wire.errors import IllegalMove

IDLE: Final = 0
WAITING: Final = 1
CHATTING: Final = 2
PARTED: Final = 3
GONE: Final = 4

STATES: Final = ("idle", "waiting", "chatting", "parted", "gone")


NOWHERE: Final = -1


class Moves(dict[int, int]):
    """From state to state by one event."""

    def __init__(self, event: str, moves: dict[int, int]) -> None:
        super().__init__(moves)
        self.event = event
        self.to = tuple(moves.get(state, NOWHERE) for state in range(len(STATES)))  # the same, by place

    def __missing__(self, state: int) -> NoReturn:
        raise IllegalMove(f"{self.event} while {STATES[state]}")


FIND: Final = Moves("find", {IDLE: WAITING, WAITING: WAITING, CHATTING: WAITING})
MATCH: Final = Moves("match", {WAITING: CHATTING})
LEAVE: Final = Moves("leave", {WAITING: IDLE, CHATTING: IDLE})
OVER: Final = Moves("over", {CHATTING: IDLE})
OVER_AWAY: Final = Moves("over while away", {CHATTING: PARTED})
TOLD: Final = Moves("told", {PARTED: IDLE})
END: Final = Moves("end", {IDLE: GONE, WAITING: GONE, CHATTING: GONE, PARTED: GONE})

TABLE: Final = (FIND, MATCH, LEAVE, OVER, OVER_AWAY, TOLD, END)
