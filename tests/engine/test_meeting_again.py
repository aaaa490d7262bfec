"""Two who both want it meet again: in one process, in several, and with strangers beside them."""

import pytest

from engine.rooms.hub_messages import PAIRS
from engine.wire.protocol import KEPT_FOR, PAST_FOR
from engine.wire.rule_constants import Settings
from tests.engine.workers import Host
from tests.engine.world import Wire, World, bare, error


def made(half: int, identity: int) -> tuple[str, int]:
    """A token that can be read."""
    return f"{half}.{identity}", 1_800_000_000


def opened(tokens: tuple[str, ...], identity: int) -> tuple[int, ...]:
    """Its halves, for its holder."""
    return tuple(
        int(half) if holder == str(identity) else 0 for half, _, holder in (one.partition(".") for one in tokens)
    )


def world() -> World:
    return World(make_pair=made, open_pairs=opened)


def met(place: World, *wires: Wire) -> None:
    for wire in wires:
        place.send(wire, type="find")
    for wire in wires:
        wire.take()


def kept(place: World, a: Wire, b: Wire) -> tuple[str, str]:
    """Both press it in their chat; then it is over."""
    met(place, a, b)
    assert place.send(a, type="again") == []
    assert b.take() == [], "one alone is not told to the other"
    (mine,) = place.send(b, type="again")
    (theirs,) = a.take()
    assert (mine["type"], theirs["type"], mine["chat"]) == ("pair", "pair", theirs["chat"])
    place.send(a, type="leave")
    b.take()
    return theirs["token"], mine["token"]


def test_both_who_want_it_get_a_token_and_meet_by_a_call() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    mine, theirs = kept(place, a, b)
    assert place.send(a, type="here", pairs=[mine]) == [{"type": "here", "pairs": []}]
    place.send(b, type="find", pairs=[theirs])
    assert place.send(a, type="here", pairs=["forged", mine]) == [{"type": "here", "pairs": [1]}]
    b.take()
    assert [frame["type"] for frame in place.send(a, type="find", pairs=[mine], call=0)] == ["waiting"]
    assert b.take() == [{"type": "called", "pair": 0, "mode": "text", "on": True}]
    stranger = place.open(identity=9)
    assert "matched" not in [frame["type"] for frame in place.send(stranger, type="find", interests=["chess"])]
    answer = place.send(b, type="find", pairs=[theirs], call=0)
    assert [frame["type"] for frame in answer] == ["matched"]
    assert a.take()[0]["chat"] == answer[0]["chat"]


def test_who_declines_sends_nothing_and_the_caller_may_stop() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    mine, theirs = kept(place, a, b)
    place.send(b, type="find", pairs=[theirs])
    place.send(a, type="find", pairs=[mine], call=0)
    b.take()
    place.send(a, type="leave")
    assert b.take() == [{"type": "called", "pair": 0, "mode": "text", "on": False}]


def test_after_the_chat_it_can_be_wanted_for_ten_minutes() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    place.send(a, type="leave")
    b.take()
    place.send(b, type="again")
    assert [frame["type"] for frame in place.send(a, type="again")] == ["pair"]
    place.now += PAST_FOR + 1
    assert bare(place.send(a, type="again")) == [error("no_chat", of="again")]


