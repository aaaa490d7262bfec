"""A host that comes, or was away, knows afterwards what the others know of ages and video; each of them is asked once, and none tells unasked."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.conduct.age_answers import KEPT, AgeAnswers
from engine.conduct.daily_detections import DailyDetections
from engine.conduct.video_pauses import VideoPauses
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.frontend import cluster_catch_up as module
from server.fleet.frontend.cluster_catch_up import ClusterCatchUp, Unreadable
from server.fleet.rpc.rpc_client import HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import BOUNDS, Kind
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops.security import secret_keys
from tests.server.fleet.cluster.ports import There, there
from tests.server.fleet.migrate.rig import until

Rows = Sequence[Sequence[Any]]


@pytest.fixture
def secret(tmp_path: Path) -> secret_keys.Keys:
    return secret_keys.load(tmp_path)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    monkeypatch.setattr(module, "SETTLED", 0.0)


class Host:
    """A frontend as far as it knows people. `node`: its own."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.ages, self.pauses, self.daily = AgeAnswers(), VideoPauses(), DailyDetections()
        self.hosts = Hosts()
        self.others: list[Host] = []
        self.asked = 0  # how often others asked it
        self.took: list[tuple[Rows, Rows, Rows]] = []
        self.answers: Callable[[Request], Any] | None = None  # instead of what it would say
        self.port: There
        self.catching: ClusterCatchUp

    def all_ages(self, _: int) -> Iterator[list[Sequence[Any]]]:
        yield [(person, *said) for person, said in self.ages.rest(0.0)]

    def all_off(self, _: int) -> Iterator[list[Sequence[Any]]]:
        yield list(self.pauses.rest(0.0))

    def all_detections(self, _: int) -> Iterator[list[Sequence[Any]]]:
        yield [(person, *row) for person, rows in self.daily.rest(0.0) for row in rows]

    def take(self, ages: Rows, paused: Rows, detected: Rows) -> None:
        self.took.append((ages, paused, detected))
        for person, *row in detected:
            self.daily.enter(person, [row], 0.0)
        for person, *said in ages:
            self.ages.enter(person, list(said), 0.0)
        for person, seconds in paused:
            self.pauses.enter(person, seconds, 0.0)

    async def answer(self, request: Request) -> Answer:
        self.asked += 1
        if self.answers is not None:
            said: Answer = self.answers(request)
            return said
        return await self.catching.answer(request)

    def hears(self, *others: Host, away: str | None = None, address: str = "") -> None:
        """The hub says who is there. `address`: of all of them, else each has its own."""
        self.hosts.take(away, [[one.node, address or one.port.address, "1", "serving", 0, 0.0] for one in others])
        self.catching.look()

    async def caught_up(self) -> None:
        """It has asked whom it asks."""
        await until(lambda: self.catching._task is None)

    @property
    def known(self) -> tuple[list[int], list[int]]:
        """Of whom something is known."""
        return sorted(person for person, _ in self.ages.rest(0.0)), sorted(
            person for person, _ in self.pauses.rest(0.0)
        )


@asynccontextmanager
async def hosts(secret: secret_keys.Keys, count: int) -> AsyncIterator[list[Host]]:
    """So many."""
    async with contextlib.AsyncExitStack() as stack:
        made = [Host(f"{number:010x}") for number in range(count)]
        for one in made:
            one.port = await stack.enter_async_context(there(secret, {Kind.KNOWN: one.answer}))
            one.catching = ClusterCatchUp(
                one, RpcClient(one.port.seal, one.node, lambda: 1_795_000_000.0), one.hosts, one.take
            )
            stack.push_async_callback(one.catching.close)
        yield made


async def test_a_host_that_comes_knows_what_the_others_know(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 2) as (old, new):
        old.ages.put(7, "minor", 0.0, 15)
        old.ages.put(8, "asked", -1000.0, 0)
        old.ages.put(-9, "asked", 0.0, 0)  # of that process alone
        old.pauses.put(7, 600.0, 0.0)
        old.daily.add(7, "hate", 5, -60.0, 0.0)
        old.hears(new)
        new.hears(old)
        await new.caught_up()
        await old.caught_up()
        assert new.known == ([7, 8], [7])
        said = new.ages.of(8, 0.0)
        assert said == ("asked", 0, KEPT - 1000.0), "it holds no longer than it did"
        assert new.daily.leave(7, 0.0, keep=True) == [("hate", 5, 60.0)]
        assert new.catching.tally["caught_up"] == 4
        assert (old.asked, new.asked) == (1, 1)


async def test_nobody_is_asked_twice_and_a_successor_not_at_all(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 3) as (one, other, successor):
        for _ in range(3):
            one.hears(other)
            await one.caught_up()
        successor.port.address = other.port.address
        one.hears(other, successor)
        one.hears(successor)
        await one.caught_up()
        assert (other.asked, successor.asked) == (1, 0)


