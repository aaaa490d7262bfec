"""The transition table: every move of it happens in the engine, and nothing else is allowed."""

import pytest

from engine import states
from engine.errors import IllegalMove
from engine.protocol import LEFT
from engine.states import AWAY, CHATTING, GONE, HERE, IDLE, PARTED, PRESENCE, STATES, TABLE, WAITING
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


@pytest.mark.parametrize(
    ("event", "before", "after"),
    [(moves.event, before, after) for moves in TABLE for before, after in moves.items()],
    ids=[
        f"{moves.event} while {STATES[before]} leads to {STATES[after]}"
        for moves in TABLE
        for before, after in moves.items()
    ],
)
def test_every_move_of_the_table_happens(event: str, before: int, after: int) -> None:
    world = World()
    wire = BEGIN[before](world)
    session = wire.session
    assert session.state == before
    EVENTS[event](world, wire)
    assert session.state == after


@pytest.mark.parametrize("moves", TABLE, ids=[moves.event for moves in TABLE])
def test_any_other_move_is_illegal(moves: states.Moves) -> None:
    for state in range(len(STATES)):
        if state not in moves:
            with pytest.raises(IllegalMove, match=STATES[state]):
                moves[state]


def test_presence_moves_as_its_table_says() -> None:
    world = World()
    a, _ = world.pair()
    session = a.session
    here = bool(session.conn)
    assert here is HERE
    world.lose(a)
    assert bool(session.conn) is PRESENCE["drop"][HERE] is AWAY
    again = world.resume(a)
    assert bool(session.conn) is PRESENCE["resume"][AWAY] is HERE
    world.resume(again)
    assert bool(session.conn) is PRESENCE["resume"][HERE] is HERE


def test_the_drawing_shows_every_move() -> None:
    drawing = states.drawing()
    assert drawing.count("->") == sum(len(moves) for moves in TABLE)
    assert 'idle -> waiting [label="find"]' in drawing
    assert len(STATES) - 1 == GONE
