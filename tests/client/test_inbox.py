"""Test that unread events are bounded, except for a caller that waits for an answer behind them."""

import asyncio

from serendip_client.events import Pong
from serendip_client.inbox import EVENTS_MAX, Inbox


async def full() -> Inbox:
    inbox = Inbox(lambda _event: None)
    for _ in range(EVENTS_MAX):
        await inbox.put(Pong())
    return inbox


async def test_a_full_inbox_makes_its_writer_wait_until_something_is_read() -> None:
    inbox = await full()
    writing = asyncio.ensure_future(inbox.put(Pong()))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not writing.done()
    await inbox.get()
    await writing


async def test_who_waits_for_an_answer_opens_it() -> None:
    inbox = await full()
    writing = asyncio.ensure_future(inbox.put(Pong()))
    await asyncio.sleep(0)
    with inbox.opened():
        await writing
