"""People of several workers in one waiting room: who meets whom, where, and what a death costs."""

import pytest

from engine.matching.thresholds import Thresholds
from engine.rooms import hub as engine_hub
from engine.rooms import hub_messages as rows
from engine.rooms.meeting_placement import HOST_BITS
from engine.wire.rule_constants import Settings
from tests.engine.workers import Host, Worker
from tests.engine.world import Wire


def people(host: Host, *workers: int) -> list[Wire]:
    """One person in each of these workers, greeted."""
    wires = [host.workers[number].open() for number in workers]
    for wire in wires:
        wire.take()
    return wires


def types(wire: Wire) -> list[str]:
    """Of what came since the last look."""
    return [frame["type"] for frame in wire.take()]


@pytest.mark.parametrize("homes", [(0, 0), (0, 1), (1, 0)])
def test_two_meet_wherever_they_are_and_talk(homes: tuple[int, int]) -> None:
    host = Host(2)
    a, b = people(host, *homes)
    assert [frame["type"] for frame in host.send(a, type="find", interests=["Sailing", "jazz"])] == ["waiting"]
    answer = host.send(b, type="find", interests=["sailing"])
    assert [frame["type"] for frame in answer] == ["matched"]
    assert answer[0]["common"] == ["sailing"]
    (theirs,) = a.take()
    assert (theirs["type"], theirs["chat"], theirs["common"]) == ("matched", answer[0]["chat"], ["Sailing"])
    assert host.world(a) is host.world(b)
    host.world(a).say(a, "hello")
    assert b.take()[0]["text"] == "hello"
    assert (len(host.hub), host.hub.pending, host.lobby.interests) == (0, 0, 0)
    assert host.hub.tally["done"] == 1
    assert host.hub.tally["moved"] == (homes[0] != homes[1])


@pytest.mark.parametrize(
    "find", [{"interests": ["sailing"]}, {}, {"role": "discuss"}], ids=["topics", "anybody", "spy mode"]
)
def test_nobody_is_their_own_stranger_in_two_workers(find: dict[str, object]) -> None:
    host = Host(2)
    if "role" in find:
        host.send(host.workers[0].open(identity=8), type="find", role="spy", question="Is this a question?")
    tabs = [host.workers[number].open(identity=7) for number in (0, 1)]
    for tab in tabs:
        host.send(tab, type="find", **find)
    for _ in range(60):
        host.wait(1.0)
    assert "matched" not in [kind for tab in tabs for kind in types(tab)]
    other = host.workers[1].open(identity=9)
    assert "matched" in [frame["type"] for frame in host.send(other, type="find", **find)]
    assert [("matched" in types(tab)) for tab in tabs].count(True) == 1


def test_who_cannot_move_is_come_to() -> None:
    host = Host(2, fixed=(1,))
    crowd = people(host, *[1] * 10)
    a, b = crowd[0], people(host, 0)[0]
    for one, other in ((a, b), (b, a)):
        host.send(one, type="find")
        host.send(other, type="find")
        assert host.world(a) is host.world(b) is host.workers[1]
        host.send(a, type="leave")


def test_they_meet_where_fewer_are_and_with_a_third_that_is_emptier_still() -> None:
    host = Host(3)
    crowd = people(host, *[0] * 10, *[1] * 8, *[2] * 2)
    a, b = crowd[0], crowd[10]
    host.send(a, type="find")
    host.send(b, type="find")
    assert host.world(a) is host.world(b) is host.workers[2]


def test_two_workers_that_both_have_somebody_are_asked_a_few_times_and_again_once_one_has_them_no_more() -> None:
    host = Host(2)
    (a,) = people(host, 0)
    host.send(a, type="find", interests=["sailing"])
    client, room = a.session.id, host.workers[0].room
    room.told([[rows.ASK, client]], host.now)
    (ticket,), room.rows = room.rows, []
    asked, sender = 0, 1
    while True:
        host.hub.told(sender, [ticket], host.now)
        asks = [number for number in (0, 1) for row in host.hub.out[number].take_rows() if row[0] == rows.ASK]
        if not asks:
            break
        assert asks == [1 - sender]
        (sender,), asked = asks, asked + 1
        assert asked <= engine_hub.ASKS_MAX
    assert asked == engine_hub.ASKS_MAX
    host.hub.told(sender, [[rows.LEAVE, client]], host.now)
    assert [rows.ASK, client] in host.hub.out[1 - sender].take_rows()


