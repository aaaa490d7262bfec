"""The transition table: every move of it happens in the engine, and nothing else is allowed."""

import ast
import random
import re
from collections import Counter
from typing import Any

import pytest

from engine.core import states
from engine.core.session import Session
from engine.core.states import (
    CHATTING,
    END,
    FIND,
    GONE,
    IDLE,
    MATCH,
    NOWHERE,
    OVER_AWAY,
    PARTED,
    STATES,
    TABLE,
    WAITING,
)
from engine.wire.engine_errors import IllegalMove
from engine.wire.protocol import DROPPED, LEFT
from engine.wire.protocol_copy_generator import ROOT
from tests.engine.world import Wire, World


def idle(world: World) -> Wire:
    return world.open()


def waiting(world: World) -> Wire:
    wire = world.open()
    world.send(wire, type="find", interests=["chess"], strict=True)
    return wire


def chatting(world: World) -> Wire:
    return world.pair()[0]


def parted(world: World) -> Wire:
    a, b = world.pair()
    world.lose(a)
    world.send(b, type="leave")
    return a


BEGIN = {IDLE: idle, WAITING: waiting, CHATTING: chatting, PARTED: parted}


def find(world: World, wire: Wire) -> None:
    world.send(wire, type="find")


def leave(world: World, wire: Wire) -> None:
    world.send(wire, type="leave")


def match(world: World, wire: Wire) -> None:
    world.send(world.open(), type="find", interests=["chess"])


def over(world: World, wire: Wire) -> None:
    (other,) = (o for o in world.wires.values() if o is not wire and o.session.seat is not None)
    world.send(other, type="leave")


def over_away(world: World, wire: Wire) -> None:
    (other,) = (o for o in world.wires.values() if o is not wire)
    world.lose(wire)
    world.send(other, type="leave")


def told(world: World, wire: Wire) -> None:
    world.resume(wire)


def end(world: World, wire: Wire) -> None:
    if wire.conn in world.wires:
        world.lose(wire, LEFT)
    else:
        world.wait(20)


EVENTS = {
    "find": find,
    "leave": leave,
    "match": match,
    "over": over,
    "over while away": over_away,
    "told": told,
    "end": end,
}
ALLOWED = [(moves.event, before, after) for moves in TABLE for before, after in enumerate(moves.to) if after != NOWHERE]


@pytest.mark.parametrize(
    ("event", "before", "after"),
    ALLOWED,
    ids=[f"{event} while {STATES[before]} leads to {STATES[after]}" for event, before, after in ALLOWED],
)
def test_every_move_of_the_table_happens(event: str, before: int, after: int) -> None:
    world = World()
    wire = BEGIN[before](world)
    session = wire.session
    assert session.state == before
    EVENTS[event](world, wire)
    assert session.state == after


@pytest.mark.parametrize("state", range(len(STATES)), ids=STATES)
@pytest.mark.parametrize("moves", TABLE, ids=[moves.event for moves in TABLE])
def test_a_session_moves_as_the_table_says_or_stays_and_raises(moves: states.Transitions, state: int) -> None:
    session = standing(state)
    if moves.to[state] != NOWHERE:
        session.move(moves)
        assert session.state == moves.to[state]
    else:
        with pytest.raises(IllegalMove, match=f"{moves.event} while {STATES[state]}"):
            session.move(moves)
        assert session.state == state


def standing(state: int) -> Session:
    """A session that stands there, having come by the table."""
    ways = {IDLE: (), WAITING: (FIND,), CHATTING: (FIND, MATCH), PARTED: (FIND, MATCH, OVER_AWAY), GONE: (END,)}
    session = Session(1, 1, 0, "192.0.2.1")
    for event in ways[state]:
        session.move(event)
    assert session.state == state
    return session


def test_nothing_but_move_writes_the_state_of_a_session() -> None:
    writers = [
        (source.name, function.name)
        for source in sorted((ROOT / "engine").rglob("*.py"))
        for function in ast.walk(ast.parse(source.read_text()))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == "state" and not isinstance(node.ctx, ast.Load)
    ]
    assert writers == [("session.py", "__init__"), ("session.py", "move")]
    others = [
        str(source)
        for folder in ("server", "bench")
        for source in (ROOT / folder).rglob("*.py")
        if re.search(r"session\.state *=[^=]|setattr\(session", source.read_text())
    ]
    assert others == []


def test_every_history_goes_by_the_table_and_uses_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: Counter[tuple[str, int, int]] = Counter()

    class To(tuple[int, ...]):
        """What a move reads, which tells what it read."""

        event: str

        def __getitem__(self, before: Any) -> Any:
            after = super().__getitem__(before)
            if after != states.NOWHERE:
                steps[self.event, before, after] += 1
            return after

    for moves in TABLE:
        to = To(moves.to)
        to.event = moves.event
        monkeypatch.setattr(moves, "to", to)
    world, dice = World(), random.Random(1)
    there: list[Wire] = []
    away: list[Wire] = []
    opened = 0
    for _ in range(600):
        there = [wire for wire in there if wire.conn in world.wires]
        what = dice.randrange(9)
        if what == 0 or not there:
            there.append(world.open())
            opened += 1
        elif what == 1:
            world.wait(dice.choice((1.0, 4.0, 30.0)))
        elif what == 2 and away:
            there.append(world.resume(away.pop()))
            opened += 1
        elif what == 3:
            gone = dice.choice(there)
            away.append(gone)
            world.lose(gone, dice.choice((DROPPED, DROPPED, LEFT)))
        else:
            world.send(dice.choice(there), type=dice.choice(("find", "find", "find", "leave")))
    assert set(steps) == set(ALLOWED)
    stand: Counter[int] = Counter({IDLE: opened})  # where all would stand who went these steps
    for (_, before, after), count in steps.items():
        stand[before] -= count
        stand[after] += count
    living = Counter(session.state for session in world.engine.sessions.values())
    assert +stand == living + Counter({GONE: opened - living.total()})