async def test_who_was_away_or_comes_back_is_asked_again(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 2) as (one, other):
        one.hears(other)
        await one.caught_up()
        other.pauses.put(5, 60.0, 0.0)
        one.hears()
        one.hears(other)
        await until(lambda: one.known == ([], [5]))
        other.pauses.put(6, 60.0, 0.0)
        one.hears(other, away="NATS is away")
        one.hears(other)
        await until(lambda: one.known == ([], [5, 6]))
        await one.caught_up()
        assert other.asked == 3


async def test_of_twenty_hosts_a_newcomer_asks_three_and_is_asked_once_by_each(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 20) as made:
        *old, new = made
        for one in old:
            one.pauses.put(1 + int(one.node, 16), 600.0, 0.0)
            one.hears(*[other for other in old if other is not one])
        for one in old:
            await one.caught_up()
        assert {len(one.known[1]) for one in old} == {19}
        before = [one.asked for one in old]
        for one in old:
            one.hears(*[other for other in made if other is not one])
        new.hears(*old)
        for one in made:
            await one.caught_up()
        assert sum(one.asked for one in old) - sum(before) == module.ENOUGH
        assert (new.asked, len(new.known[1])) == (19, 19)


async def test_hosts_that_begin_together_ask_all(secret: secret_keys.Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED", 1e9)  # nobody can say yet that it knows what the others know
    async with hosts(secret, 6) as made:
        made[5].pauses.put(5, 60.0, 0.0)
        for one in made:
            one.hears(*[other for other in made if other is not one])
        await until(lambda: all(one.known == ([], [5]) for one in made))
        await until(lambda: all(one.asked == 5 for one in made))


async def test_much_comes_in_parts_each_of_which_fits(
    secret: secret_keys.Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 10)
    async with hosts(secret, 2) as (old, new):
        for person in range(1, 48):
            old.ages.put(person, "adult", 0.0, 0)
            old.pauses.put(person, 600.0, 0.0)
        new.hears(old)
        await new.caught_up()
        assert new.known == (list(range(1, 48)), list(range(1, 48)))
        assert (old.asked, len(new.took)) == (11, 10)


async def test_all_that_can_be_known_fits_into_the_parts(secret: secret_keys.Keys) -> None:
    widest = ["minor", 999, KEPT]
    row = len(orjson.dumps([1 << 62, *widest])) + 1
    assert 2 * module.PART * row < BOUNDS[Kind.KNOWN]
    assert 120_000 / module.PART < module.PARTS_MAX  # `ages.MOST` and `pauses.MOST`


async def test_a_host_that_does_not_answer_is_given_up_and_the_others_are_asked(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 3) as (new, gone, old):
        await gone.port.port.close()
        old.pauses.put(5, 60.0, 0.0)
        new.hears(gone, old)
        await new.caught_up()
        assert new.known == ([], [5])
        assert (old.asked, new.catching.tally["unanswered"]) == (1, 1)


async def test_an_older_release_knows_no_answer(secret: secret_keys.Keys) -> None:
    async with hosts(secret, 2) as (new, old):
        old.answers = lambda _: no("it knows nothing of it")
        new.hears(old)
        await new.caught_up()
        assert new.took == []


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b"{}",
        {"of": 0, "whole": True, "ages": [], "paused": []},
        {"of": 99, "whole": True, "ages": [], "paused": []},
        {"of": 1, "whole": 1, "ages": [], "paused": []},
        {"of": 1, "whole": True, "ages": [[7, "old", 15, 1.0]], "paused": []},
        {"of": 1, "whole": True, "ages": [[7, "minor", 15]], "paused": []},
        {"of": 1, "whole": True, "ages": [[7, "minor", 15, 1e9]], "paused": []},
        {"of": 1, "whole": True, "ages": [[7, [], 15, 1.0]], "paused": []},
        {"of": 1, "whole": True, "ages": [], "paused": [[-7, 1.0]]},
        {"of": 1, "whole": True, "ages": [], "paused": [[7, "long"]]},
        {"of": 1, "whole": True, "ages": [], "paused": [7]},
    ],
)
async def test_what_is_no_answer_is_not_taken(secret: secret_keys.Keys, said: Any) -> None:
    body = said if isinstance(said, bytes) else orjson.dumps(said)
    async with hosts(secret, 2) as (new, odd):
        odd.answers = lambda _: Answer(module.Status.TAKEN, body)
        new.hears(odd)
        await new.caught_up()
        assert (new.took, new.catching.tally["unanswered"]) == ([], 1)
    with pytest.raises(Unreadable):
        module._read(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"[0]", b"[1,1]", b"[-1,1]", b"[0,65]", b'["0",1]'])
async def test_what_is_no_question_is_refused(secret: secret_keys.Keys, body: bytes) -> None:
    async with hosts(secret, 2) as (one, other):
        with pytest.raises(HostRefused, match="a part is wanted"):
            await one.catching._asker.ask(other.port.address, Kind.KNOWN, body)
