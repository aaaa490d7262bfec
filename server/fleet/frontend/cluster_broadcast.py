"""Broadcast events about a user or the database (an age that was stated, a pause of video, a detection, a changed ban) from one frontend to the
frontends of all other hosts.

**Invariant:** a received event is checked, and never sent on. Events are not stored or repeated: a host that missed some asks for the state
(`cluster_catch_up`), and every host polls the database anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from engine.views import AGE_STATES, CHAT_BITS
from server.fleet.ipc.ipc_link import Message
from server.ops.metrics.cluster_metrics import TOLD
from server.ops.metrics.metric_type import Reading

SUBJECT: Final = "told"
ROWS: Final = 200  # rows of one message
WAITING_MAX: Final = 2_000  # waiting rows; more are dropped
EVERY: Final = 0.005  # seconds between two messages
PERSONS: Final = 1 << 63  # identities and sessions are smaller
OLDEST: Final = 1_000  # years
PAUSE_MAX: Final = 86_400.0  # seconds
AGE_MAX: Final = 86_400.0  # seconds that an age state holds
DETECTED_MAX: Final = 86_400.0  # seconds for which a detection counts
CLASS_MAX: Final = 32  # characters of the name of a class

# A row: its kind, and
AGE: Final = "age"  # identity, state (`engine.conduct.age_answers`), age that the user wrote
WEIGHED: Final = "weighed"  # identity (0: none) and session of the subject, reporter's identity: a report that counts
MINOR: Final = "minor"  # identity: refused as a minor by a moderator's decision
PAUSED: Final = "paused"  # identity, seconds: its video is off
DETECTED: Final = "detected"  # identity, class, chat, age in seconds (`engine.conduct.daily_detections`)
CHANGED: Final = "changed"  # bans or notices in the store have changed

Row = list[Any]


class ClusterBroadcast:
    """Broadcasts of one hub. `say`: sends to all hosts by subject; `frontend`: gets the rows of other hosts; `unreadable`: for a wrong message.
    Make it in the loop.

        frontend ── ALL ──► its hub ── `told`: ROWS at most, each 5 ms ──► all other hubs ── ALL ──► their frontends ──► their workers
    """

    def __init__(
        self, node: str, say: Callable[[str, bytes], None], frontend: Callable[..., object], unreadable: Callable[[], None],
    ) -> None:  # fmt: skip
        self._node = node
        self._say = say
        self._frontend = frontend
        self._unreadable = unreadable
        self._waiting: deque[Row] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._said = float("-inf")
        self.tally: Counter[str] = Counter()
        self.handlers: Mapping[str, Callable[[bytes], None]] = {SUBJECT: self._heard}

    def reading(self) -> Reading:
        """Return the metrics."""
        return {"serendip_broadcasts": {(result,): self.tally[result] for result in TOLD}}

    def tell(self, _: str, message: Message) -> None:
        """Take rows of this host's frontend for all hosts."""
        for row in message.records:
            if len(self._waiting) < WAITING_MAX:
                self._waiting.append(row)
            else:
                self.tally["lost"] += 1
        if self._waiting and self._timer is None:
            wait = max(0.0, self._said + EVERY - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tell)

    def _tell(self) -> None:
        self._said, self._timer = time.monotonic(), None
        rows = [self._waiting.popleft() for _ in range(min(ROWS, len(self._waiting)))]
        self.tally["said"] += len(rows)
        self._say(SUBJECT, orjson.dumps({"node": self._node, "rows": rows}))
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._tell)

    def _heard(self, body: bytes) -> None:
        try:
            said = orjson.loads(body)
        except ValueError:
            said = None
        match said:
            case {"node": str(node), "rows": list(rows)} if len(rows) <= ROWS and all(map(_is_sound, rows)):
                known = [row for row in rows if row[0] in CHECKS]
                if node != self._node and known:
                    self.tally["heard"] += len(known)
                    self._frontend(*known)
            case _:
                self._unreadable()


def is_person(value: object) -> bool:
    """Whether a value may be an identity or a session."""
    return type(value) is int and 0 <= value < PERSONS


def is_age(identity: object, stands: object, age: object) -> bool:
    """Whether the fields are those of an AGE row."""
    return is_person(identity) and stands in AGE_STATES and type(age) is int and 0 <= age < OLDEST


def _is_weighed(identity: object, session: object, reporter: object) -> bool:
    return is_person(identity) and is_person(session) and is_person(reporter)


def is_paused(identity: object, seconds: object) -> bool:
    """Whether the fields are those of a PAUSED row."""
    return is_person(identity) and isinstance(seconds, float | int) and 0 < seconds <= PAUSE_MAX


def is_detected(identity: object, name: object, chat: object, age: object) -> bool:
    """Whether the fields are those of a DETECTED row; a class of a later release is well formed, and skipped."""
    named = isinstance(name, str) and 0 < len(name) <= CLASS_MAX
    aged = isinstance(age, float | int) and 0 <= age <= DETECTED_MAX
    return is_person(identity) and named and type(chat) is int and 0 <= chat < 1 << CHAT_BITS and aged


CHECKS: Final[Mapping[str, Callable[..., bool]]] = {
    AGE: is_age,
    WEIGHED: _is_weighed,
    MINOR: is_person,
    PAUSED: is_paused,
    DETECTED: is_detected,
    CHANGED: lambda: True,
}


def _is_sound(row: object) -> bool:
    """Whether a row is well formed. One of an unknown kind is, and is skipped."""
    match row:
        case [str(kind), *fields]:
            check = CHECKS.get(kind)
            try:
                return check is None or check(*fields)
            except TypeError:  # a wrong number of fields, or a kind that is no string
                return False
    return False
