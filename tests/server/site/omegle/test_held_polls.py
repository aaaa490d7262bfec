"""Held polls: answered by news, by patience, by a newer poll; parked after a moment, or looked at where they cannot be."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from server.site.omegle.client_table import empty_client
from server.site.omegle.held_polls import PARK_AFTER, HeldPolls
from server.site.omegle.omegle_client import OmegleClient, Poll
from tests.engine.world import World

PATIENCE = 30.0


@pytest_asyncio.fixture
async def polls() -> AsyncIterator[HeldPolls]:
    yield HeldPolls(PATIENCE)


@pytest.fixture
def client() -> OmegleClient:
    session = World().open().session
    return OmegleClient("central1:a", session, 1, "key", {}, 0.0, "localhost")


class Wire:
    """A connection. `parked`: what stands for it once it is parked; None: it cannot be."""

    def __init__(self, parked: Poll | None = None, stands: bool = True) -> None:
        self.parked = parked
        self.standing = stands
        self.more = False

    def park(self) -> Poll | None:
        return self.parked

    def stands(self) -> bool:
        return self.standing

    def goes_on(self) -> bool:
        return self.more


async def held(polls: HeldPolls, client: OmegleClient, wire: Wire | None = None) -> asyncio.Task[bool]:
    """A poll that is held, begun at second 0."""
    task = asyncio.create_task(polls.hold(client, wire or Wire(), 0.0))
    while not client.waits:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    return task


async def to_the_next(client: OmegleClient, before: Poll | None) -> None:
    """Until the handler waits for another future."""
    while client.poll is before:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)


async def test_news_answer_a_poll(polls: HeldPolls, client: OmegleClient) -> None:
    task = await held(polls, client)
    client.put([b"event"])
    client.wake()
    assert await task
    assert not client.waits


async def test_a_newer_poll_answers_the_older_with_nothing(polls: HeldPolls, client: OmegleClient) -> None:
    task = await held(polls, client)
    client.release(False)
    assert not await task


@pytest.mark.parametrize("parkable", [True, False])
async def test_patience_ends_and_the_client_counts_as_heard(
    polls: HeldPolls, client: OmegleClient, parkable: bool
) -> None:
    parked: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
    task = await held(polls, client, Wire(parked if parkable else None))
    before = client.poll
    polls.tick(PARK_AFTER)
    await to_the_next(client, before)
    polls.tick(PATIENCE - 1)
    assert client.waits
    polls.tick(PATIENCE)
    assert not await task
    assert client.heard == PATIENCE
    assert parked.done() == parkable


async def test_a_poll_is_parked_after_a_moment_and_its_handler_is_let_go(
    polls: HeldPolls, client: OmegleClient
) -> None:
    parked: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
    task = await held(polls, client, Wire(parked))
    polls.tick(PARK_AFTER / 2)
    assert not task.done()
    polls.tick(PARK_AFTER)
    assert not await task, "the handler's own answer is for nobody"
    assert client.poll is parked
    client.put([b"event"])
    client.wake()
    assert parked.result()


class Late(Wire):
    """A connection whose client another process has by the time that it is parked."""

    def __init__(self, client: OmegleClient, parked: Poll | None) -> None:
        super().__init__(parked)
        self._client = client

    def park(self) -> Poll | None:
        empty_client(self._client)
        return super().park()


@pytest.mark.parametrize("parkable", [True, False])
async def test_the_poll_of_a_client_that_moves_as_it_is_parked_is_answered_with_nothing(
    polls: HeldPolls, client: OmegleClient, parkable: bool
) -> None:
    parked: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
    task = await held(polls, client, Late(client, parked if parkable else None))
    polls.tick(PARK_AFTER)
    async with asyncio.timeout(10):
        assert not await task
    assert (parked.done(), client.waits) == (parkable, False)
    assert not parkable or parked.result() is False


async def test_a_connection_that_is_gone_is_told_where_its_poll_could_not_be_parked(
    polls: HeldPolls, client: OmegleClient
) -> None:
    task = await held(polls, client, Wire(stands=False))
    before = client.poll
    assert polls.tick(PARK_AFTER) == []
    await to_the_next(client, before)
    assert polls.tick(PARK_AFTER + 1) == [client]
    assert not await task
    assert polls.tick(PARK_AFTER + 2) == []


@pytest.mark.parametrize("late", [False, True], ids=["before it is parked", "where it cannot be"])
async def test_a_poll_behind_which_more_is_said_is_answered_with_nothing_and_its_client_is_not_gone(
    polls: HeldPolls, client: OmegleClient, late: bool
) -> None:
    parked: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
    wire = Wire(None if late else parked)
    task = await held(polls, client, wire)
    if late:
        before = client.poll
        polls.tick(PARK_AFTER)
        await to_the_next(client, before)
    wire.more = True
    assert polls.tick(PARK_AFTER + 1) == []
    assert not await task
    assert not client.waits
    assert not parked.done()


async def test_a_new_client_waits_for_its_first_event(polls: HeldPolls, client: OmegleClient) -> None:
    task = asyncio.create_task(polls.first(client))
    while not client.waits:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    client.put([b'["waiting"]'])
    client.wake()
    await task
    assert not client.waits


async def test_a_new_client_that_hears_nothing_is_answered_with_nothing(
    polls: HeldPolls, client: OmegleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.site.omegle.held_polls.FIRST_EVENTS_S", 0.0)
    await polls.first(client)
    assert not client.waits
    assert not client.events
