"""How many interests those of one network may hold at once, and what happens where the table is full."""

from typing import Any

from engine.core.session import Query
from engine.matching.lobby import Lobby
from engine.matching.search_criteria import Terms
from engine.matching.thresholds import Thresholds
from engine.wire.protocol import INTERESTS_MAX
from engine.wire.rule_constants import WORDS_MAX, Settings
from tests.engine.world import CountingLobby, Wire, World, bare, error

TERMS = Terms("en", "stranger", False, True, False, False, None, False)
FULL = error("too_fast", of="find", retry_after=10.0)


def words(start: int, count: int = INTERESTS_MAX) -> list[str]:
    return [f"word {number}" for number in range(start, start + count)]


def fill(world: World, address: str, start: int = 0) -> list[Wire]:
    """Those of an address hold all the interests that they may."""
    wires = []
    for number in range(0, WORDS_MAX, INTERESTS_MAX):
        wires.append(world.open(address=address))
        assert found(world, wires[-1], words(start + number)) == "waiting"
    return wires


def found(world: World, wire: Wire, interests: list[str], **more: Any) -> Any:
    """What a find is answered with."""
    answer = bare(world.send(wire, type="find", interests=interests, strict=True, **more))[-1]
    return answer if answer["type"] == "error" else answer["type"]


def test_an_address_that_holds_all_it_may_brings_no_new_interest_and_costs_nobody_else_any() -> None:
    world = World(Settings(find_burst=1000), lobby=CountingLobby(thresholds=Thresholds(busy_window=0.0)))
    wires = fill(world, "192.0.2.1")
    held = world.lobby.interests
    assert held == WORDS_MAX
    late = world.open(address="192.0.2.1")
    assert found(world, late, words(100_000)) == FULL
    assert found(world, late, [*words(200_000, 3), "word 5"]) == "matched", "goes on with what somebody names"
    assert world.lobby.interests == held - INTERESTS_MAX
    assert found(world, world.open(address="192.0.2.2"), words(300_000)) == "waiting"
    for wire in wires:
        if wire.session.query is not None:
            world.send(wire, type="leave")
    assert found(world, world.open(address="192.0.2.1"), words(100_000)) == "waiting"


def test_what_is_shared_is_told_as_typed_where_some_found_no_room() -> None:
    world = World(Settings(find_burst=1000), lobby=CountingLobby(thresholds=Thresholds(busy_window=0.0)))
    fill(world, "192.0.2.1")
    late = world.open(address="192.0.2.1")
    answer = world.send(late, type="find", interests=["Never Named", " WORD  5"])[-1]
    assert (answer["type"], answer["common"]) == ("matched", [" WORD  5"])
    assert world.engine.words_dropped == 1


def test_the_64s_of_a_48_hold_four_times_as_many_together() -> None:
    world = World(Settings(find_burst=1000))
    for number in range(4):
        fill(world, f"2001:db8:1:{number}::1", WORDS_MAX * number)
    assert found(world, world.open(address="2001:db8:1:9::1"), words(900_000)) == FULL
    assert found(world, world.open(address="2001:db8:2:9::1"), words(900_000)) == "waiting"


def test_where_limits_are_lifted_an_address_holds_what_the_table_has_room_for() -> None:
    world = World(Settings(limits=False))
    fill(world, "192.0.2.1")
    assert found(world, world.open(), words(100_000)) == "waiting"


def test_a_full_table_takes_what_somebody_names_and_says_so_where_nothing_is_left() -> None:
    world = World(Settings(find_burst=1000), lobby=CountingLobby(most_interests=40))
    assert found(world, world.open(), words(0)) == "waiting"
    late = world.open(address="192.0.2.9")
    assert found(world, late, words(100)) == FULL
    assert found(world, late, ["word 1", *words(100, 30)]) == "matched"


def test_nothing_is_held_when_all_searches_are_over() -> None:
    world = World(Settings(find_burst=1000))
    a, b, c = world.open(), world.open(), world.open()
    world.send(a, type="find", interests=["chess", "go"])
    world.send(a, type="find", interests=["chess", "shogi"])
    world.send(b, type="find", interests=["chess"])
    world.send(c, type="find", interests=["tea"])
    world.lose(c, 0)
    world.send(a, type="leave")
    assert isinstance(world.lobby, Lobby)
    assert world.lobby.interests == 0
    assert world.engine._core.words._held == {}


def test_those_of_an_address_share_what_says_its_networks_and_with_the_last_search_it_goes() -> None:
    world = World(Settings(find_burst=1000))
    first, *others = [world.open(address="192.0.2.1") for _ in range(3)]
    for number, wire in enumerate((first, *others)):
        world.send(wire, type="find", interests=[f"word {number}"], strict=True)
    one, other = [wire.session.networks for wire in others]
    assert one is other
    assert one == first.session.networks == ("192.0.2.1", "192.0.2.0/24")
    for wire in (first, *others):
        world.send(wire, type="leave")
    assert world.engine._core.words._shared == {}


def test_words_that_come_from_another_process_are_taken_without_a_bound_or_left_out_where_there_is_no_room() -> None:
    world = World(lobby=CountingLobby(most_interests=2))
    words = world.engine._core.words
    a = world.open()
    world.send(a, type="find", interests=["Chess"], strict=True)
    query = Query(TERMS, None)
    words.take(query, ["chess", "Tea", "go", ""])
    assert (words.as_typed(query), words.dropped) == (["chess"], 3)
    other = Query(TERMS, None)
    words.take(other, ["Chess", " tea"])
    assert words.as_typed(other) == ["Chess", " tea"]
    for each in (query, other):
        words.release(each)
