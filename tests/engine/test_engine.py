"""The engine's door."""

from engine.policy import Settings
from tests.engine.world import World


def test_nothing_is_due_where_nobody_waits_or_is_away() -> None:
    world = World()
    world.pair()
    assert world.engine.due() is None


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
    assert world.engine.waiting() == {("spy", "*"): 1, ("text", "de"): 1, ("video", "en"): 1}
    world.lose(wires[3])
    assert world.engine.online == 3


def test_a_solution_is_refused_while_no_challenge_is_open() -> None:
    world = World()
    a = world.open()
    a.take()
    (answer,) = world.send(a, type="solution", kind="altcha", response="x")
    assert (answer["code"], answer["of"]) == ("challenge", "solution")
