"""Convert sessions, seats (a user's place in a chat), chats and searches to the fields of a session record, and back.

**Invariant:** pure; each slot of these classes is converted here or has a reason in NOT_CARRIED, which a test checks.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.conduct.camera_verdicts import entered
from engine.core.chat import Album, Chat, Seat, SentPicture, number_of_chat
from engine.core.session import ChallengeState, Query, Session
from engine.core.states import CHATTING, IDLE, PARTED, STATES, WAITING
from engine.matching.address_networks import networks_of
from engine.matching.lobby import MOST_AVOIDED
from engine.matching.search_criteria import NAMES, Terms, shared
from engine.matching.spy_queue import Wish
from engine.matching.tickets import Ticket
from engine.migrate.session_record import CHAT, QUERY, SEAT, STATE_NUMBERS, TERMS, TRIAL, WIRE, BadRecord, blob, check
from engine.wire.protocol import ANY_LANGUAGE, DEFAULT_LANGUAGE, SPY, STRANGER
from ext.net.chat_ring import Rings

NOT_CARRIED: Final = {
    "Session.conn": "a connection has another number in another process",
    "Session.networks": "they follow from the address",
    "Session.person": "follows from the identity, the alias and the id",
    "LimitsOwner.carrier": "as `Session.conn`",
    "LimitsOwner.counted": "the reactor's: what is left of the limits goes with the connection, or as `tokens` of who is away",
    "LimitsOwner.tokens": "as `LimitsOwner.counted`",
    "CameraState.begun": "a look that is suspected may come sooner, once",
    "CameraState.nonces": "what looks that are under way bring is not counted",
    "Seat.reacted": "a few reactions more",
    "Seat.paused": "a chat that migrates is not paused any more",
    "Ticket.place": "the hub's: it follows from the worker that hands the ticket in",
    "Ticket.home": "as `Ticket.place`",
    "Ticket.worker": "as `Ticket.place`",
    "Ticket.number": "as `Ticket.place`",
    "Ticket.ids": "as `Ticket.place`",
    "Wish.place": "as `Ticket.place`",
    "ChallengeState.asked": "one that is not made yet is asked for anew by the next search",
    "Query.ids": "numbers of words are a process's own: the words are carried",
    "Query.typed": "made from the words",
    "Ticket.client": "the session's id",
    "Ticket.pool": "follows from the terms",
    "Ticket.also": "follows from the terms",
    "Ticket.strict": "follows from the terms",
    "Ticket.halves": "the query's",
    "Ticket.calls": "the query's",
    "Ticket.interests": "made from the words",
    "Ticket.person": "the session's person",
    "Ticket._handle": "a place in a process's own index",
    "Ticket._room": "a process's own",
    "Ticket._slot": "a place in a process's own room",
    "Ticket._due": "follows from the step and the floor",
    "Wish.client": "the session's id",
    "Wish.asks": "follows from the terms",
    "Wish.language": "follows from the terms",
    "Wish.person": "the session's person",
}
_USUAL: Final = Terms(DEFAULT_LANGUAGE, STRANGER, False, False, False, False, None, False)
_MOST_KEPT: Final = 1_024  # of each of the two caches below: users choose the language
_OF_WORDS: Final = frozenset(
    ("ring", "looks", "found", "acted", "allowed", "sent", "keys", "faces")
)  # of a chat: what was said and seen
_written: dict[Terms, dict[str, Any]] = {}
_terms_read: dict[tuple[tuple[str, Any], ...], Terms] = {}


def write_keys(session: Session) -> dict[str, Any]:
    """Encode what a resume token may hold of a session."""
    record: dict[str, Any] = {"id": session.id}
    if session.key != session.id:
        record["key"] = session.key
    if session.used >= 0:
        record["used"] = session.used
    return record


def write_session(session: Session, now: float) -> dict[str, Any]:
    """Encode a session without search, seats and connection."""
    record = write_keys(session)
    record["address"] = session.address
    if session.identity:
        record["identity"] = session.identity
    if session.alias:
        record["alias"] = session.alias
    if session.state != IDLE:
        record["state"] = STATES[session.state]
    if session.told:
        record["told"] = session.told
    if session.fresh:
        record["fresh"] = 1
    if session.serial:
        record["serial"] = session.serial
    if session.way:
        record["way"] = session.way
    if session.port:
        record["port"] = session.port
    if session.snaps:
        record["snaps"] = 1
    if session.pictures:
        record["pictures"] = 1
    if session.moved_on:
        record["moved_on"] = session.moved_on
    if session.saves:
        record["saves"] = [(chat, answer.decode()) for chat, answer in session.saves]
    if session.trial is not None:
        record["trial"] = _write_trial(session.trial, now)
    if not session.conn:
        record["away"] = session.deadline - now
    return record


def _write_trial(trial: ChallengeState, now: float) -> dict[str, Any]:
    record: dict[str, Any] = {"level": trial.level}
    if trial.frame:
        record |= {"kind": trial.kind, "frame": trial.frame.decode()}
        record |= {"began": now - trial.began, "until": trial.until - now}
        if trial.checked:
            record["checked"] = 1
    if trial.waits:
        record |= {"kind": trial.kind, "waits": trial.waits - now}
    if trial.wrong:
        record |= {"wrong": trial.wrong, "first": now - trial.first_wrong, "barred": trial.barred - now}
    return record


def _read_trial(record: Mapping[str, Any], now: float) -> ChallengeState:
    get, trial = record.get, ChallengeState(record["level"])
    trial.kind = get("kind", "")
    if "frame" in record:
        trial.frame, trial.asked = record["frame"].encode(), True
        trial.began, trial.until = now - get("began", 0.0), now + get("until", 0.0)
        trial.checked = "checked" in record
    if "waits" in record:
        trial.waits = now + record["waits"]
    if "wrong" in record:
        trial.wrong = record["wrong"]
        trial.first_wrong, trial.barred = now - get("first", 0.0), now + get("barred", 0.0)
    return trial


def read_session(record: Mapping[str, Any], now: float) -> Session:
    """Decode a session; its fields were validated. Raises BadRecord."""
    get = record.get
    id = record["id"]
    state = STATE_NUMBERS[get("state", STATES[IDLE])]
    session = Session(id, 0, get("identity", 0), record["address"], state, get("alias", 0))
    session.fresh = "fresh" in record
    session.snaps = "snaps" in record
    session.pictures = "pictures" in record
    session.moved_on = get("moved_on", 0)
    session.key = get("key", id)
    session.used = get("used", -1)
    session.told = get("told", "")
    session.serial = get("serial", 0)
    session.way = get("way", 0)
    session.port = get("port", 0)
    session.saves = tuple([(chat, answer.encode()) for chat, answer in get("saves", ())])
    if "trial" in record:
        session.trial = _read_trial(record["trial"], now)
    away = get("away")
    if away is not None:
        if "wire" in record:
            raise BadRecord("away, and with a connection")
        session.deadline = now + away
    state = session.state
    if (state == WAITING) != ("query" in record) or (state in (CHATTING, PARTED)) != ("seat" in record):
        raise BadRecord("a session that cannot stand so")
    if state == PARTED and away is None:
        raise BadRecord("a session that is not away and was not told")
    return session


def write_seat(seat: Seat, now: float) -> dict[str, Any]:
    """Encode a seat, of the current or the last chat, without the chat."""
    record: dict[str, Any] = {
        "chat": seat.chat.id,
        "side": seat.side,
        "others": seat.others,
        "persons": seat.persons,
        "inside": seat.inside.decode(),
    }
    if seat.lasting:
        record["lasting"] = 1
    if seat.away:
        record["away"] = [(side, until - now) for side, until in seat.away.items()]
    if seat.held:
        record["held"] = [(side, until - now) for side, until in seat.held.items()]
    if seat.over is not None:
        record["over"] = seat.over
    if seat.ended:
        record["ended"] = now - seat.ended
    if seat.tips:
        record["tips"] = seat.tips
    if seat.reported is not None:
        record["reported"] = seat.reported
    return record


def read_seat(record: Mapping[str, Any], chat: Chat, now: float) -> Seat:
    """Decode a seat; its fields were validated."""
    get = record.get
    seat = Seat(
        chat,
        record["side"],
        tuple([(side, other) for side, other in record["others"]]),
        tuple(record["persons"]),
        "lasting" in record,
    )
    if "away" in record:
        seat.away = {side: now + seconds for side, seconds in record["away"]}
    if "held" in record:
        seat.held = {side: now + seconds for side, seconds in record["held"]}
    seat.inside = record["inside"].encode()
    if "over" in record:
        seat.over = record["over"][0], record["over"][1]
    if "ended" in record:
        seat.ended = now - record["ended"]
    seat.tips = get("tips", 0)
    seat.reported = get("reported")
    return seat


def write_chat(chat: Chat, now: float, blobs: list[bytes]) -> tuple[dict[str, Any], bool]:
    """Encode a chat with its lines. Return it and whether it has ended."""
    state, lines = chat.ring.dump()
    if lines:
        state["bytes"] = len(blobs)
        blobs.append(lines)
    record: dict[str, Any] = {"id": chat.id, "age": now - chat.began, "ring": state}
    if chat.language:
        record["language"] = chat.language
    if chat.video:
        record["video"] = 1
    if chat.relay:
        record["relay"] = 1
    if chat.question is not None:
        record["question"] = chat.question
    if chat.people:
        record["people"] = chat.people
    if chat.colleges:
        record["colleges"] = chat.colleges
    if chat.found:
        record["found"] = [(side, rule, number) for (side, rule), number in chat.found.items()]
    if chat.attached.faces:
        record["faces"] = [(seq, side, face) for (seq, side), face in chat.attached.faces.items()]
    album = chat.attached.album
    if album is not None:
        record["allowed"] = album.allowed
        record["sent"] = [tuple(one) for one in album.sent]
        record["keys"] = album.keys
    if chat.lifted:
        record["lifted"] = chat.lifted
    if chat.acted:
        record["acted"] = chat.acted
    if chat.looks is not None:
        record["looks"] = chat.looks.leave(now)
    return record, "ended" in state


def bare(record: Mapping[str, Any], chats: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `past` and `chats` of a user's last chat as in a record, but without anything said or seen in it; empty without such a chat."""
    past = record.get("past")
    chat = next((one for one in chats if one["id"] == past["chat"]), None) if past else None
    if past is None or chat is None:
        return {}
    without = {name: value for name, value in chat.items() if name not in _OF_WORDS}
    return {"past": {**past, "inside": ""}, "chats": [{**without, "ring": {"ended": 1}}]}