def test_nobody_is_sent_to_a_worker_that_leaves_until_another_has_its_number() -> None:
    host = Host(3)
    crowd = people(host, *[0] * 10, *[1] * 8, *[2] * 2)
    a, b, c = crowd[0], crowd[10], crowd[18]
    host.hub.leaves(2)
    for one, other in ((a, b), (a, c)):
        for person in (one, other):
            host.send(person, type="find")
        assert host.world(one) is host.world(other)
        assert host.world(one) is not host.workers[2]
        host.send(one, type="leave")
    host.kill(2)
    host.start_worker(2)
    a, b = crowd[1], crowd[11]
    for person in (a, b):
        host.send(person, type="find")
    assert host.world(a) is host.world(b) is host.workers[2]


def test_two_of_a_worker_that_leaves_meet_there() -> None:
    host = Host(2)
    a, b = people(host, 0, 0)
    host.hub.leaves(0)
    for person in (a, b):
        host.send(person, type="find")
    assert host.world(a) is host.world(b) is host.workers[0]


def test_a_step_is_told_where_the_person_is_and_counts_on_after_the_hubs_death() -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    (waits,) = host.send(a, type="find", interests=["sailing"])
    host.wait(waits["widens"] / 2)
    host.start_hub()
    host.pump()
    (again,) = a.take()
    assert (again["type"], again["accepts"]) == ("waiting", waits["accepts"])
    assert again["widens"] == pytest.approx(waits["widens"] / 2)
    host.wait(waits["widens"] / 2 + 0.01)
    assert a.take()[0]["accepts"] != waits["accepts"]
    host.send(b, type="find", interests=["jazz"])
    host.wait(30.0)
    assert "matched" in types(a)
    assert "matched" in types(b)


def test_whom_they_met_and_reported_is_known_wherever_they_come_back() -> None:
    host = Host(2)
    a, b = host.workers[0].open(identity=7), host.workers[1].open(identity=8)
    host.send(a, type="find")
    host.send(b, type="find")
    assert a.take()
    host.send(a, type="report", reason="spam")
    host.pump()
    again = [host.workers[number].open(identity=who) for number, who in ((1, 7), (0, 8))]
    for wire in again:
        host.send(wire, type="find")
    host.wait(600.0)
    assert [host.world(wire).engine.sessions[wire.session.id].state for wire in again] == [again[0].session.state] * 2
    assert "matched" not in [frame["type"] for wire in again for frame in wire.log]


@pytest.mark.parametrize("homes", [(0, 0, 0), (0, 1, 2), (0, 0, 1), (2, 1, 1)])
def test_three_of_a_question_meet(homes: tuple[int, int, int]) -> None:
    host = Host(3)
    spy, a, b = people(host, *homes)
    host.send(spy, type="find", role="spy", question="Why is it so at all?")
    host.send(a, type="find", role="discuss")
    host.send(b, type="find", role="discuss")
    frames = [[frame for frame in wire.log if frame["type"] == "matched"] for wire in (spy, a, b)]
    assert len({matched["chat"] for (matched,) in frames}) == 1
    assert host.world(spy) is host.world(a) is host.world(b)
    assert (len(host.hub), host.hub.pending) == (0, 0)


def test_of_three_one_who_leaves_on_the_way_lets_the_others_wait_on() -> None:
    host = Host(3)
    spy, a, b = people(host, 0, 1, 2)
    host.send(spy, type="find", role="spy", question="Why is it so at all?")
    host.send(a, type="find", role="discuss")
    host.held = lambda what: what == "workers"
    host.send(b, type="find", role="discuss")
    ((_, target, _),) = host.hub._pending.values()
    quitter = next(wire for wire, home in ((spy, 0), (a, 1), (b, 2)) if home != target)
    host.send(quitter, type="leave")
    host.held = lambda what: False
    host.wait(3.0)
    assert "matched" not in [frame["type"] for wire in (spy, a, b) for frame in wire.log]
    assert len(host.hub) == 2
    host.send(
        quitter,
        type="find",
        **({"role": "spy", "question": "Who is it that asks?"} if quitter is spy else {"role": "discuss"}),
    )
    assert [types(wire)[-1:] for wire in (spy, a, b) if wire is not quitter] == [["matched"], ["matched"]]


