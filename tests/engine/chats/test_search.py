"""Looking for a partner: who is matched is verified again at the commit."""

from engine.core.states import WAITING
from engine.matching.tickets import Match
from tests.engine.world import World


def test_a_match_with_somebody_who_went_away_meanwhile_gives_the_other_the_place_back() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", interests=["chess"], strict=True)
    world.send(b, type="find", interests=["go"], strict=True)
    world.lose(b)
    world.engine._search.pair(Match(a.session.id, b.session.id, (), 0.0, 0.0, 0.0, "any"), world.now)
    world.settle()
    assert a.session.state == WAITING
    assert a.session.seat is None
    assert world.lobby.status(a.session.id, world.now) is not None


def test_a_search_of_another_kind_takes_the_old_place_out() -> None:
    world = World()
    a = world.open()
    world.send(a, type="find", interests=["chess"])
    world.send(a, type="find", role="discuss")
    assert sum(world.lobby.sizes().values()) == 0
    assert world.engine.room.spy_sizes() == (0, 1)
    world.send(a, type="find", interests=["chess"])
    assert sum(world.lobby.sizes().values()) == 1
    assert world.engine.room.spy_sizes() == (0, 0)
    assert list(world.lobby.in_use.values()) == [1]


def test_whom_somebody_avoids_they_do_not_meet_whoever_of_the_two_came_first() -> None:
    for first in (7, 8):
        world = World(open_avoid=lambda tokens: tuple(int(token) for token in tokens if token.isdigit()))
        a, b, c = world.open(identity=7), world.open(identity=8), world.open(identity=9)
        find = {a: {"avoid": ["forged", "8", "8"]}, b: {}}
        for wire in (a, b) if first == 7 else (b, a):
            world.send(wire, type="find", **find[wire])
        world.wait(60)
        assert (a.ring, b.ring) == (None, None), "a long wait lifts it never"
        assert "matched" in [frame["type"] for frame in world.send(c, type="find")]


def test_who_avoids_an_asker_or_a_discusser_gets_no_seat_with_them() -> None:
    world = World(open_avoid=lambda tokens: tuple(map(int, tokens)))
    a, b = world.open(identity=7), world.open(identity=8)
    world.send(a, type="find", role="spy", question="What do you drink?")
    world.send(b, type="find", role="discuss", avoid=["7"])
    c = world.open(identity=9)
    got = world.send(c, type="find", role="discuss")
    assert "matched" not in [frame["type"] for frame in got + a.take() + b.take()]


def test_what_a_search_avoids_ends_with_it() -> None:
    world = World(open_avoid=lambda tokens: tuple(map(int, tokens)))
    a, b = world.open(identity=7), world.open(identity=8)
    world.send(a, type="find", avoid=["8"])
    world.send(b, type="find")
    assert "matched" in [frame["type"] for frame in world.send(a, type="find")]


def test_what_a_search_avoids_holds_across_a_resume_and_a_search_put_back() -> None:
    world = World(open_avoid=lambda tokens: tuple(map(int, tokens)))
    a, b = world.open(identity=7), world.open(identity=8)
    world.send(a, type="find", avoid=["8"])
    world.lose(a)
    world.send(b, type="find")
    back = world.resume(a, identity=7)
    assert (back.ring, b.ring) == (None, None)
    session = back.session
    world.engine._search.submit(session, world.now)  # as where a partner was gone at the commit
    world.settle()
    assert (back.ring, b.ring) == (None, None)