def write_last(session: Session, now: float) -> dict[str, Any]:
    """Encode what another process needs to continue a session if this one dies: `bare` of the current or last chat, and `saves`."""
    saves = [(chat, answer.decode()) for chat, answer in session.saves]
    seat = session.past if session.seat is None else session.seat
    if seat is None:
        return {"saves": saves}
    past = {"ended": 0.0, **write_seat(seat, now)}
    past.pop("away", None)
    past.pop("over", None)
    chat, _ = write_chat(seat.chat, now, [])
    return {"saves": saves, **bare({"past": past}, [chat])}


def read_chat(record: Mapping[str, Any], blobs: list[bytes], rings: Rings, now: float) -> Chat:
    """Decode a chat; its fields were validated. Raises ValueError if the ring does not fit its bytes."""
    ring = record["ring"]
    chat = Chat(
        record["id"],
        rings.fill(ring, blob(ring, blobs), number_of_chat(record["id"])),
        now - record["age"],
        "video" in record,
        "relay" in record,
        record.get("question"),
        tuple([(side, identity, address) for side, identity, address in record.get("people", ())]),
        tuple(record.get("colleges", ())),
    )
    chat.found = {(side, rule): number for side, rule, number in record.get("found", ())}
    chat.attached.faces = {(seq, side): face for seq, side, face in record.get("faces", ())}
    if "allowed" in record:
        sent = [SentPicture(*one) for one in record.get("sent", ())]
        album = Album(record["allowed"], sent, [*record.get("keys", (0, 0))])
        chat.attached.album = album
    chat.lifted = record.get("lifted", 0)
    chat.acted = record.get("acted", 0)
    chat.language = record.get("language", "")
    if "looks" in record:
        chat.looks = entered(record["looks"], now)
    return chat


