"""Validate waiting-room messages of another host before a hub or worker uses them; messages of this host's own processes are trusted.

**Invariant:** a message that passes makes the receiver raise no exception and keeps every table within its bound. An unknown kind passes, because
receivers skip and count it.
"""

from collections.abc import Callable
from typing import Any, Final

from engine.matching.lobby import MOST_AVOIDED, REASONS
from engine.rooms import hub_messages as rows
from engine.wire.protocol import ACCEPTS, INTERESTS_MAX, PAIRS_MAX, QUESTION_MAX

MOST: Final = 1 << 64  # of a client, a person, a match
AGE_MAX: Final = 1e9  # seconds
BARRED_MAX: Final = 256  # persons; the hub uses the last of them
POOLS_MAX: Final = 16
WORD_MAX: Final = 256  # characters
LEVELS: Final = 3  # the highest
FALLS: Final = 64


def sound(row: Any) -> bool:
    """Whether a row of a worker to the hub is valid."""
    return _is(row, TO_HUB)


def sound_answer(row: Any) -> bool:
    """Whether a row of the hub to a worker is valid."""
    return _is(row, TO_WORKER)


def _is(row: Any, kinds: dict[str, Callable[[list[Any]], bool]]) -> bool:
    if type(row) is not list or not row or type(row[0]) is not str:
        return False
    check = kinds.get(row[0])
    return check is None or check(row)


def _ticket(row: list[Any]) -> bool:
    if len(row) != 15:
        return False
    _, client, number, pool, words, strict, person, recent, barred, also, age, level, step, fallen, status = row
    return (
        _id(client) and _id(number) and _pool(pool) and _words(words) and type(strict) is bool and _id(person)
        and _ids(recent, MOST_AVOIDED) and _ids(barred, BARRED_MAX)
        and type(also) is list and len(also) <= POOLS_MAX and all(_pool(one) for one in also)
        and _seconds(age) and _small(level, LEVELS) and (step is None or _seconds(step)) and _small(fallen, FALLS)
        and _small(status, rows.AWAY)
    )  # fmt: skip


def _wish(row: list[Any]) -> bool:
    if len(row) != 9:
        return False
    _, client, number, asks, language, person, avoid, age, status = row
    return (
        _id(client) and _id(number) and type(asks) is bool and _text(language, WORD_MAX) and _id(person)
        and _ids(avoid, BARRED_MAX) and _seconds(age) and _small(status, rows.AWAY)
    )  # fmt: skip


def _cancel(row: list[Any]) -> bool:
    return len(row) == 3 and _id(row[1]) and type(row[2]) is str and row[2] in REASONS


def _one(row: list[Any]) -> bool:
    return len(row) == 2 and _id(row[1])


def _alone(row: list[Any]) -> bool:
    return len(row) == 1


def _done(row: list[Any]) -> bool:
    return 2 <= len(row) <= 5 and _id(row[1]) and all(_ids(one, 2) and len(one) == 2 for one in row[2:])


def _bar(row: list[Any]) -> bool:
    if len(row) != 4 or not (_id(row[1]) and _id(row[2])):
        return False
    networks = row[3]
    return type(networks) is list and len(networks) <= 4 and all(_text(one, WORD_MAX) for one in networks)


def _pairs(row: list[Any]) -> bool:
    return len(row) == 5 and _id(row[1]) and _id(row[2]) and _ids(row[3], PAIRS_MAX) and _id(row[4])


def _here(row: list[Any]) -> bool:
    return len(row) == 4 and _id(row[1]) and _id(row[2]) and _ids(row[3], PAIRS_MAX)


def _called(row: list[Any]) -> bool:
    return len(row) == 5 and _id(row[1]) and _id(row[2]) and _text(row[3], WORD_MAX) and type(row[4]) is bool


def _places(row: list[Any]) -> bool:
    return len(row) == 3 and _id(row[1]) and _ids(row[2], PAIRS_MAX)


def _want(row: list[Any]) -> bool:
    return len(row) == 4 and _id(row[1]) and _chat(row[2]) and _small(row[3], 1)


def _asked(row: list[Any]) -> bool:
    return len(row) == 3 and _text(row[1], QUESTION_MAX) and _text(row[2], WORD_MAX)


def _step(row: list[Any]) -> bool:
    if len(row) != 9:
        return False
    _, client, number, level, step, fallen, accepts, widens, others = row
    return (
        _id(client) and _id(number) and _small(level, LEVELS) and (step is None or _seconds(step)) and _small(fallen, FALLS)
        and type(accepts) is str and accepts in ACCEPTS and (widens is None or _seconds(widens)) and type(others) is bool
    )  # fmt: skip


def _meet(row: list[Any]) -> bool:
    if len(row) != 9:
        return False
    _, id, who, waited, words, weight, rule, spies, question = row
    if type(who) is not list or not all(_ids(one, 3) and len(one) == 3 for one in who):
        return False
    if (
        type(spies) is not bool
        or len(who) != 2 + spies
        or type(rule) is not str
        or (rule and (spies or rule not in ACCEPTS))
    ):
        return False
    return (
        _id(id) and type(waited) is list and len(waited) == 2 and all(_seconds(one) for one in waited)
        and _words(words) and _seconds(weight) and (question is None or _text(question, QUESTION_MAX))
    )  # fmt: skip


def _go(row: list[Any]) -> bool:
    if len(row) != 4 or not (_id(row[1]) and _id(row[2])):
        return False
    meeting = row[3]
    return (
        type(meeting) is list and bool(meeting) and meeting[0] == rows.MEET and _meet(meeting)
        and row[1] in [one[0] for one in meeting[2]]
    )  # fmt: skip


def _full(row: list[Any]) -> bool:
    return len(row) == 3 and _id(row[1]) and _id(row[2])


TO_HUB: Final[dict[str, Callable[[list[Any]], bool]]] = {
    rows.TICKET: _ticket, rows.WISH: _wish, rows.CANCEL: _cancel, rows.LEAVE: _one, rows.ASIDE: _one, rows.BACK: _one,
    rows.DONE: _done, rows.FAILED: _one, rows.BAR: _bar, rows.ASKED: _asked, rows.MORE: _alone, rows.PAIRS: _pairs, rows.HERE: _here,
    rows.WANT: _want,
}  # fmt: skip
TO_WORKER: Final[dict[str, Callable[[list[Any]], bool]]] = {
    rows.STEP: _step, rows.MEET: _meet, rows.GO: _go, rows.FULL: _full, rows.ASK: _one, rows.AGAIN: _alone, rows.ON: _alone,
    rows.CALLED: _called, rows.HERE: _places, rows.WANTED: _want,
}  # fmt: skip


def _id(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST


def _chat(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST >> 1


def _ids(values: Any, most: int) -> bool:
    return type(values) is list and len(values) <= most and all(_id(one) for one in values)


def _small(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _seconds(value: Any) -> bool:
    return type(value) in (float, int) and -AGE_MAX <= value <= AGE_MAX


def _text(value: Any, most: int) -> bool:
    return type(value) is str and len(value) <= most


def _words(values: Any) -> bool:
    return type(values) is list and len(values) <= INTERESTS_MAX and all(_text(one, WORD_MAX) for one in values)


def _pool(fields: Any) -> bool:
    return type(fields) is list and len(fields) == 4 and all(_text(one, 2 * WORD_MAX) for one in fields)
