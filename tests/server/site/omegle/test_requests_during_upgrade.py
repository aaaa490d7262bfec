"""Requests for a client that may come are told together, and wait no longer than a moment."""

import asyncio

import pytest

from server.site.omegle import requests_during_upgrade as wanted_module
from server.site.omegle.requests_during_upgrade import AwaitedClients


async def test_requests_for_one_client_ask_once_and_are_told_together() -> None:
    wanted, asked, here = AwaitedClients(), [], asyncio.Event()

    async def want(id: str) -> bool:
        asked.append(id)
        return await here.wait()

    await wanted.wait("a")
    wanted.begin(want)
    waiting = [asyncio.ensure_future(wanted.wait(id)) for id in ("a", "a", "b")]
    while len(asked) < 2:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    assert asked == ["a", "b"]
    here.set()
    await asyncio.gather(*waiting)
    assert len(wanted) == 0


async def test_a_client_that_nobody_tells_of_is_waited_for_a_moment_and_few_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wanted_module, "WAIT", 0.05)
    monkeypatch.setattr(wanted_module, "WANTED_MAX", 1)
    wanted, never = AwaitedClients(), asyncio.Event()
    wanted.begin(lambda _: never.wait())
    first = asyncio.ensure_future(wanted.wait("a"))
    await asyncio.sleep(0)
    await wanted.wait("b")
    assert len(wanted) == 1
    await first
    assert len(wanted) == 0


async def test_a_fault_of_whoever_tells_ends_the_waiting() -> None:
    wanted = AwaitedClients()

    async def want(_: str) -> bool:
        raise ConnectionError

    wanted.begin(want)
    await wanted.wait("a")
    assert len(wanted) == 0