def write_query(query: Query, words: list[str], ticket: Ticket | Wish | None, now: float) -> dict[str, Any]:
    """Encode a search with its ticket or wish; `words`: as typed. The ticket of a user who is away is set aside."""
    record: dict[str, Any] = {}
    terms = _written_terms(query.terms)
    if terms:
        record["terms"] = terms
    if query.question is not None:
        record["question"] = query.question
    if query.avoid:
        record["blocked"] = query.avoid
    if query.halves:
        record["halves"] = query.halves
    if query.calls:
        record["calls"] = query.calls
    if words:
        record["words"] = words
        record["networks"] = query.networks
    if ticket is None:
        return record
    record["age"] = now - ticket.since
    if isinstance(ticket, Wish):
        if ticket.avoid:
            record["barred"] = ticket.avoid
        return record
    if ticket.recent:
        record["recent"] = ticket.recent
    if ticket.blocked:
        record["barred"] = ticket.blocked
    level, step, fallen = ticket.progress()
    if level:
        record["level"] = level
    if step is not None:
        record["step"] = step - now
    if fallen:
        record["fallen"] = fallen
    return record


def read_query(record: Mapping[str, Any], session: Session, now: float) -> tuple[Query, Ticket | Wish | None]:
    """Decode a search and its ticket or wish; the caller interns its words (`engine.core.interest_quota`). Its fields were validated."""
    get = record.get
    terms = read_terms(get("terms", {}))
    query = Query(terms, get("question"), tuple(get("blocked", ())))
    query.halves, query.calls = tuple(get("halves", ())), get("calls", 0)
    if "words" in record:
        networks = get("networks")
        query.networks = networks_of(session.address) if networks is None else tuple(networks)
    age = get("age")
    if age is None:
        return query, None
    barred = tuple(get("barred", ()))
    if terms.role != STRANGER:
        return query, Wish(session.id, terms.role == SPY, terms.language, session.person, barred, now - age)
    ticket = Ticket(
        session.id,
        terms.pool,
        (),
        terms.strict,
        session.person,
        tuple(get("recent", ())),
        now - age,
        blocked=barred[-MOST_AVOIDED:],
        also=terms.also,
        halves=query.halves,
        calls=query.calls,
    )
    step = get("step")
    ticket.set_progress(get("level", 0), None if step is None else now + step, get("fallen", 0))
    return query, ticket


