"""Define the session record, the versioned JSON format that carries sessions to another process, and validate received records.

Times are stored as ages or remaining seconds, and interests as words, because clocks and numbers differ between processes.
**Invariant:** a record is imported, or refused as a whole before any change; unknown fields are skipped and counted.
"""

# `record` is {"v", "people": [person], "chats": [chat]}; a field of bytes holds its index in `blobs`. A person has the fields of PERSON, a chat those
# of CHAT; default values are left out. Versions from OLDEST on are read; the newest version that both processes know is written.

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.conduct.age_answers import AGE_STATES
from engine.conduct.camera_verdicts import AGREEMENTS, HITS_KEPT
from engine.core.states import CHATTING, IDLE, PARTED, STATES, WAITING
from engine.matching.lobby import MOST_AVOIDED
from engine.wire.protocol import (
    FACES,
    INTEREST_RAW_MAX,
    INTERESTS_MAX,
    LIFTED,
    PAIRS_MAX,
    REACTIONS_MOST,
    ROLES,
    SAVES_MOST,
    SENT_MOST,
)

VERSION: Final = 1  # written by this release
OLDEST: Final = 1  # the oldest that it reads


class SessionRecord(NamedTuple):
    """Session record with its bytes: some sessions, those of a chat together."""

    record: dict[str, Any]
    blobs: list[bytes]


class BadRecord(ValueError):
    """Not a record, one of another version, or one that does not fit together or with the state here. Nothing was changed."""


def agreed(theirs: tuple[int, int]) -> int | None:
    """Return the version to write for a process that reads (oldest, newest): the newest that both read, or None."""
    newest = min(VERSION, theirs[1])
    return newest if newest >= max(OLDEST, theirs[0]) else None


def check_version(record: Mapping[str, Any]) -> None:
    """Raise BadRecord if this release does not read the record's version."""
    version = record.get("v")
    if type(version) is not int or not OLDEST <= version <= VERSION:
        raise BadRecord(f"a record of version {version!r}")


Check = Callable[[Any], bool]
Table = Mapping[str, Check]


def check(record: Any, table: Table) -> int:
    """Validate a record against a table. Return the number of unknown fields. Raises BadRecord."""
    if type(record) is not dict:
        raise BadRecord("a record is not a set of fields")
    skipped = 0
    for name, value in record.items():
        sound = table.get(name)
        if sound is None:
            skipped += 1
        elif not sound(value):
            raise BadRecord(f"{name} cannot be that")
    return skipped


def _key(value: Any) -> bool:
    return type(value) is int and 0 < value < 1 << 63


