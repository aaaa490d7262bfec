"""What the parts of the engine share."""

from tests.engine.world import World


def test_a_session_is_found_by_its_present_key_and_by_the_used_one_until_that_is_confirmed() -> None:
    world = World()
    a = world.open()
    core = world.engine._core
    first = a.session.key
    again = world.resume(a)
    second = again.session.key
    assert first != second
    assert core.by_key(first) is core.by_key(second) is again.session
    world.send(again, type="ping")
    assert core.by_key(first) is None
    assert core.by_key(second) is again.session


def test_a_refusal_is_counted_and_told() -> None:
    world = World()
    a = world.open()
    a.take()
    world.engine._core.refuse(a.session, "slow", "signal")
    world.settle()
    assert [frame["code"] for frame in a.take()] == ["slow"]
    assert world.engine.tally["error slow"] == 1


def test_what_an_event_causes_is_done_at_once_and_what_it_tells_others_waits_on_the_bus() -> None:
    world = World()
    a, b = world.pair()
    world.engine.frame(a.session, b'{"type":"leave"}', world.now)
    world.engine.frame(a.session, b'{"type":"ping"}', world.now)
    assert a.ring is None
    assert a.take() == [{"type": "pong"}]
    assert (len(world.bus.inbox), b.take()) == (1, [])
    world.settle()
    assert b.take() == [{"type": "left", "by": "stranger"}]
