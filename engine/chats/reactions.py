"""Handle reactions: each of the two shows one of six faces at a line of the chat, or takes it back.

A chat keeps its newest MOST reactions, which `resumed` repeats and a saved log holds; a chat record does not.
**Invariant:** a reaction names a line that the chat has, and one side has at most one face at a line.
"""

from typing import Any, Final

from engine.core.bus_messages import Reacted
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING, PARTED
from engine.wire.client_requests import React
from engine.wire.engine_errors import BadField, Refusal
from engine.wire.protocol import REACT_BURST, REACT_RATE, REACTIONS_MOST, WATCHER
from engine.wire.server_frames import react

INTERVAL: Final = 1 / REACT_RATE


class Reactions:
    """Reactions of the chats of the engine."""

    __slots__ = ("_core",)

    def __init__(self, core: EngineState) -> None:
        self._core = core

    def react(self, session: Session, request: React, now: float) -> None:
        """Set or take back the face of this side at a line, and show it to the others. Raises Refusal."""
        seat = session.seat
        if seat is None or session.state == PARTED:
            raise Refusal("no_chat", "react")
        if seat.side == WATCHER:
            raise Refusal("bad_type", "react")
        if seat.held:
            raise Refusal("challenge", "react")
        if request.seq > seat.chat.ring.last:
            raise BadField("react", "seq")
        if self._core.settings.limits:
            pay(seat, "react", now)
        faces, key = seat.chat.attached.faces, (request.seq, seat.side)
        if faces.get(key, "") == request.face:
            return
        faces.pop(key, None)
        if request.face:
            if len(faces) >= REACTIONS_MOST:
                del faces[next(iter(faces))]
            faces[key] = request.face
        self._core.count("reaction")
        message = Reacted(seat.chat.id, seat.side, request.seq, request.face)
        for _, address in seat.others:
            self._core.post(address, message)

    def reacted(self, session: Session, message: Reacted) -> None:
        """Show a reaction of another side. A user who is away gets it with `resumed`."""
        seat = session.seat
        if seat is None or seat.chat.id != message.chat or session.state != CHATTING or not session.conn:
            return
        shown = message.side if seat.side == WATCHER else None
        self._core.send(session.conn, react(message.seq, message.face, shown))


def pay(seat: Seat, of: str, now: float, cost: int = 1) -> None:
    """Count a reaction, or a wish to meet again, of a side, as so many reactions. Raises Refusal `too_fast`."""
    paid = max(seat.reacted, now) + cost * INTERVAL
    if paid - now > REACT_BURST * INTERVAL:
        raise Refusal("too_fast", of, retry_after=1.0)
    seat.reacted = paid


def faces_of(seat: Seat) -> list[dict[str, Any]]:
    """Return the reactions of a chat as `resumed` lists them to the user at this seat."""
    found: list[dict[str, Any]] = []
    for (seq, side), face in seat.chat.attached.faces.items():
        one: dict[str, Any] = {"seq": seq, "face": face}
        if seat.side == WATCHER:
            one["from"] = side + 1
        elif side == seat.side:
            one["own"] = True
        found.append(one)
    return found
