"""Who has a chat on a host that ends goes on with it at another: no line is lost or doubled, and a death at any point leaves nobody twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence

import pytest

from server.fleet.cluster.known_nodes import Place
from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.migrate import migration_order as people_module
from server.fleet.migrate.transfer import GroupTransfer
from server.fleet.roaming import evacuation as module
from server.fleet.roaming.evacuation import SPREAD, EmptiestHost, Evacuation, fits
from server.ops.process import fault_points
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import Released, SessionMoves
from tests.server.fleet.cluster.evacuated import Cell, Person, Talk, cell, meet, name
from tests.server.fleet.conftest import secret
from tests.server.fleet.migrate.rig import until

__all__ = ["secret"]
LATE = 1e9
PAIRS = 20


@pytest.fixture
async def two(secret: Keys) -> AsyncIterator[Cell]:
    """Two hosts."""
    async with cell(secret) as made:
        yield made


def there() -> int:
    """A balancer leads everybody to the second host."""
    return 1


async def evacuate(evacuation: Evacuation, until: float = LATE) -> None:
    """To its end."""
    async with asyncio.timeout(20):
        await evacuation.run(lambda: until)


async def test_numbered_lines_go_on_at_another_host_none_lost_none_doubled(two: Cell) -> None:
    talks = [Talk(await meet(two, f"word {number}", there)) for number in range(PAIRS)]
    await until(lambda: all(talk.lines > 20 for talk in talks))
    evacuation = two.evacuation()
    await evacuate(evacuation)
    for talk in talks:
        await until(lambda: all(person.at == 1 for person in talk.pair))  # noqa: B023 - of this round
        said = talk.lines
        await until(lambda: talk.lines > said + 20)  # noqa: B023 - as above
    assert [wrong for talk in talks for wrong in await talk.end()] == []
    first, second = two.workers.values()
    assert (first.sessions, len(second.sessions)) == (set(), 2 * PAIRS)
    assert evacuation.moved == (2 * PAIRS, PAIRS, 0)
    for talk in talks:
        (one,), (other,) = [person.restarts for person in talk.pair]
        assert one == other, "a chat's people come back together"
        assert SPREAD[0] <= one <= SPREAD[1]
        assert [kind for person in talk.pair for kind in person.kinds if kind == "left"] == []


async def test_the_other_is_told_that_somebody_is_away_and_back(two: Cell) -> None:
    one, other = await meet(two, "sailing", there)
    await evacuate(two.evacuation())
    for person in (one, other):
        await person.hears("resumed")
    first, second = sorted((one, other), key=lambda person: len(person.states), reverse=True)
    await until(lambda: [one.look(), other.look()] and first.states == ["away", "back"])
    assert second.states == []
    one.say("still there?")
    await until(lambda: other.look() or other.heard)
    assert other.heard == ["still there?"]


async def test_who_waits_keeps_their_ticket_and_who_does_nothing_their_session(two: Cell) -> None:
    idle, waits = Person(two, 0, there), Person(two, 0, there)
    for person in (idle, waits):
        await person.hears("hello")
    waits.ask("find", interests=["sailing"], strict=True)
    await waits.hears("waiting")
    sessions = two.workers[0].sessions
    await evacuate(two.evacuation())
    for person in (idle, waits):
        await person.hears("resumed")
    assert two.workers[1].sessions >= sessions
    newcomer = Person(two, 1, there)
    await newcomer.hears("hello")
    newcomer.ask("find", interests=["sailing"], strict=True)
    for person in (newcomer, waits):
        await person.hears("matched")


async def test_people_go_where_the_fewest_are_and_nobody_who_takes_nobody_is_asked_at_once_again(secret: Keys) -> None:
    async with cell(secret, 3) as three:
        three.places = lambda: [Place(name(1), 0), Place(name(2), 4)]
        pairs = [await meet(three, f"word {number}", there) for number in range(6)]
        assert len(pairs) == 6
        three.takes[1] = False
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(people_module, "BATCH", 2)
            await evacuate(three.evacuation())
        assert three.asked.count(name(1)) <= module.AHEAD
        assert [len(worker.sessions) for worker in three.workers.values()] == [0, 0, 12]
        assert three.asked[0] == name(1), "it has the fewest"


async def test_people_are_spread_by_how_many_each_has(secret: Keys) -> None:
    async with cell(secret, 3) as three:
        three.places = lambda: [Place(name(1), 0), Place(name(2), 4)]
        for number in range(6):
            await meet(three, f"word {number}", there)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(people_module, "BATCH", 2)
            await evacuate(three.evacuation())
        assert [len(worker.sessions) for worker in three.workers.values()] == [0, 8, 4]


@pytest.mark.parametrize("why", ["nobody", "refused", "refused, and there is always one to ask", "dead"])
async def test_where_nobody_takes_people_they_are_here_and_talk(
    two: Cell, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(module, "GIVEN_UP", 0.1)
    talk = Talk(await meet(two, "sailing", there))
    if why == "nobody":
        two.places = list
    elif why != "dead":
        two.takes[1] = False
        if why != "refused":  # as where several cannot be reached, each of which is waited for
            monkeypatch.setattr(module, "ASIDE", 0.0)
    else:
        two.kill(1)
    evacuation = two.evacuation()
    await evacuate(evacuation)
    assert evacuation.moved == (0, 0, 2)
    assert await talk.end() == []
    assert [person.restarts for person in talk.pair] == [[], []]


@pytest.mark.parametrize("how", ["refused", "unreadable"])
async def test_a_group_that_no_host_takes_keeps_no_other_of_its_message_back(
    two: Cell, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(module, "ASIDE", 0.05)
    monkeypatch.setattr(module, "GIVEN_UP", LATE)
    for number in range(3):
        await meet(two, f"word {number}", there)
    one, sizes, send = two.workers[0], list[int](), two.send
    spoiled = set(one.worker.engine.moves.group(one.worker.engine.moves.order()[0]))

    async def sends(to: str, transfer: GroupTransfer) -> bool:
        ids = {person["id"] for person in transfer.sessions.session_record.record["people"]}
        sizes.append(len(ids))
        if not ids & spoiled:
            return await send(to, transfer)
        transfer.sent()
        if how == "refused":
            transfer.refuse()
        else:  # the other host finds that after GO
            transfer.go()
            transfer.cut()
        return False

    monkeypatch.setattr(two, "send", sends)
    async with asyncio.timeout(20):
        await two.evacuation().run(lambda: 0.0 if len(two.workers[1].sessions) == 4 else LATE)
    assert one.sessions == spoiled
    assert (sizes[0], set(sizes[1:])) == (6, {2})


async def test_who_may_not_go_stays_and_so_does_who_talks_with_them(two: Cell) -> None:
    first, second = [await meet(two, word, there) for word in ("sailing", "chess")]
    (stays,) = sorted(two.workers[0].sessions)[:1]
    partner = two.workers[0].worker.engine.moves.group(stays)
    fixed = {stays}
    evacuation = two.evacuation(lambda id: id not in fixed)
    task = asyncio.create_task(evacuate(evacuation))
    await until(lambda: len(two.workers[1].sessions) == 2)
    assert two.workers[0].sessions == set(partner)
    fixed.clear()  # their chat is over, or whatever held them
    await task
    assert two.workers[0].sessions == set()
    assert len({first, second}) == 2


async def test_when_the_time_is_over_who_is_here_stays(two: Cell) -> None:
    await meet(two, "sailing", there)
    evacuation = two.evacuation()
    await evacuate(evacuation, 0.0)
    assert evacuation.moved[2] == len(two.workers[0].sessions)
    assert two.workers[1].sessions | two.workers[0].sessions


async def test_what_is_too_large_for_a_request_is_sent_by_groups_and_a_group_that_is_stays(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await meet(two, f"word {number}", there)
    monkeypatch.setattr(people_module, "PATIENCE", -1.0)
    released = SessionMoves(two.workers[0].worker).release(
        two.workers[0].worker.engine.moves.group(min(two.workers[0].sessions))
    )
    assert released is not None
    size = next(size for size in range(100_000) if fits_in(released, size, monkeypatch))
    SessionMoves(two.workers[0].worker).take(*released)
    monkeypatch.setattr(module, "LARGEST", size + 50)
    await evacuate(two.evacuation())
    assert len(two.asked) == 3, "one a group"
    assert len(two.workers[1].sessions) == 6


def fits_in(released: Released, size: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether people fit into a request of so many bytes."""
    monkeypatch.setattr(module, "LARGEST", size)
    return fits(released.session_record)