def _id(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 64


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _below(limit: int) -> Check:
    """Whether a value is a number from 0 that is less than this one."""
    return lambda value: type(value) is int and 0 <= value < limit


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and -1e9 < value < 1e9


def _flag(value: Any) -> bool:
    return value is True or (type(value) is int and value == 1)


def _text(value: Any) -> bool:
    return type(value) is str


def _kinds(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 16


def _side(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 2


def _one_of(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _at_most(most: int, sound: Check) -> Check:
    def some(value: Any) -> bool:
        if (type(value) is not list and type(value) is not tuple) or len(value) > most:
            return False
        for one in value:  # noqa: SIM110 - a generator costs more than the checks
            if not sound(one):
                return False
        return True

    return some


def _row(*sounds: Check) -> Check:
    def row(value: Any) -> bool:
        if (type(value) is not list and type(value) is not tuple) or len(value) != len(sounds):
            return False
        for at, sound in enumerate(sounds):  # noqa: SIM110 - as above
            if not sound(value[at]):
                return False
        return True

    return row


def _or_none(sound: Check) -> Check:
    return lambda value: value is None or sound(value)


def _fields(value: Any) -> bool:
    return type(value) is dict


def _rows(value: Any) -> bool:
    return type(value) is list


def _any(_: Any) -> bool:
    return True


def conduct_of(value: Any) -> bool:
    """Whether a value is an exported entry of `engine.conduct.friction_points`."""
    return type(value) is dict and _sound(value, CONDUCT)


CONDUCT: Final[Table] = {
    "reporters": _at_most(16, _row(_id, _seconds)),
    "chats": _at_most(16, _row(_seconds, _count, _count)),
    "linked": _seconds,
    "opener": _seconds,
    "passed": _row(_count, _seconds),
}


def looks_of(value: Any) -> bool:
    """Whether a value is an exported state of camera checks (`engine.conduct.camera_verdicts`)."""
    if type(value) is not dict or type(value.get("cameras")) is not list or len(value["cameras"]) != 2:
        return False
    cameras = all(type(camera) is dict and _sound(camera, CAMERA) for camera in value["cameras"])
    return cameras and _sound(value, LOOKS)


def _sound(value: dict[str, Any], table: Table) -> bool:
    return all(name not in table or table[name](part) for name, part in value.items())


CAMERA: Final[Table] = {
    "hits": _at_most(HITS_KEPT, _row(_seconds, _one_of("", *AGREEMENTS), _kinds)),  # the age of each
    "cleans": _count,
    "quick": _count,
    "told": _kinds,
    "unseen": _count,
    "unshown": _count,
    "veiled": _flag,
}
LOOKS: Final[Table] = {"due": _seconds, "ended": _flag}
# answer, the age that they wrote, seconds until it expires (`engine.conduct.age_answers`)
_age: Final = _row(_one_of(*AGE_STATES), _count, _seconds)
_daily: Final = _at_most(
    64, _row(_text, _count, _seconds)
)  # class, chat, age in seconds (`engine.conduct.daily_detections`)
_persons: Final = _at_most(256, _id)
_bars: Final = _at_most(256, _row(_id, _seconds))
MOST_ROWS: Final = 100_000  # rows of one piece of `rest`
reports_of: Final = _at_most(MOST_ROWS, _row(_id, _at_most(4_096, _row(_row(_id, _id), _seconds))))

PERSON: Final[Table] = {
    "id": _key,
    "key": _key,  # default: the id
    "used": _key,
    "identity": _id,
    "alias": _id,
    "row": _rows,  # instead of the fields of a session that waits and of its search: `waiting_row`; to a process of the same release alone
    "address": _text,
    "state": _one_of(STATES[WAITING], STATES[CHATTING], STATES[PARTED]),  # default: idle
    "told": _text,
    "fresh": _flag,
    "serial": _below(1 << 32),
    "away": _seconds,  # until the session ends; with neither this nor `wire` the connection dropped on the way
    "query": _fields,
    "seat": _fields,
    "past": _fields,
    "met": _bars,  # person, seconds left
    "made": _bars,
    "got": _bars,
    "finds": _seconds,  # that they are paid ahead
    "trial": _fields,  # the challenge before the next search
    "way": _below(1 << 8),  # kind of the connection
    "port": _below(65_536),  # of the address
    "conduct": conduct_of,  # facts counted for challenges
    "age": _age,
    "paused": _seconds,  # seconds left
    "daily": _daily,
    "moved_on": _key,  # own session of a user who moved on and may come back
    "snaps": _flag,  # the client answers `snap`
    "pictures": _flag,  # the client shows pictures of its partner
    "saves": _at_most(SAVES_MOST, _row(_text, _text)),  # chat, and the answer that was not delivered, if any
    "resume": _row(_text, _count, _or_none(_text)),  # the `resume` with which it waits for an older session
    "wire": _fields,  # as the reactor wrote it, with `address` if it differs from the session's, and `bytes`
    "tokens": _at_most(16, _seconds),  # what is left of the limits of a session that is away
    "client": _any,  # of a client of another protocol
    "doubted": _seconds,  # for which another host may have a copy that its client resumed
}
WIRE: Final = ("input", "part", "out")  # the counts of its bytes, which follow one another
QUERY: Final[Table] = {
    "terms": _fields,
    "question": _text,
    "blocked": _persons,  # persons whom the user blocked
    "halves": _at_most(PAIRS_MAX, _id),  # of kept pairs
    "calls": _id,
    "words": _at_most(INTERESTS_MAX, lambda word: type(word) is str and 0 < len(word) <= INTEREST_RAW_MAX),
    "networks": _at_most(4, _text),  # that the words are counted for, if not those of the address
    "age": _seconds,  # of the ticket; absent without a ticket
    "recent": _at_most(MOST_AVOIDED, _id),
    "barred": _persons,
    "level": lambda value: type(value) is int and 0 <= value <= LIFTED,
    "step": _seconds,  # until the next step
    "fallen": lambda value: type(value) is int and 0 <= value < 1 << 16,  # steps of the floor; 16 bits of a record
}
TRIAL: Final[Table] = {
    "level": lambda value: type(value) is int and 1 <= value <= 3,
    "kind": _text,
    "frame": _text,
    "checked": _flag,  # a solution is being checked; its verdict will not arrive here
    "began": _seconds,  # age
    "until": _seconds,  # seconds left, as in the following
    "waits": _seconds,
    "barred": _seconds,
    "wrong": _count,
    "first": _seconds,  # age
}
TERMS: Final[Table] = {
    "language": _text,
    "role": _one_of(*ROLES),
    "video": _flag,
    "strict": _flag,
    "relay": _flag,
    "share": _flag,
    "college": _text,
    "same": _flag,
    "writes": _text,
}
SEAT: Final[Table] = {
    "chat": _text,
    "side": _side,
    "others": _at_most(2, _row(_side, _key)),
    "persons": _at_most(2, _id),
    "lasting": _flag,
    "away": _at_most(2, _row(_side, _seconds)),  # until that side's session ends
    "held": _at_most(2, _row(_side, _seconds)),  # until that side must have answered the age question
    "inside": _text,
    "over": _row(_text, _side),
    "ended": _seconds,  # age
    "tips": _kinds,
    "reported": _text,
}
CHAT: Final[Table] = {
    "id": _text,
    "language": _text,
    "age": _seconds,
    "video": _flag,
    "relay": _flag,
    "question": _text,
    "people": _at_most(3, _row(_side, _id, _text)),
    "colleges": _at_most(3, _or_none(_text)),
    "looks": looks_of,  # camera checks
    "acted": _kinds,
    "allowed": _kinds,
    "sent": _at_most(2 * SENT_MOST, _row(_side, _count, _count, _text, _text)),  # side, line, Unix time, key, veil
    "keys": _row(_count, _count),  # keys for pictures that each side was given
    "lifted": _kinds,
    "faces": _at_most(REACTIONS_MOST, _row(_count, _side, _one_of(*FACES))),  # line, side, reaction
    "found": _at_most(128, _row(_side, _text, _count)),  # side, rule, line
    "ring": _fields,  # as the ring wrote it, with `bytes`
}
PACE: Final[Table] = {
    "v": _count,
    "rooms": _at_most(MOST_ROWS, _row(_row(_text, _text, _text, _text), _at_most(12, _count))),
    "questions": _at_most(MOST_ROWS, _row(_text, _text, _seconds, _count)),
    "waits": _row(_seconds, _seconds),
    "salt": _text,
}
_known: Final = _at_most(MOST_ROWS, _row(_id, _bars))
REST: Final[Table] = {
    "v": _count,
    "met": _known,
    "made": _known,
    "got": _known,
    "finds": _at_most(MOST_ROWS, _row(_id, _seconds)),
    "conduct": _at_most(MOST_ROWS, _row(_id, conduct_of)),
    "seen": _at_most(MOST_ROWS, _row(_id, _seconds, _seconds)),  # a cookie: ages of the first and last visit
    "ages": _at_most(MOST_ROWS, _row(_id, _age)),
    "paused": _at_most(MOST_ROWS, _row(_id, _seconds)),
    "daily": _at_most(MOST_ROWS, _row(_id, _daily)),
}
STATE_NUMBERS: Final = {STATES[state]: state for state in (IDLE, WAITING, CHATTING, PARTED)}


def blob(fields: Mapping[str, Any], blobs: list[bytes]) -> bytes:
    """Return the bytes of a wire or a ring. Raises BadRecord."""
    place = fields.get("bytes")
    if place is None:
        return b""
    if type(place) is not int or not 0 <= place < len(blobs):
        raise BadRecord("bytes that did not come along")
    return blobs[place]
