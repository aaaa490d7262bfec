"""What is known of cameras when somebody comes back, or goes to another process."""

import pytest

from engine.conduct.detection_consequences import Act
from engine.wire.rule_constants import PAUSE, PAUSED_FOR
from tests.engine.looking import BOTH, Looking, due, hits, kinds, looks_of, misses, veils

NUDITY = (1, Act("nudity", 1, 0))


def test_who_comes_back_hears_again_what_holds() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH, "hit")
    world.clean(nonces[1])
    world.lose(one)
    one = world.resume(one)
    assert kinds(one.take())[:2] == ["resumed", "veil"]
    world.lose(two)
    two = world.resume(two)
    assert veils(two.take()) == []
    misses(world, one, two, (("mine",), BOTH))
    for wire in (one, two):
        world.lose(wire)
        assert veils(world.resume(wire).take()) == [(True, "unchecked")]


def test_a_hit_is_kept_for_who_is_away_at_that_moment() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH)
    world.lose(one)
    world.says(nonces[0], "hit")
    assert veils(world.resume(one).take()) == [(True, "nudity")]


def test_the_state_of_the_cameras_and_the_next_look_go_along_and_an_open_look_does_not() -> None:
    world = Looking()
    one, two = world.call(7, 8)
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH, "hit", "agrees")
    world.says(nonces[1], "theirs")
    world.kept.clear()
    world.move()
    assert veils(one.take()) == [(True, "nudity")], "nobody is told anew"
    world.says(nonces[1], "hit")
    world.wait(2.0)
    assert looks_of(one).cameras[1].unshown == 0
    assert veils(two.take()) == [], "the other process has it not"
    hits(world, one, two, ("open",), True, 2)
    assert world.acts() == [NUDITY]
    world.kept.clear()
    world.move()
    hits(world, one, two, ("agrees",), True, 1)
    assert world.acts() == []
    misses(world, one, two, (BOTH, ("theirs",)), 2)
    world.move()
    misses(world, one, two, (BOTH, ("theirs",)), 1)
    assert veils(one.take())[-1:] == [(True, "unchecked")]
    world.move()
    answer = world.find(two)
    assert (answer["code"], answer["retry_after"]) == ("snaps", 600)
    world.lose(two, 0)
    world.kept.clear()
    world.move()
    back = world.open(two.session.identity)
    assert world.find(back)["code"] == "snaps", "remembered by person, who is not here"
    world.wait(600.0)
    assert world.find(back)["type"] == "waiting"


def test_what_was_asked_in_the_process_that_they_left_is_nothing_there() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    old = world.engine
    world.move()
    old.pictured(nonces[0], "known", world.now)
    old.tick(world.now + 600.0)
    assert (world.acts(), old.due(), len(old._snaps)) == ([], None, 0)
    assert len(old._snaps._asked) == 0
    assert len(world.engine._snaps) == 1


def test_other_processes_are_told_of_who_has_a_cookie() -> None:
    world = Looking()
    one, two = world.call(7, 8)
    misses(world, one, two, (("mine",), BOTH))
    assert world.told_off == [(one.session.identity, 600.0)]
    misses(world, *world.call(), (("mine",), BOTH))
    assert len(world.told_off) == 1, "a session is known where it is"
    other = Looking()
    other.engine.pauses.enter(7, 600.0, other.now)
    assert other.find(other.open(7))["code"] == "snaps"


@pytest.mark.parametrize("cookies", [(7, 8), (0, 0)])
def test_what_is_seen_when_who_showed_it_is_elsewhere_already_is_told_there(cookies: tuple[int, int]) -> None:
    world = Looking(veil=PAUSE)
    one, two = world.call(*cookies)
    hits(world, one, two, ("agrees",), True, 1)
    nonces = world.looked(one, two, after=max(0.0, due(world)))
    world.send(one, type="leave")
    gone = two.session
    world.release(gone.id)
    assert world.told_off == []
    world.says(nonces[0], "theirs", "mine", "hit", "agrees")
    assert world.told_off == [(gone.person, PAUSED_FOR)]
    assert world.acts() == [NUDITY]


def test_without_a_cookie_it_is_the_sessions_and_ends_with_it() -> None:
    world = Looking()
    one, two = world.call()
    misses(world, one, two, (("mine",), BOTH))
    assert world.find(one)["code"] == "snaps"
    world.lose(one, 0)
    assert len(world.engine._core.pauses) == 0