async def test_whoever_is_asked_for_goes_next_and_is_found_where_they_are(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_module, "BATCH", 1)
    one = two.workers[0]
    for number in range(4):
        await meet(two, f"word {number}", there)
    last = one.worker.engine.moves.order()[-1]
    group = one.worker.engine.moves.group(last)
    evacuation = two.evacuation()
    one.links.session_lookup.begin_evacuation(evacuation.want)
    answers: list[tuple[str, str | None]] = []
    monkeypatch.setattr(
        one.peers, "send", lambda to, kind, *said, **_: answers.append((to, said[1])) if kind == Kind.MINE else 1
    )
    one.links.session_lookup.answer(HUB, last)
    assert answers == []
    await evacuate(evacuation)
    await until(lambda: answers)
    assert answers == [(HUB, name(1))]
    assert set(group) <= two.workers[1].sessions


class DeadError(asyncio.CancelledError):
    """A process is killed here: the task goes no further, and nobody is told."""


async def killed_at(two: Cell, point: str, monkeypatch: pytest.MonkeyPatch) -> list[Talk]:
    """The first host is killed at a point of its evacuation, while people talk."""
    monkeypatch.setattr(people_module, "BATCH", 2)
    talks = [Talk(await meet(two, f"word {number}", there)) for number in range(3)]
    await until(lambda: all(talk.lines > 20 for talk in talks))
    dead = asyncio.Event()
    nowhere: list[Released] = []
    let_go: list[Released] = []
    moving = two.workers[0].links.across.exports.moving
    release = moving.release

    def releases(ids: Sequence[int], near: bool) -> Released | None:
        released = release(ids, near)
        if released is not None:
            let_go.append(released)
        return released

    monkeypatch.setattr(moving, "release", releases)

    def at(named: str) -> None:
        if dead.is_set():
            raise DeadError
        if named == point:
            dead.set()
            nowhere.append(sys._getframe(1).f_locals.get("released") or let_go[0])
            raise DeadError

    monkeypatch.setattr(fault_points, "at", at)
    evacuation = two.evacuation()
    task = asyncio.create_task(evacuation.run(lambda: LATE))
    await dead.wait()
    sent = list(evacuation._way._under_way)
    for one in (task, *sent):
        one.cancel()
    two.kill(0, [person for talk in talks for person in talk.pair])
    await asyncio.gather(task, *sent, return_exceptions=True)
    await until(lambda: evacuation._way._under_way == set())
    for released in nowhere if point != "told" else ():
        for descriptor in released.descriptors:
            os.close(descriptor)
    return talks


