"""College mode: any college or the same one, whoever comes first (product row 5)."""

import itertools

import orjson
import pytest

from tests.engine.world import Wire, World


def world() -> World:
    """A world whose proofs are domains."""
    return World(open_proof=lambda proof, _: proof or None)


def find(place: World, college: str, domain: str) -> Wire:
    wire = place.open()
    place.send(wire, type="find", college=college, proof=domain)
    return wire


def shown(wire: Wire) -> str:
    """The partner's college, as `matched` told it."""
    assert wire.session.seat is not None
    return str(orjson.loads(b"{" + wire.session.seat.inside + b"}")["college"])


@pytest.mark.parametrize(("first", "second"), list(itertools.product(["any", "same"], repeat=2)))
def test_two_of_one_college_meet_at_once_whatever_each_wants(first: str, second: str) -> None:
    place = world()
    one, two = find(place, first, "uio.no"), find(place, second, "uio.no")
    for wire in (one, two):
        assert shown(wire) == "uio.no"


def test_two_of_different_colleges_meet_where_both_take_any() -> None:
    place = world()
    one, two = find(place, "any", "uio.no"), find(place, "any", "mit.edu")
    assert shown(one) == "mit.edu"
    assert shown(two) == "uio.no"


@pytest.mark.parametrize(("first", "second"), [("any", "same"), ("same", "any"), ("same", "same")])
def test_they_do_not_where_one_wants_the_same(first: str, second: str) -> None:
    place = world()
    one, two = find(place, first, "uio.no"), find(place, second, "mit.edu")
    place.wait(60)
    assert one.session.seat is None
    assert two.session.seat is None


def test_nobody_without_a_proof_is_met() -> None:
    place = world()
    one, two = find(place, "any", "uio.no"), place.open()
    place.send(two, type="find")
    place.wait(60)
    assert one.session.seat is None
    assert two.session.seat is None


def test_who_stopped_waiting_or_changed_the_mind_is_not_met() -> None:
    place = world()
    gone, changed = find(place, "any", "uio.no"), place.open()
    place.send(gone, type="leave")
    place.send(changed, type="find", college="any", proof="uio.no")
    place.send(changed, type="find")
    one = find(place, "same", "uio.no")
    place.wait(60)
    assert one.session.seat is None
    assert find(place, "any", "uio.no").session.seat is not None