def read_terms(record: Mapping[str, Any]) -> Terms:
    """Decode the terms of a search; their fields were validated."""
    said = tuple(record.items())
    try:
        found = _terms_read.get(said)
    except TypeError:  # an unknown field that holds a list
        return _as_terms(record)
    if found is None:
        if len(_terms_read) >= _MOST_KEPT:
            _terms_read.clear()
        found = _terms_read[said] = _as_terms(record)
    return found


def _as_terms(record: Mapping[str, Any]) -> Terms:
    get = record.get
    return shared(
        (
            get("language", DEFAULT_LANGUAGE),
            get("role", STRANGER),
            "video" in record,
            "strict" in record,
            "relay" in record,
            "share" in record,
            get("college"),
            "same" in record,
            get("writes", ANY_LANGUAGE),
        )
    )


def _written_terms(terms: Terms) -> dict[str, Any]:
    """Return the fields that differ from the usual terms; one object for all equal terms."""
    found = _written.get(terms)
    if found is None:
        if len(_written) >= _MOST_KEPT:
            _written.clear()
        said = [(name, getattr(terms, name)) for name in NAMES]
        found = _written[terms] = {
            name: 1 if value is True else value for name, value in said if value != getattr(_USUAL, name)
        }
    return found


def check_person(record: Mapping[str, Any], blobs: list[bytes]) -> int:
    """Validate the parts of a person, whose own fields were validated. Return the number of unknown fields. Raises BadRecord."""
    skipped = 0
    query, wire = record.get("query"), record.get("wire")
    if query is not None:
        skipped += check(query, QUERY)
        if "terms" in query:
            skipped += check(query["terms"], TERMS)
    for name, table in (("seat", SEAT), ("past", SEAT), ("trial", TRIAL)):
        if name in record:
            skipped += check(record[name], table)
    if wire is not None:
        held = 0
        for name in WIRE:
            count = wire.get(name, 0)
            if type(count) is not int or count < 0:
                raise BadRecord("a wire that does not fit its bytes")
            held += count
        if held != len(blob(wire, blobs)):
            raise BadRecord("a wire that does not fit its bytes")
        if type(wire.get("address", "")) is not str:
            raise BadRecord("a wire without an address")
    return skipped


def check_chat(record: Any) -> int:
    """Validate a chat. Return the number of unknown fields. Raises BadRecord."""
    return check(record, CHAT)
