"""Nothing of a session is forgotten on the way, and records of each version that is read are read."""

import re
from base64 import b64decode
from typing import Any

import orjson
import pytest

from engine.conduct.camera_verdicts import Camera, CameraState, CheckResult
from engine.core.chat import Album, Attached, Chat, Seat, SentPicture
from engine.core.session import ChallengeState, Query, Session
from engine.core.states import CHATTING, PARTED, WAITING
from engine.engine import SessionRecord
from engine.matching.search_criteria import NAMES, Terms
from engine.matching.spy_queue import Wish
from engine.matching.tickets import Pool, Ticket
from engine.migrate.record_fields import NOT_CARRIED
from engine.migrate.session_record import OLDEST, VERSION
from engine.wire.protocol_copy_generator import ROOT
from engine.wire.rule_constants import Settings
from ext.net.chat_ring import Ring, Rings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire

RECORDS = ROOT / "tests" / "engine" / "records"
TERMS = Terms("en", "stranger", False, False, False, False, None, False)
FRESH: dict[type, Any] = {
    Session: Session(1, 0, 0, ""),
    ChallengeState: ChallengeState(1),
    Query: Query(TERMS, None),
    Seat: Seat(None, 0, (), ()),  # type: ignore[arg-type]
    Chat: Chat("", Rings(0).new(), 0.0, False, False, None),
    Attached: Attached(),
    CameraState: CameraState(),
    Camera: Camera(),
    CheckResult: CheckResult(),
    Ticket: Ticket(0, Pool()),
    Wish: Wish(0, False, "", 0, (), 0.0),
}
QUESTION = "Is a hot dog a sandwich?"


def all_slots(kind: type) -> list[str]:
    """The names of what a class holds."""
    return [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]


def slots(kind: type) -> list[str]:
    """The names of what a class holds, and is carried."""
    return [name for name in all_slots(kind) if f"{kind.__name__}.{name}" not in NOT_CARRIED]


class Plain:
    """Objects of the engine as plain values of what is carried; `differ`: which of it was not as in a fresh object."""

    def __init__(self) -> None:
        self.differ: set[str] = set()

    def of(self, value: Any) -> Any:
        if isinstance(value, Ring):
            return value.dump()
        if isinstance(value, Terms):
            return tuple([getattr(value, name) for name in NAMES])
        kind = type(value)
        if kind in (tuple, list):
            return [self.of(part) for part in value]
        if kind not in FRESH:
            return value
        found = {}
        for name in slots(kind):
            held = getattr(value, name)
            if held != getattr(FRESH[kind], name):
                self.differ.add(f"{kind.__name__}.{name}")
            found[name] = self.of(held)
        return found


def shown(wire: Wire, chat: Chat) -> None:
    """What the two showed each other."""
    wire.session.pictures = True
    chat.attached.album = Album(3, [SentPicture(1, 2, 77, "k" * 22, "nudity")], [1, 4])
    chat.attached.faces = {(1, 0): "heart", (2, 1): "sad"}


def full(world: MovingWorld) -> list[Wire]:
    """People of whom every value is unusual in one of them."""
    a, b = world.open(7, "192.0.2.1"), world.open(address="2001:db8::1")
    world.send(a, type="find", mode="video", college="any", proof="x", interests=["Chess"])
    world.send(b, type="find", mode="video", relay=True, college="any", proof="x", interests=["chess"])
    for wire in (a, b):
        world.say(wire, "before")
    assert a.session.seat is not None
    world.engine.found(int(a.session.seat.chat.id, 16), 0, 1, "link", world.now)
    a.session.seat.chat.acted, a.session.seat.chat.lifted = 2, 5
    shown(a, a.session.seat.chat)
    a.session.seat.held = {0: world.now + 60.0}
    looked_at(a.session.seat.chat, world.now)
    world.raw(a, b'{"type":"message"}')
    world.send(b, type="report", reason="spam")
    world.now += 3
    spy, one, two, waits, wish = [world.open() for _ in range(5)]
    world.send(spy, type="find", role="spy", question=QUESTION)
    for wire in (one, two):
        world.send(wire, type="find", role="discuss")
    world.lose(one)
    world.say(two, "meanwhile")
    world.send(two, type="leave")
    words = {"interests": ["Tea", "go"], "strict": True, "mode": "video", "share": True, "avoid": ["9"]}
    world.send(waits, type="find", **words, language="de", college="same", proof="x", question=QUESTION)
    world.send(wish, type="find", role="spy", question=QUESTION, avoid=["9"], language="*", writes="nb")
    world.now += 4
    world.engine.tick(world.now)
    world.settle()
    world.lose(waits)
    again = world.resume(waits)
    again.session.address = "198.51.100.7"  # came back from there
    world.lose(b)
    silent, away = world.open(), world.open()
    world.send(away, type="find", interests=["chess", "chess"], strict=True)
    world.lose(away)
    caller = world.open()
    world.send(caller, type="find", pairs=["6"], call=0)
    people = [a, b, spy, one, two, again, wish, silent, away, caller]
    for number, wire in enumerate(people):
        if wire.session.conn:
            world.engine._core.disconnected(wire.session)
        wire.session.told, wire.session.alias, wire.session.way = f"notice {number}", 90 + number, 1
        if wire.session.conn:
            world.engine._core.connected(wire.session)  # as who it is now
        wire.session.snaps, wire.session.port = True, 40_000 + number
    asked, waiting = ChallengeState(3), ChallengeState(2)
    asked.kind, asked.frame, asked.asked = "altcha", b'{"type":"challenge"}', True
    asked.began, asked.until = world.now - 5, world.now + 595
    asked.checked = True
    asked.wrong, asked.first_wrong, asked.barred = 2, world.now - 9, world.now + 51
    waiting.kind, waiting.waits = "wait", world.now + 8
    b.session.moved_on = a.session.id
    silent.session.trial, away.session.trial = asked, waiting
    silent.session.saves = (("c" * 16, b""), ("d" * 16, b'{"type":"saved"}'))
    ticket = world.lobby._tickets[again.session.id]
    ticket.recent, ticket._fallen = (88, 89), 2
    return people


