"""Test scripted attackers against a real server beside fifty chatting pairs: what stops whom, and that no other user notices.

Nothing here is timed: `python -m bench hostile` compares the pairs' waiting times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from bench.hostile.scripts import ACCOUNTS, SCRIPTS, Ground, Outcome
from bench.hostile.talking_pairs import MANY, Pairs
from bench.support.documents import table
from bench.support.process_inspection import cpu
from engine.conduct.friction_points import CONNECTS
from engine.wire.protocol import CONNECT_BURST
from ext.accept.address_limits import WIDE4
from tests.server.site.web.servers import Server

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]
SECONDS = 1.5  # of a script
SHIPPED = {  # the limits of an address, as they ship
    "SERENDIP_LIMITS__CONNECTIONS": "100",
    "SERENDIP_LIMITS__NEWCOMERS": "250",
    "SERENDIP_LIMITS__CONNECT_BURST": str(CONNECT_BURST),
    "SERENDIP_LIMITS__CONNECT_RATE": "4",
    "SERENDIP_CHALLENGE__ENABLED": "true",
    "SERENDIP_SAFETY__MODERATED": "true",
}


@dataclass
class Run:
    """What became of each script, and what it cost."""

    outcomes: dict[str, Outcome]
    spent: dict[str, float]  # CPU of the server, ms
    said: int
    lost: int
    refused: dict[str, int]

    def __str__(self) -> str:
        rows = [
            (
                name,
                f"{one.tried:,}",
                f"{one.through:,}",
                ", ".join(f"{why} × {times:,}" for why, times in one.stopped.items()) or "nothing",
                f"{one.after[0]:,} tries, {one.after[1]:.2f} s" if one.after else "never",
                f"{self.spent[name]:,.0f}",
            )
            for name, one in self.outcomes.items()
        ]
        columns = ("who", "tried", "got through", "stopped by", "first after", "server CPU ms")
        return f"{table(columns, rows)}{MANY} pairs said {self.said:,} lines, lost {self.lost}, refused: {self.refused or 'none'}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As it ships, but for being late: this machine may be."""
    made = Server(tmp_path_factory.mktemp("hostile"), **SHIPPED)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def run(server: Server) -> Run:
    """All of them, one after the other, in a loop of their own: what they did is looked at by many tests."""
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(asyncio.run, scripted(server)).result()
    print(f"\n{found}")
    return found


async def scripted(server: Server) -> Run:
    outcomes: dict[str, Outcome] = {}
    spent: dict[str, float] = {}
    async with Pairs(server.port) as pairs:
        for name, script in SCRIPTS.items():
            before = cpu(server.pid)
            outcomes[name] = await script(Ground(server.port, time.monotonic() + SECONDS))
            spent[name] = (cpu(server.pid) - before) * 1e3
    return Run(outcomes, spent, pairs.said, pairs.lost, pairs.refused)


async def test_no_pair_lost_a_line_or_was_refused_anything(run: Run) -> None:
    assert run.said > MANY * len(SCRIPTS), "each pair said a line beside each script"
    assert (run.lost, run.refused) == (0, {})


async def test_a_spammer_of_one_address_is_asked_for_a_challenge_and_then_not_let_in(run: Run) -> None:
    found = run.outcomes["spam, another cookie each, 1 address"]
    assert found.through < CONNECTS
    assert {"challenge", "429"} <= set(found.stopped)


async def test_a_spammer_of_a_network_is_not_let_in_beyond_its_share(run: Run) -> None:
    found = run.outcomes["spam, another cookie each, 200 addresses"]
    assert found.after is not None
    assert found.after[0] >= CONNECT_BURST * WIDE4, "nobody is refused before the network has had its share"
    assert "429" in found.stopped


async def test_accounts_of_today_restrict_nobody(run: Run) -> None:
    found = run.outcomes["eight report one person"]
    assert (found.tried, found.through, found.stopped["no weight"]) == (ACCOUNTS, 0, ACCOUNTS)


async def test_whoever_hears_that_somebody_is_14_is_warned_or_the_chat_ends(run: Run) -> None:
    found = run.outcomes["claims to be 14"]
    assert found.stopped["tip minor"] + found.stopped["left by moderation"] == found.tried == 4


@pytest.mark.parametrize(
    ("frame", "answers"),
    [("solution", {"challenge"}), ("seen", {"bad_field"}), ("block", set()), ("report", set())],
)
async def test_a_flood_is_refused_frame_by_frame_and_then_its_connection_ends(
    run: Run, frame: str, answers: set[str]
) -> None:
    found = run.outcomes[f"flood of `{frame}`"]
    assert answers <= set(found.stopped)
    assert found.stopped["too_fast"] > 0
    assert found.stopped["4008"] > 0, "too much of it"


async def test_the_server_lives_and_takes_newcomers(run: Run, server: Server) -> None:
    async with Pairs(server.port, 2, MANY) as pairs:
        await asyncio.sleep(0)
    assert (pairs.lost, pairs.refused) == (0, {})