@pytest.mark.parametrize("seconds", [0.0, KEPT_FOR + 1])
def test_a_user_who_moved_on_gets_the_token_too_while_the_seat_is_kept_and_later(seconds: float) -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    place.send(a, type="again")
    place.send(a, type="find", keep=True)
    place.wait(seconds)
    a.take(), b.take()
    assert [frame["type"] for frame in place.send(b, type="again")] == ["pair"]
    assert [frame["type"] for frame in a.take()] == ["pair"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("seconds", [0.0, KEPT_FOR + 1])
def test_two_who_both_moved_on_may_want_it_still(first: int, seconds: float) -> None:
    place = world()
    a, b = both = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    place.send(a, type="again")
    place.send(both[first], type="find", keep=True)
    place.wait(1)
    place.send(both[1 - first], type="find", keep=True)
    place.wait(seconds)
    a.take(), b.take()
    assert [frame["type"] for frame in place.send(b, type="again")] == ["pair"]
    assert [frame["type"] for frame in a.take()] == ["pair"]


def test_a_repeated_wish_gives_its_user_a_token_and_tells_the_partner_nothing() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    kept(place, a, b)
    for _ in range(3):
        assert [frame["type"] for frame in place.send(a, type="again")] == ["pair"]
    assert b.take() == []


def test_a_wish_is_repeated_three_times_at_once_and_then_slowly() -> None:
    place = World(Settings(limits=True), make_pair=made, open_pairs=opened)
    a, b = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    answers = [place.send(a, type="again") for _ in range(5)]
    assert answers[:4] == [[]] * 4
    assert [frame["code"] for frame in answers[-1]] == ["too_fast"]
    place.wait(2)
    assert place.send(a, type="again") == []


def test_a_user_who_blocked_the_partner_after_the_wish_gets_no_token() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    place.send(a, type="again")
    place.send(a, type="block")
    place.send(b, type="again")
    assert a.take() == []


def test_a_question_that_comes_too_soon_is_refused_by_its_own_name() -> None:
    place = World(Settings(limits=True), open_pairs=opened)
    a = place.open(identity=7)
    answers = [bare(place.send(a, type="here", pairs=[]))[0] for _ in range(20)]
    assert (answers[-1]["code"], answers[-1]["of"]) == ("too_fast", "here")


def test_without_cookies_and_after_a_report_nobody_is_kept() -> None:
    place = world()
    a, _ = place.pair()
    assert bare(place.send(a, type="again")) == [error("no_pair", of="again")]
    c, d = place.open(identity=7), place.open(identity=8)
    met(place, c, d)
    place.send(d, type="again")
    place.send(c, type="report", reason="spam")
    assert bare(place.send(c, type="again")) == [error("no_pair", of="again")]
    assert d.take() == []


def test_a_token_that_another_took_is_of_no_use_and_a_call_by_it_is_refused() -> None:
    place = world()
    a, b, thief = (place.open(identity=number) for number in (7, 8, 9))
    mine, theirs = kept(place, a, b)
    place.send(b, type="find", pairs=[theirs])
    thief.take()
    assert place.send(thief, type="here", pairs=[mine]) == [{"type": "here", "pairs": []}]
    (refused,) = place.send(thief, type="find", pairs=[mine], call=0)
    assert (refused["code"], refused["field"]) == ("bad_field", "call")


def test_who_blocked_the_other_is_not_called() -> None:
    place = World(make_pair=made, open_pairs=opened, open_avoid=lambda tokens: tuple(map(int, tokens)))
    a, b = place.open(identity=7), place.open(identity=8)
    mine, theirs = kept(place, a, b)
    place.send(b, type="find", pairs=[theirs], avoid=["7"])
    b.take()
    assert place.send(a, type="here", pairs=[mine]) == [{"type": "here", "pairs": []}]
    place.send(a, type="find", pairs=[mine], call=0)
    assert b.take() == []


@pytest.mark.parametrize("homes", [(0, 0), (0, 1)])
def test_two_meet_again_wherever_they_are(homes: tuple[int, int]) -> None:
    host = Host(2, make_pair=made, open_pairs=opened)
    a, b = (host.workers[number].open(identity=7 + place) for place, number in enumerate(homes))
    mine, theirs = "1000.7", "1001.8"
    for wire in (a, b):
        wire.take()
    host.send(b, type="find", pairs=[theirs])
    b.take()
    assert host.send(a, type="here", pairs=[mine]) == [{"type": "here", "pairs": [0]}]
    assert [frame["type"] for frame in host.send(a, type="find", pairs=[mine], call=0)] == ["waiting"]
    assert b.take() == [{"type": "called", "pair": 0, "mode": "text", "on": True}]
    strangers = [host.workers[number].open() for number in homes]
    for wire in strangers:
        host.send(wire, type="find", interests=["chess"])
    answer = host.send(b, type="find", pairs=[theirs], call=0)
    assert [frame["type"] for frame in answer] == ["matched"]
    assert "matched" in [frame["type"] for frame in a.take()]
    assert host.world(a) is host.world(b)


def test_a_call_whose_rows_come_apart_between_those_of_another_worker_is_a_call() -> None:
    host = Host(2, make_pair=made, open_pairs=opened)
    sent = []
    for number, token in enumerate(("1000.7", "1001.8")):
        worker = host.workers[number]
        worker.send(worker.open(identity=7 + number), type="find", pairs=[token], call=0)
        pairs, ticket = worker.room.rows
        worker.room.rows.clear()
        assert pairs[0] == PAIRS
        sent.append((number, pairs, ticket))
    for number, pairs, _ in sent:
        host.hub.told(number, [pairs], host.now)
    for number, _, ticket in sent:
        host.hub.told(number, [ticket], host.now)
    assert host.hub.pending == 1, "each waited for the other alone"


@pytest.mark.parametrize("first", ["before", "after"])
def test_a_wish_reaches_a_partner_who_moved_to_another_worker(first: str) -> None:
    host = Host(2, make_pair=made, open_pairs=opened)
    a, b = (host.workers[0].open(identity=7 + place) for place in range(2))
    for wire in (a, b):
        host.send(wire, type="find")
    host.send(a, type="leave")
    if first == "before":
        host.send(b, type="again")
    host.workers[0].go(b.session.id, 1, None)
    host.pump()
    assert host.world(b) is host.workers[1]
    a.take(), b.take()
    mine = host.send(a, type="again")
    if first == "after":
        assert mine == b.take() == []
        theirs = host.send(b, type="again")
        mine = a.take()
    else:
        theirs = b.take()
    assert [[frame["type"] for frame in frames] for frames in (mine, theirs)] == [["pair"], ["pair"]]
    assert mine[0]["chat"] == theirs[0]["chat"]


def test_a_wish_for_a_user_who_is_nowhere_costs_a_row_and_is_bounded() -> None:
    host = Host(3, settings=Settings(limits=True), make_pair=made, open_pairs=opened)
    a, b = (host.workers[0].open(identity=7 + place) for place in range(2))
    for wire in (a, b):
        host.send(wire, type="find")
    host.send(b, type="leave")
    host.workers[0].engine.sessions.pop(b.session.id)
    a.take()
    codes = [frame["code"] for _ in range(40) for frame in host.send(a, type="again")]
    assert set(codes) == {"too_fast"}
    assert len(codes) >= 20


def test_a_seat_that_is_kept_continues_the_limits_of_the_connection() -> None:
    place = world()
    a, b = place.open(identity=7), place.open(identity=8)
    met(place, a, b)
    (kept,) = [frame for frame in place.send(a, type="find", keep=True) if frame["type"] == "kept"]
    assert kept["within"] == KEPT_FOR
    assert len(place.carried) == 1
    assert place.carried[0] not in (a.session.id, b.session.id)
