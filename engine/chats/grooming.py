"""Act on a request of a kind that is made to children, if the user who receives it states an age below 18 before or after it.

    request          statement of the receiver             time of the action
    high confidence  high confidence                      at once
    any              any, and the answer "under 18"       at once, up to a minute after the chat
    low confidence   high, without "18 or over"           when the chat ends

The chat ends, and the server pauses the writer of the request and opens an urgent case (`server.ops.config.moderation_policy`).
**Invariant:** one action per chat and side, decided by `Chat.found` alone, which migrates with the chat.
"""

from collections.abc import Mapping

from engine.chats.chat_lifecycle import Chats
from engine.chats.safety_tips import LineTips
from engine.conduct.detection_classes import HIGH, RULES
from engine.conduct.detection_consequences import AGE_ADULT, AGE_CLAIM, AGE_MINOR, GROOM, Act
from engine.core.chat import Chat
from engine.core.engine_state import EngineState
from engine.wire.protocol import MODERATION


class Grooming:
    """Requests and statements of age of the chats of the engine."""

    __slots__ = ("_chats", "_core", "_tips")

    def __init__(self, core: EngineState, chats: Chats, tips: LineTips) -> None:
        self._core = core
        self._chats = chats
        self._tips = tips

    def found(self, chat: Chat, now: float) -> None:
        """Handle a request, a statement of age, or an answer to the age question, which `chat.found` has."""
        self._act(chat, False, now)

    def sweep(self, now: float) -> None:
        """Handle the chats that ended since the last sweep."""
        for chat in self._core.lately.ended():
            if chat.found:
                self._act(chat, True, now)

    def _act(self, chat: Chat, over: bool, now: float) -> None:
        for side in (0, 1):
            number = None if chat.acted >> side & 1 else request_of(chat.found, side, over)
            there = None if number is None else self._tips.who(chat.id, side)
            if number is None or there is None:
                continue
            chat.acted |= 1 << side
            writer, seat = there
            if self._core.keeps:  # else no moderator could look at it
                self._core.out.keep((writer, seat, Act(GROOM, side, number)))
            if writer.seat is seat:
                self._chats.close(writer, MODERATION, now)


def request_of(found: Mapping[tuple[int, str], int], side: int, over: bool) -> int | None:
    """Return the line of a side's request that is to be acted on, or None. `over`: the chat has ended."""
    requests = [(rule, line) for (writer, rule), line in found.items() if writer == side and _is_request(rule)]
    if not requests:
        return None
    other = 1 - side
    if (other, AGE_MINOR) not in found:
        if (other, AGE_CLAIM) not in found:
            return None
        if not over or (other, AGE_ADULT) in found:
            requests = [(rule, line) for rule, line in requests if RULES[rule].confidence == HIGH]
    return min([line for _, line in requests], default=None)


def _is_request(rule: str) -> bool:
    kind = RULES.get(rule)
    return kind is not None and kind.name == GROOM