def looked_at(chat: Chat, now: float) -> None:
    """Of whose cameras everything is known."""
    looks = chat.looks = CameraState()
    looks.due, looks.ended = now + 30, True
    for camera in looks.cameras:
        camera.hits = [CheckResult(now - 8, "hit", "differs", True), CheckResult(now - 2, "hit")]
        camera.cleans, camera.quick, camera.told, camera.unseen, camera.unshown, camera.veiled = 2, 1, 3, 1, 2, True


def held(world: MovingWorld, wires: list[Wire]) -> tuple[list[Any], set[str]]:
    """All that the engine holds of them."""
    plain, spies, pairs = Plain(), world.engine.room.spy_queue, world.engine.room.pairs
    found: list[Any] = []
    for wire in wires:
        id = wire.session.id
        found.append(plain.of(world.engine.sessions[id]))
        found += [
            plain.of(waits.get(id))
            for waits in (world.lobby._tickets, world.lobby._aside, spies._spies, pairs._callers)
        ]
    return found, plain.differ


@pytest.mark.parametrize("near", [False, True])
def test_every_value_of_a_session_is_carried_or_has_its_reason(near: bool) -> None:
    world = MovingWorld(
        Settings(turn=True),
        keeps=True,
        open_proof=lambda *_: "mit.edu",
        open_avoid=lambda _: (77,),
        open_pairs=lambda *_: (6,),
    )
    wires = full(world)
    before, differ = held(world, wires)
    assert {wire.session.state for wire in wires} >= {WAITING, CHATTING, PARTED}
    world.kept.clear()
    world.near = near
    world.move(10)
    assert held(world, wires)[0] == before
    wanted = {f"{kind.__name__}.{name}" for kind in FRESH for name in slots(kind)}
    assert wanted - differ == set(), "these were never seen with a value of their own: does the record have them?"
    terms = [person["query"]["terms"] for person in before if person and person.get("query")]
    usual = [getattr(TERMS, name) for name in NAMES]
    assert all(len({usual[place], *(one[place] for one in terms)}) > 1 for place in (0, 1, 2, 3, 5, 6, 7, 8))


def test_each_reason_is_of_something_that_is_there() -> None:
    carried = (ROOT / "ext/net/rate_limit_carry_over.pxd").read_text().partition("cdef class LimitsOwner:")[2]
    names = {f"LimitsOwner.{name}" for name in re.findall(r"^    cdef [\w\[\]]+ (\w+)", carried, re.M)}
    names |= {f"{kind.__name__}.{name}" for kind in FRESH for name in all_slots(kind)}
    assert names >= set(NOT_CARRIED)
    assert {name for name in names if name.startswith("LimitsOwner.")} <= set(NOT_CARRIED)


@pytest.mark.parametrize("version", range(OLDEST, VERSION + 1))
def test_records_of_each_version_are_read(version: int) -> None:
    """Files in `records/` are what that version wrote; they are never changed."""
    stored = orjson.loads((RECORDS / f"version_{version}.json").read_bytes())
    session_record = SessionRecord(stored["record"], [b64decode(data) for data in stored["blobs"]])
    world = MovingWorld(keeps=True)
    wires: list[int] = []
    sessions = world.engine.moves.take(session_record, lambda place, *_: wires.append(place) or 0, world.now)
    assert world.engine.moves.skipped == 0
    states = [session.state for session in sessions]
    assert [states.count(state) for state in (WAITING, CHATTING, PARTED)] == [3, 2, 1]
    chat = next(session.seat.chat for session in sessions if session.seat and session.state == CHATTING)
    assert (chat.video, [line[3] for line in chat.ring.lines()]) == (True, [b"before", b"before"])
    assert chat.ring.refused(1) == [2]
    assert wires == [0, 2, 4, 5, 6, 7]