@pytest.mark.parametrize("what", ["leave", "find", "lose"])
@pytest.mark.parametrize("who", [0, 1])
def test_who_thinks_better_of_it_while_the_match_is_on_its_way_costs_the_other_no_age(what: str, who: int) -> None:
    host = Host(2)
    pair = people(host, 0, 1)
    host.send(pair[0], type="find")
    host.wait(0.5)
    host.held = lambda what: what == "workers"
    host.send(pair[1], type="find")
    one, other = pair[who], pair[1 - who]
    if what == "lose":
        host.world(one).lose(one)
    elif what == "find":
        host.send(one, type="find", language="de")
    else:
        host.send(one, type="leave")
    host.held = lambda what: False
    host.pump()
    assert "matched" not in [frame["type"] for wire in pair for frame in wire.log]
    assert other.session.id in host.lobby.clients()
    since = host.lobby._tickets[other.session.id].since
    assert since == (1000.0 if who else 1000.5)
    assert host.hub.pending == 0


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("held", ["workers", "moves"])
def test_a_worker_that_dies_with_one_of_two_leaves_the_other_waiting(who: int, held: str) -> None:
    host = Host(3)
    pair = people(host, 0, 1)
    people(host, *[2] * 9)
    host.send(pair[0], type="find")
    host.held = lambda what: what == held
    host.send(pair[1], type="find")
    other = pair[1 - who]
    sent = [home for home, *_ in host.session_records]
    host.kill(who)
    host.held = lambda what: False
    host.wait(0.0)  # the other is asked at once
    assert host.hub.pending == 0
    if sent == [who]:  # it was in the link: they meet
        assert types(other)[-1] == "matched"
        return
    assert host.lobby.clients() == [other.session.id]
    (late,) = people(host, 2)
    host.send(late, type="find")
    assert types(other)[-1] == "matched"


@pytest.mark.parametrize("held", ["hub", "workers", "moves"])
def test_a_hub_that_dies_at_any_moment_costs_no_match(held: str) -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    host.held = lambda what: what == held
    host.send(a, type="find")
    host.send(b, type="find")
    host.start_hub()
    host.held = lambda what: False
    host.wait(2.0)
    assert types(a)[-1] == types(b)[-1] == "matched"
    assert host.world(a) is host.world(b)
    assert (len(host.hub), host.hub.pending, host.lobby.interests) == (0, 0, 0)


def test_who_is_away_is_met_by_nobody_until_they_are_back() -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    host.send(a, type="find")
    world = host.world(a)
    world.lose(a)
    host.pump()
    host.send(b, type="find")
    assert "matched" not in types(b)
    back = world.resume(a)
    host.pump()
    assert types(back)[-1] == types(b)[-1] == "matched"


def test_a_room_that_is_full_says_busy() -> None:
    host = Host(2, tickets=8)
    crowd = people(host, *[0, 1] * 5)
    for at, wire in enumerate(crowd):
        host.send(wire, type="find", language=f"a{chr(97 + at)}")
    assert [wire.closed is None for wire in crowd].count(True) == 8
    assert crowd[-1].log[-1]["code"] == "busy"


def test_a_row_of_a_kind_that_nobody_knows_is_skipped_and_counted() -> None:
    host = Host(2)
    host.hub.told(0, [["later", 1, 2]], host.now)
    assert host.hub.tally["unknown"] == 1
    host.workers[0].room.told([["later", 1, 2]], host.now)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_waits_and_is_moved_waits_on_whichever_worker_is_heard_first(order: tuple[int, int]) -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    host.held = lambda what: what == "hub"
    host.send(a, type="find")
    host.workers[0].go(a.session.id, 1, None)
    host.pump()
    for number in order:
        host.up(number)
    host.held = lambda what: False
    host.pump()
    assert host.hub._waiters[a.session.id].worker == 1
    host.send(b, type="find")
    assert types(a)[-1] == "matched"


def test_who_is_moved_and_heard_late_waits_once_whatever_they_looked_for_before() -> None:
    host = Host(2)
    a, b, c = people(host, 0, 0, 1)
    host.held = lambda what: what == "hub"
    host.send(a, type="find", role="spy", question="Why is it so at all?")
    host.send(a, type="find")
    host.workers[0].go(a.session.id, 1, None)
    host.pump()
    host.up(1)
    host.held = lambda what: False
    host.pump()
    assert (host.hub.room.clients(), host.hub.room.spy_sizes()) == ([a.session.id], (0, 0))
    for wire in (b, c):
        host.send(wire, type="find", role="discuss")
    assert host.hub.room.spy_sizes() == (0, 2)


