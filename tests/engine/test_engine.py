"""The engine's door."""

from engine.core.states import WAITING
from engine.matching.pool_counts import EMPTY_FOR
from engine.wire.rule_constants import Settings
from tests.engine.world import CountingLobby, World


def test_nothing_is_due_where_nobody_waits_or_is_away() -> None:
    world = World()
    world.pair()
    assert world.engine.due() == world.now + EMPTY_FOR, "the pool in which they met is given back"
    world.wait(2 * EMPTY_FOR)
    assert world.engine.due() is None


def test_who_finds_the_index_full_is_sent_away_as_busy_and_nobody_else() -> None:
    world = World(lobby=CountingLobby(most_tickets=8))
    wires = [world.open() for _ in range(9)]
    answers = [
        world.send(wire, type="find", interests=[f"word {number}"], strict=True)[-1]
        for number, wire in enumerate(wires)
    ]
    late = wires.pop()
    assert (answers[-1]["code"], answers[-1]["retry_after"]) == ("busy", 60)
    assert late.closed == 1013
    assert world.engine.online == 8
    assert late.session.id not in world.engine.sessions
    assert all(wire.session.state == WAITING for wire in wires)
    world.send(wires[0], type="leave")
    again = world.open()
    assert world.send(again, type="find", interests=["word 8"])[-1]["type"] == "waiting"


def test_what_is_due_is_the_soonest_of_thresholds_graces_and_questions() -> None:
    world = World(Settings(grace=2.0))
    a, b = world.open(), world.open()
    world.send(a, type="find", interests=["chess"])
    assert world.engine.due() == world.now + 3.0
    world.lose(b)
    assert world.engine.due() == world.now + 2.0


def test_online_counts_connections_and_waiting_counts_by_mode_and_language() -> None:
    world = World()
    wires = [world.open() for _ in range(4)]
    world.send(wires[0], type="find", language="de")
    world.send(wires[1], type="find", mode="video")
    world.send(wires[2], type="find", role="discuss")
    assert world.engine.online == 4
    assert world.engine.room.sizes() == {("spy", "*"): 1, ("text", "de"): 1, ("video", "en"): 1}
    world.lose(wires[3])
    assert world.engine.online == 3


def test_two_windows_of_a_browser_are_one_user_until_the_last_is_closed() -> None:
    world = World()
    first, second, other = world.open(identity=5), world.open(identity=5), world.open(identity=6)
    assert (world.engine.online, world.engine.people, world.engine.connected_people(2)) == (3, 2, (2, [5, 6]))
    assert world.engine.connected_people(1) == (2, [])
    world.engine.set_elsewhere(10, [6, 7])
    assert world.engine.people == 2 + 10 + 1, "who is also here is counted once"
    world.engine.set_elsewhere(0, [])
    world.lose(first)
    assert world.engine.people == 2
    world.lose(second)
    world.lose(other)
    assert (world.engine.online, world.engine.people) == (0, 0)


def test_a_solution_is_refused_while_no_challenge_is_open() -> None:
    world = World()
    a = world.open()
    a.take()
    (answer,) = world.send(a, type="solution", kind="altcha", response="x")
    assert (answer["code"], answer["of"]) == ("challenge", "solution")
