"""Test a case that several chats of a day brought: written by a real client, read in Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from engine.conduct.detection_consequences import HATE, LIMITS
from serendip_client.client import Client
from serendip_client.events import Matched, Message, Tip
from tests.server.site.web.conftest import Opener
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter, until
from tests.support.pictures import picture
from tests.support.services import free_port

pytestmark = pytest.mark.timeout(180)
LINE = "muslims are vermin"


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A server that asks for no challenges, which a program cannot solve."""
    settings = {
        "SERENDIP_LIMITS__ENABLED": "false",
        "SERENDIP_CHALLENGE__ENABLED": "false",
        "SERENDIP_SERVER__PROXIES": "127.0.0.1",
        "SERENDIP_SAFETY__MODERATED": "true",  # else cases begin when the server has seen the account
    }
    made = Operated(tmp_path_factory.mktemp("operated"), free_port(), **settings)
    yield made
    assert made.server.stop() == 0


async def write_hate(port: int, chats: int) -> None:
    """Let one user write the line in so many chats, to a different partner in each."""
    for number in range(chats):
        wires = [
            Client(
                f"ws://127.0.0.1:{port}/ws",
                headers={"Cookie": f"id={name:A<22}", "X-Forwarded-For": f"203.0.{place}.7"},
            )
            for place, name in ((113, "hater"), (number, f"partner{number}"))
        ]
        async with wires[0] as one, wires[1] as other:
            await asyncio.gather(*(wire.find([f"day {number}"]) for wire in wires))
            await asyncio.gather(*(wire.next(Matched) for wire in wires))
            await one.say("hello there")
            await one.say(LINE)
            await other.next(Message)
            await one.next(Tip)  # the detection arrived


def test_a_case_of_a_day_says_which_chats_brought_it_and_by_which_words(window: Opener, operated: Operated) -> None:
    mia = enter(window, operated, "mia", "moderator")
    with ThreadPoolExecutor(1) as other:  # this thread has the browser's loop
        other.submit(asyncio.run, write_hate(operated.server.port, LIMITS[HATE].case)).result()
    until(mia, f"{operated.origin}/cases?queue=machine", "td .about")
    mia.locator("td a").first.click()
    expect(mia.locator("main")).to_contain_text(
        f"Chats of one day in which a program found this (hate or harassment): {LIMITS[HATE].case}"
    )
    expect(mia.locator(".day li")).to_have_count(LIMITS[HATE].case)
    expect(mia.locator(".day li").last).to_contain_text("this chat")
    expect(mia.locator(".said .reported", has_text=LINE).locator("em").last).to_contain_text(f"({LINE})")
    well(mia)
    picture(mia, "console-counted", whole=True)