def test_a_match_that_is_reported_late_takes_nobody_out_who_waits_elsewhere_by_now() -> None:
    host = Host(3)
    a, b, c = people(host, 0, 1, 2)
    host.send(a, type="find")
    held = True
    host.held = lambda what: held and what == "hub"
    host.send(b, type="find")
    host.up(1)
    host.pump()
    home = host.world(a).number
    assert host.world(b).number == home
    assert types(a)[-1] == "matched"
    host.send(a, type="leave")
    host.send(a, type="find")
    host.workers[home].go(a.session.id, 2, None)
    host.pump()
    host.up(2)  # it waits there, before it is heard that it met somebody
    held = False
    host.pump()
    assert host.send(c, type="find")[-1]["type"] == types(a)[-1] == "matched"


def test_both_of_a_chat_that_is_over_go_elsewhere_and_remember_it() -> None:
    host = Host(3)
    a, b = people(host, 0, 0)
    host.send(a, type="find")
    host.send(b, type="find")
    host.send(a, type="leave")
    for wire, to in ((a, 1), (b, 2)):
        host.workers[0].go(wire.session.id, to, None)
        host.pump()
        assert host.world(wire).number == to
    assert a.session.past is not None
    assert b.session.past is not None
    assert a.session.past.chat.id == b.session.past.chat.id
    assert not any(worker.engine.moves._over for worker in host.workers.values())


def test_a_row_cut_short_is_refused_and_changes_nothing() -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    host.send(a, type="find", interests=["jazz"])
    host.held = lambda what: what == "hub"
    host.send(b, type="find", interests=["tea"])
    (ticket,) = host.workers[1].room.rows
    client, before = a.session.id, host.lobby.clients()
    whole = (
        ticket, ["cancel", client, "cancelled"], ["leave", client], ["aside", client], ["back", client], ["failed", 1],
        ["done", 1, [client, 1]], ["bar", 1, 2, []], ["asked", "Why?", "en"],
    )  # fmt: skip
    for row in whole:
        for size in range(1, len(row) - (row[0] == "done")):
            with pytest.raises((TypeError, ValueError)):
                host.hub.told(0, [row[:size]], host.now)
    with pytest.raises((TypeError, ValueError)):
        host.hub.told(0, [["done", 1, [client]]], host.now)
    assert (host.lobby.clients(), len(host.hub), host.lobby.interests) == (before, 1, 1)
    assert not any(host.hub.tally.values())


def test_of_two_who_are_come_to_one_goes_to_the_other_where_their_hosts_differ() -> None:
    far = 5 << HOST_BITS
    host = Host(0)
    for number in (far, 2 * far, 2 * far + 1):
        host.fixed = (far, 2 * far)
        host.workers[number] = Worker(host, number, Settings(limits=False))
        host.workers[number].now = host.now
        host.hub.joined(number, fixed=number in host.fixed)
    a, b = people(host, far, 2 * far)
    host.send(a, type="find")
    host.send(b, type="find")
    assert host.world(a) is host.world(b) in (host.workers[far], host.workers[2 * far])
    spy, c, d = people(host, far, 2 * far, 2 * far + 1)
    host.send(spy, type="find", role="spy", question="Why is it so at all?")
    for client in (c, d):
        host.send(client, type="find", role="discuss")
    assert {host.world(client) for client in (spy, c, d)} == {host.workers[2 * far]}
    e, f = people(host, far, 2 * far + 1)
    host.send(e, type="find")
    host.send(f, type="find")
    assert host.world(f) is host.workers[far], "who is come to is not asked to go where nobody else is"


def test_a_worker_of_another_host_has_only_so_many_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_hub, "WORKER_MAX", 10)
    hub = Host(1).hub
    hub.joined(1, guest=True)
    row = ["ticket", 0, 1, ["text", "en", "stranger", ""], ["tea"], True, 0, [], [], [], 0.0, 0, None, 0, 2]
    for client in range(11):
        hub.told(1, [[*row[:1], client, *row[2:]]], 1000.0)
    assert len(hub) == 10
    assert hub.out[1].take_rows()[-1] == ["full", 10, 1]
    hub.told(1, [["leave", 5], [*row[:1], 10, *row[2:]]], 1000.0)
    assert len(hub) == 10
    hub.told(
        0, [[*row[:1], 6, *row[2:]], [*row[:1], 11, *row[2:]]], 1000.0
    )  # one of them moved to a worker of this host
    assert len(hub) == 11
    hub.told(1, [[*row[:1], 12, *row[2:]]], 1000.0)
    assert len(hub) == 12


def test_a_hub_made_anew_knows_whom_people_met_and_counts_on() -> None:
    host = Host(1)
    a, b = people(host, 0, 0)
    host.send(a, type="find")
    host.send(b, type="find")
    new = host.hub.anew(Thresholds())
    assert (len(new), new.tally["done"], new.pending) == (0, 1, 0)
    assert new._recents is host.hub._recents
