"""Who comes back is brought to their session, wherever it is; and is never left without an answer."""

import asyncio
from collections.abc import Callable

import pytest

from server.fleet.cluster.known_nodes import NOT_YET, Hosts
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.processes import session_lookup as module
from server.fleet.roaming.host_migration_parts import OtherHosts
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, Visitor, Working, answers, talk


async def comes_back(made: Host, where: Working, token: str = "") -> Visitor:
    """Somebody connects to a worker and says that they were here before; without a token: by one of nobody's."""
    visitor, _, _ = await made.visitor(where)
    visitor.ask("resume", token=token or where.tokens.seal(12345, 0), last=0)
    return visitor


async def is_told_so(visitor: Visitor) -> None:
    """There is no such session, and the connection is served."""
    assert (await visitor.hears("resumed", "error"))["code"] == "no_session"
    await answers(visitor)


async def asking(made: Host) -> tuple[Working, Told]:
    """A worker, and one that is played, which is asked."""
    one, two = made.worker(1), made.play("worker 2")
    await made.joined()
    return one, two


async def test_where_there_is_nobody_to_be_asked_they_are_told_at_once(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    await is_told_so(await comes_back(made, one))
    assert hub.of(Kind.WHO) == []


async def test_where_nobody_has_it_they_are_told_by_the_last_answer(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = await asking(made)
    made.worker(3)
    await made.joined()
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    await until(lambda: one.links.session_lookup._lookups[key].asked == {"worker 2"})
    assert visitor.hear() == []
    two.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(visitor)


async def test_the_first_yes_wins_whoever_is_silent_and_the_session_goes_on_there(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    made.hub()
    one, three = made.worker(1), made.worker(3)
    made.play("worker 2")
    await made.joined()
    first, id, token = await made.visitor(three)
    second, _, _ = await made.visitor(three)
    for visitor in (first, second):
        visitor.find("sailing")
    for visitor in (first, second):
        await visitor.hears("matched")
    first.sock.close()
    await until(lambda: not three.worker.engine.sessions[id].conn)
    second.ask("message", text="are you there?")
    back = await comes_back(made, one, token)
    assert (await back.hears("resumed", "error"))["type"] == "resumed"
    assert (await back.hears("message"))["text"] == "are you there?"
    await talk(back, second)
    assert (one.sessions, id in three.sessions) == (set(), True)
    moves = [
        {why: count for (why, result), count in home.links.tally.people.items() if result == "taken"}
        for home in (one, three)
    ]
    assert [(count["meet"], count["resume"]) for count in moves] == [(0, 0), (0, 1)]


async def test_who_dropped_out_on_the_way_there_costs_nobody_who_came_since(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = await asking(made)
    going = list[Callable[[], None]]()  # what is done where somebody cannot go
    one.links.session_lookup._request_move = lambda _, __, stay: going.append(stay)
    first = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MINE, key, "")
    await until(lambda: going)
    second = await comes_back(made, one)
    assert (await two.next(Kind.WHO)).records == [key]
    first.sock.close()
    await until(lambda: len(one.worker.engine.moves.awaiting(key)) == 1)
    going[0]()
    await answers_nothing(one)
    assert second.hear() == []
    two.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(second)


async def answers_nothing(where: Working) -> None:
    """Whatever was to be told in this turn is told."""
    told = asyncio.Event()
    where.worker.act(lambda _: told.set())
    await told.wait()


async def test_a_process_that_dies_does_not_hold_the_answer(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    await two.next(Kind.WHO)
    made.kill("worker 2")
    await is_told_so(visitor)


async def test_silence_is_an_answer_and_what_comes_after_it_is_none(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.01)
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    await is_told_so(visitor)
    two.peers.send("worker 1", Kind.MINE, key, "")
    await answers(visitor)
    assert two.of(Kind.COME) == []


async def test_one_whose_session_is_under_way_has_longer_to_answer_and_its_silence_is_an_answer_too(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "MOVING_FOR", 0.01)
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MOVING, key)
    await is_told_so(visitor)
    two.peers.send("worker 1", Kind.MOVING, key)  # late
    monkeypatch.setattr(module, "MOVING_FOR", 1e6)
    again = await comes_back(made, one)
    await two.next(Kind.WHO)
    two.peers.send("worker 1", Kind.MOVING, key)
    two.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(again)


async def test_one_whose_session_is_under_way_and_who_dies_does_not_hold_the_answer(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "MOVING_FOR", 1e6)
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    two.peers.send("worker 1", Kind.MOVING, (await two.next(Kind.WHO)).records[0])
    made.kill("worker 2")
    await is_told_so(visitor)


async def test_one_that_has_it_and_dies_before_they_are_there_gives_them_back(made: Host) -> None:
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MINE, key, "")
    await until(lambda: two.of(Kind.COME))
    record, _, meeting, _ = two.of(Kind.COME)[0].records
    assert (len(record["people"]), meeting, one.sessions) == (1, None, set())
    made.kill("worker 2")
    await is_told_so(visitor)


async def test_who_is_refused_rests_before_they_are_looked_up_again_and_is_told_so_in_the_end(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "REST", 1e6)
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    lookup = one.links.session_lookup
    two.peers.send("worker 1", Kind.MINE, key, "")
    await until(lambda: two.of(Kind.COME))
    two.peers.send("worker 1", Kind.NO, two.of(Kind.COME)[0].number)
    await two.next(Kind.WHO)  # it was put back
    await until(lambda: lookup._lookups[key].asked == {module.LATER})
    two.peers.send("worker 1", Kind.MINE, key, "")
    two.peers.send("worker 1", Kind.WHO, 54321)
    await two.next(Kind.MINE)
    assert (len(two.of(Kind.COME)), visitor.hear()) == (1, [])
    lookup._rested(key)
    await two.next(Kind.WHO)
    two.peers.send("worker 1", Kind.MINE, key, "")
    await until(lambda: len(two.of(Kind.COME)) == 2)
    monkeypatch.setattr(module, "MOVES_FOR", 0.0)
    two.peers.send("worker 1", Kind.NO, two.of(Kind.COME)[1].number)
    await is_told_so(visitor)


async def test_one_that_is_dead_when_it_is_known_to_have_it_has_nothing(made: Host) -> None:
    one, two = await asking(made)
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MINE, key, "")
    made.kill("worker 2")  # both are read at once
    await is_told_so(visitor)


async def test_two_who_ask_for_the_same_ask_once_and_both_are_answered(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = await asking(made)
    first = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    second = await comes_back(made, one)
    await until(lambda: len(one.worker.engine.moves.awaiting(key)) == 2)
    two.peers.send("worker 1", Kind.MINE, key, None)
    for visitor in (first, second):
        await is_told_so(visitor)
    assert two.of(Kind.WHO) == []


async def test_who_asks_anew_is_not_cut_short_by_the_time_of_the_first(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.01)
    one, two = await asking(made)
    first = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    monkeypatch.setattr(module, "WITHIN", 1e6)
    two.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(first)
    again = await comes_back(made, one)
    await two.next(Kind.WHO)
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, later.set)  # behind the timer of the first, were it still there
    await later.wait()
    assert again.hear() == []
    two.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(again)


async def test_beyond_what_is_asked_for_at_once_they_are_told_at_once(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASKED_MAX", 1)
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = await asking(made)
    await comes_back(made, one)
    await two.next(Kind.WHO)
    await is_told_so(await comes_back(made, one, one.tokens.seal(54321, 0)))


async def test_who_is_asked_says_whether_it_is_there(made: Host) -> None:
    one, two = await asking(made)
    _, id, token = await made.visitor(one)
    key = one.tokens.open(token, 0)
    for asked, has in ((key, ""), (12345, None)):
        two.peers.send("worker 1", Kind.WHO, asked)
        assert (await two.next(Kind.MINE)).records == [asked, has]
    assert id in one.sessions


async def over_hosts(made: Host, *others: int) -> tuple[Working, Told]:
    """A worker of one of several hosts, and its hub, which is played; `others`: workers beside it."""
    hosts = OtherHosts("00000000aa", 1, "127.0.0.1:1", made._secret, Hosts(), lambda: True)
    hub, one = made.play(HUB), made.worker(1, hosts)
    for number in others:
        made.worker(number)
    await made.joined()
    await knows(one, hub, None, "00000000bb")
    return one, hub


async def knows(one: Working, hub: Told, away: str | None, *nodes: str) -> None:
    """A worker is told by its hub why there is no other host, or which there are."""
    hosts = one.links.session_lookup._hosts
    assert hosts is not None
    hub.peers.send("worker 1", Kind.HOSTS, away, *[[node, "127.0.0.1:1", "1.0", "serving", 0, 0.0] for node in nodes])
    await until(lambda: hosts.nodes == (None if away == NOT_YET else set(nodes)) and hosts.away == away)


def goes(one: Working) -> list[str]:
    """The processes to which connections are to move; each stays."""
    gone: list[str] = []
    one.links.session_lookup._request_move = lambda _, to, stay: [gone.append(to), stay()]  # type: ignore[func-returns-value]
    return gone


async def test_where_nobody_of_this_host_has_it_the_others_are_asked_and_who_comes_goes_where_it_is(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    one, hub = await over_hosts(made, 2)
    gone = goes(one)
    visitor = await comes_back(made, one)
    key = (await hub.next(Kind.WHO)).records[0]
    assert visitor.hear() == []
    hub.peers.send("worker 1", Kind.MINE, key, "@00000000bb 3")
    await is_told_so(visitor)
    assert gone == ["@00000000bb 3"]


async def test_alone_no_other_host_is_asked(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "KNOWN_WITHIN", 1e6)
    one, hub = await over_hosts(made)
    await knows(one, hub, None)
    await is_told_so(await comes_back(made, one))
    assert hub.of(Kind.WHO) == []


async def test_the_next_hub_is_asked_what_a_dead_one_was_once_it_knows_the_other_hosts(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "KNOWN_WITHIN", 1e6)
    one, hub = await over_hosts(made)
    visitors = {12345: await comes_back(made, one)}
    await hub.next(Kind.WHO)
    made.kill(HUB)
    await until(lambda: HUB not in one.peers)
    visitors[54321] = await comes_back(made, one, one.tokens.seal(54321, 0))
    again = made.play(HUB)
    await made.joined()
    await knows(one, again, NOT_YET)
    assert again.of(Kind.WHO) == []
    await knows(one, again, None, "00000000bb")
    assert {(await again.next(Kind.WHO)).records[0] for _ in visitors} == set(visitors)
    for key, visitor in visitors.items():
        assert visitor.hear() == []
        again.peers.send("worker 1", Kind.MINE, key, None)
        await is_told_so(visitor)


async def test_a_hub_that_knows_nobody_for_long_holds_no_answer(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "KNOWN_WITHIN", 0.01)
    one, hub = await over_hosts(made)
    visitor = await comes_back(made, one)
    await hub.next(Kind.WHO)
    await knows(one, hub, NOT_YET)
    await is_told_so(visitor)
    made.kill(HUB)
    await is_told_so(await comes_back(made, one))


async def test_a_host_that_answers_is_gone_to_once_it_is_known(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "KNOWN_WITHIN", 1e6)
    one, hub = await over_hosts(made)
    gone = goes(one)
    visitor = await comes_back(made, one)
    key = (await hub.next(Kind.WHO)).records[0]
    hub.peers.send("worker 1", Kind.MINE, key, "@00000000cc 1")
    await knows(one, hub, None, "00000000bb", "00000000cc")
    assert (await hub.next(Kind.WHO)).records == [key]
    assert (visitor.hear(), gone) == ([], [])
    hub.peers.send("worker 1", Kind.MINE, key, "@00000000cc 1")
    await is_told_so(visitor)
    assert gone == ["@00000000cc 1"]


async def test_who_takes_this_worker_for_the_one_that_has_it_has_not_answered_for_the_others(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session was here, and has moved on since."""
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    one, hub = await over_hosts(made)
    two = made.play("worker 2")
    await made.joined()
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MINE, key, "worker 1")
    assert (await hub.next(Kind.WHO)).records == [key]
    hub.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(visitor)


async def test_who_waits_for_a_session_that_came_here_since_and_leaves_again_asks_where_it_is_then(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "MOVING_FOR", 1e6)
    one, hub = await over_hosts(made)
    visitor, key = await made.visitor(one), 12345
    visitor[0].ask("resume", token=one.tokens.seal(key, 0), last=0)
    assert (await hub.next(Kind.WHO)).records == [key]
    moves = one.links.across.forwarding.sent([{"id": key}])
    hub.peers.send("worker 1", Kind.MINE, key, "worker 1")
    await until(lambda: one.links.session_lookup._lookups[key].asked == {module.HERE})
    assert visitor[0].hear() == []
    one.links.across.forwarding.ended(moves, None)
    assert (await hub.next(Kind.WHO)).records == [key]
    hub.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(visitor[0])


@pytest.mark.parametrize("named", ["worker 1", None])
async def test_who_waits_for_a_session_that_came_here_since_and_left_again_follows_it(
    made: Host, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    """One that left before they asked is not followed: whoever had it then was asked."""
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    one, hub = await over_hosts(made)
    forwarding, gone = one.links.across.forwarding, goes(one)
    forwarding.ended(forwarding.sent([{"id": 54321}]), "@00000000bb 1")
    visitor = await comes_back(made, one)
    key = (await hub.next(Kind.WHO)).records[0]
    other = await comes_back(made, one, one.tokens.seal(54321, 0))
    assert (await hub.next(Kind.WHO)).records == [54321]
    forwarding.ended(forwarding.sent([{"id": key}]), "@00000000bb 2")
    hub.peers.send("worker 1", Kind.MINE, key, named)
    for answer in dict.fromkeys((named, None)):
        hub.peers.send("worker 1", Kind.MINE, 54321, answer)
    await is_told_so(other)
    await until(lambda: gone)
    assert gone == ["@00000000bb 2"]
    await is_told_so(visitor)


async def test_the_silence_of_other_hosts_ends_and_a_no_of_the_hub_is_an_end(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FARTHER", 0.02)
    one, hub = await over_hosts(made)
    await is_told_so(await comes_back(made, one))
    assert hub.of(Kind.WHO)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    visitor = await comes_back(made, one, one.tokens.seal(54321, 0))
    await until(lambda: len(hub.of(Kind.WHO)) == 2)
    hub.peers.send("worker 1", Kind.MINE, 54321, None)
    await is_told_so(visitor)


@pytest.mark.parametrize("where", ["@00000000bb 2", None])
async def test_another_host_that_takes_this_worker_for_the_one_that_has_it_does_not_answer_for_all(
    made: Host, monkeypatch: pytest.MonkeyPatch, where: str | None
) -> None:
    """The session was sent here by a process of that host, and is at another one of it again."""
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    one, hub = await over_hosts(made)
    gone, lookup = goes(one), one.links.session_lookup
    visitor = await comes_back(made, one)
    key = (await hub.next(Kind.WHO)).records[0]
    end = lookup._lookups[key].end
    hub.peers.send("worker 1", Kind.MINE, key, "worker 1")
    await until(lambda: lookup._lookups[key].end is not end)
    assert lookup._lookups[key].end.when() == pytest.approx(end.when())
    assert (visitor.hear(), gone) == ([], [])
    hub.peers.send("worker 1", Kind.MINE, key, where)
    await is_told_so(visitor)
    assert gone == ([] if where is None else [where])
    assert not lookup._lookups


@pytest.mark.parametrize("has", ["", None])
async def test_behind_the_silence_of_other_hosts_this_one_is_asked_once_more(
    made: Host, monkeypatch: pytest.MonkeyPatch, has: str | None
) -> None:
    """The session may have left another host for this one before that was asked, and come after this one was."""
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "FARTHER", -1e6)
    one, hub = await over_hosts(made)
    two, gone = made.play("worker 2"), goes(one)
    await made.joined()
    visitor = await comes_back(made, one)
    key = (await two.next(Kind.WHO)).records[0]
    two.peers.send("worker 1", Kind.MINE, key, None)
    assert (await hub.next(Kind.WHO)).records == [key]
    assert (await two.next(Kind.WHO)).records == [key]
    assert visitor.hear() == []
    two.peers.send("worker 1", Kind.MINE, key, has)
    await is_told_so(visitor)
    assert (gone, hub.of(Kind.WHO)) == ([] if has is None else ["worker 2"], [])
    lookup = one.links.session_lookup
    assert not lookup._lookups


async def test_of_a_session_under_way_elsewhere_the_answer_is_awaited(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FARTHER", 1e6)
    monkeypatch.setattr(module, "MOVING_FOR", 0.01)
    one, hub = await over_hosts(made)
    visitor = await comes_back(made, one)
    hub.peers.send("worker 1", Kind.MOVING, (await hub.next(Kind.WHO)).records[0])
    await is_told_so(visitor)


async def test_behind_a_move_that_left_the_session_nowhere_other_hosts_have_their_time(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", -1e6)
    monkeypatch.setattr(module, "FARTHER", 0.0)
    one, hub = await over_hosts(made)
    visitor, key = await made.visitor(one), 12345
    moves = one.links.across.forwarding.sent([{"id": key}])
    visitor[0].ask("resume", token=one.tokens.seal(key, 0), last=0)
    await until(lambda: key in one.links.session_lookup._lookups)
    one.links.across.forwarding.ended(moves, None)
    assert (await hub.next(Kind.WHO)).records == [key]
    assert visitor[0].hear() == []
    hub.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(visitor[0])


async def test_a_worker_that_is_silent_leaves_time_for_the_other_hosts(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.01)
    monkeypatch.setattr(module, "FARTHER", 1e6)
    one, hub = await over_hosts(made)
    made.play("worker 2")
    await made.joined()
    visitor = await comes_back(made, one)
    key = (await hub.next(Kind.WHO)).records[0]
    two = made.processes["worker 2"]
    two.peers.send("worker 1", Kind.MINE, key, None)  # late, and not the last word
    await answers_nothing(one)
    assert visitor.hear() == []
    hub.peers.send("worker 1", Kind.MINE, key, None)
    await is_told_so(visitor)


async def test_other_hosts_are_told_of_a_yes_alone_and_of_whom_this_one_sends_away_when_they_are_there(
    made: Host,
) -> None:
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    _, id, token = await made.visitor(one)
    key = one.tokens.open(token, 0)
    assert key is not None
    hub.peers.send("worker 1", Kind.WHO, 12345, key, 54321)
    assert (await hub.next(Kind.MINE)).records == [key, ""]
    wanted: list[int] = []
    one.links.session_lookup.begin_evacuation(lambda id: [wanted.append(id)] != [])  # type: ignore[func-returns-value]
    hub.peers.send("worker 1", Kind.WHO, key)
    await until(lambda: wanted == [id])
    assert (await hub.next(Kind.MOVING)).records == [key]
    assert hub.of(Kind.MINE) == []
    one.links.session_lookup.end_evacuation()
    assert (await hub.next(Kind.MINE)).records == [key, ""]
