"""Convert a session that waits for a partner to a row of fixed places, for another process of this release: what moves it to its match costs the
least so. Everything else, and what an older or a newer release reads, has named fields (`record_fields`).

**Invariant:** a row says what the named fields of the same session say. A row that does not fit is refused before any change.
"""

from typing import Any, Final

from engine.core.session import Query, Session
from engine.core.states import WAITING
from engine.matching.lobby import MOST_AVOIDED
from engine.matching.search_criteria import NAMES, Terms, shared
from engine.matching.tickets import Ticket
from engine.migrate.session_record import BadRecord
from engine.wire.protocol import INTEREST_RAW_MAX, INTERESTS_MAX, LIFTED, STRANGER

LAYOUT: Final = 1  # of the places below; another number for each change of them
PLACES: Final = 22
FRESH: Final = 1  # bits of the ninth place
SNAPS: Final = 2
PICTURES: Final = 4
_MOST_KEPT: Final = 1_024  # terms: users choose the language
_written: dict[Terms, list[Any]] = {}


def has_row(session: Session) -> bool:
    """Whether a row can hold all of a session that has a ticket."""
    return session.state == WAITING and session.conn != 0 and session.trial is None and not session.saves


def write_row(session: Session, query: Query, words: list[str], ticket: Ticket, now: float) -> list[Any]:
    """Encode a session that `has_row`, without its keys, its last chat and its connection."""
    level, step, fallen = ticket.progress()
    bits = (FRESH if session.fresh else 0) | (SNAPS if session.snaps else 0) | (PICTURES if session.pictures else 0)
    return [
        LAYOUT,
        session.address,
        session.identity,
        session.alias,
        session.told,
        session.serial,
        session.way,
        session.port,
        bits,
        session.moved_on,
        _written_terms(query.terms),
        query.question,
        query.avoid,
        query.halves,
        query.calls,
        words,
        query.networks,
        now - ticket.since,
        ticket.recent,
        ticket.blocked,
        [level, fallen],
        None if step is None else step - now,
    ]


def read_row(id: int, key: int, used: int, row: list[Any], now: float) -> tuple[Session, Ticket]:
    """Decode a session and its ticket; the caller interns its words (`words_of`). Raises BadRecord, OverflowError, TypeError or ValueError."""
    if len(row) != PLACES or row[0] != LAYOUT:
        raise BadRecord("a row of another layout")
    session = Session(id, 0, _number(row[2]), _text(row[1]), WAITING, _number(row[3]))
    session.key, session.used = key, used
    session.told = _text(row[4])
    session.serial, session.way, session.port = _below(row[5], 1 << 32), _below(row[6], 1 << 8), _below(row[7], 65_536)
    bits = _below(row[8], 8)
    session.fresh, session.snaps, session.pictures = bits & FRESH != 0, bits & SNAPS != 0, bits & PICTURES != 0
    session.moved_on = _number(row[9])
    terms = shared(tuple(row[10]))
    if terms.role != STRANGER:
        raise BadRecord("a row of who waits for no stranger")
    query = session.query = Query(terms, None if row[11] is None else _text(row[11]), _numbers(row[12]))
    query.halves, query.calls = _numbers(row[13]), _number(row[14])
    words: list[str] = row[15]
    if len(words) > INTERESTS_MAX:
        raise BadRecord("too many interests")
    for word in words:
        if not 0 < len(_text(word)) <= INTEREST_RAW_MAX:
            raise BadRecord("no interest")
    query.networks = tuple([_text(network) for network in row[16]])
    ticket = Ticket(
        id,
        terms.pool,
        (),
        terms.strict,
        session.person,
        _numbers(row[18]),
        now - _seconds(row[17]),
        blocked=_numbers(row[19])[-MOST_AVOIDED:],
        also=terms.also,
        halves=query.halves,
        calls=query.calls,
    )
    level, fallen = row[20]
    if not (0 <= level <= LIFTED and 0 <= fallen < 1 << 8):
        raise BadRecord("no progress of a ticket")
    step = row[21]
    ticket.set_progress(level, None if step is None else now + _seconds(step), fallen)
    return session, ticket


def words_of(row: list[Any]) -> list[str]:
    """Return the interests in a row, as typed."""
    words: list[str] = row[15]
    return words


def _below(value: Any, limit: int) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise BadRecord("no such number")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise BadRecord("no number")
    return value


def _seconds(value: Any) -> float:
    if type(value) is not float or not -1e9 < value < 1e9:
        raise BadRecord("no seconds")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise BadRecord("no text")
    return value


def _numbers(values: Any) -> tuple[int, ...]:
    if type(values) is not list and type(values) is not tuple:  # it is a tuple in a row that came back
        raise BadRecord("no numbers")
    return tuple([_number(value) for value in values]) if values else ()


def _written_terms(terms: Terms) -> list[Any]:
    """Return the fields of terms; one object for all equal terms."""
    found = _written.get(terms)
    if found is None:
        if len(_written) >= _MOST_KEPT:
            _written.clear()
        found = _written[terms] = [getattr(terms, name) for name in NAMES]
    return found