@pytest.mark.parametrize("point", ["release", "sent", "away", "told"])
async def test_a_host_that_is_killed_meanwhile_has_nobody_twice_and_no_chat_has_one_end(
    two: Cell, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    talks = await killed_at(two, point, monkeypatch)
    there = two.workers[1]
    gone = sum(session.seat is not None for session in there.worker.engine.sessions.values())
    assert gone % 2 == 0
    assert (gone > 0) == (point in ("away", "told"))
    went = 0
    for talk in talks:
        await until(lambda: all("resumed" in person.kinds or person.ends for person in talk.pair))  # noqa: B023 - of this round
        lives = ["resumed" in person.kinds for person in talk.pair]
        assert lives in ([True, True], [False, False])
        if lives[0]:
            went += 2
            assert await talk.end() == []
        else:
            assert await talk.over() == ("no_session", "no_session")
    assert went == gone
    assert sum(session.seat is not None for session in there.worker.engine.sessions.values()) == gone


async def test_a_host_to_which_they_go_and_that_dies_before_it_has_them_costs_nothing(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GIVEN_UP", 0.1)
    talk = Talk(await meet(two, "sailing", there))

    def at(named: str) -> None:
        if named == "sent":
            two.lives[1] = False

    monkeypatch.setattr(fault_points, "at", at)
    await evacuate(two.evacuation())
    assert len(two.workers[0].sessions) == 2
    assert await talk.end() == []


async def test_nobody_goes_where_there_is_no_host(two: Cell) -> None:
    async def never(*_: object) -> bool:
        raise AssertionError

    way = EmptiestHost(list, never, lambda _: None)
    await meet(two, "sailing", there)
    exports = two.workers[0].links.across.exports
    ids = list(exports.worker.engine.sessions)
    with pytest.raises(LinkDown):
        exports.transfer(ids, way, "drain")
    assert two.workers[0].sessions == set(ids)
    await way.room()
    await way.landed()
