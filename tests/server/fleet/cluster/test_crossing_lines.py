"""Pairs of two hosts talk in numbered lines while what is between the hosts is cut at random: each line comes once and in its order, or both
are told that the chat is over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.rig import Bounds, Cell, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor

PAIRS, LINES = 12, 40
WHOLE, LEFT, ALONE = "whole", "left", "alone"


class Talker:
    """One of a pair: looks for `word`, says LINES lines, comes back where its connection ends, and hears each line of the other one once."""

    def __init__(self, made: Cell, host: int, word: str) -> None:
        self._made = made
        self._host = host
        self._word = word
        self.other: Talker
        self.became = ""  # how it ended
        self._chat = ""
        self._resuming = False
        self._seq = self._said = self.heard = 0
        self._visitor: Visitor
        self._id = 0
        self._token = ""

    async def run(self) -> None:
        """To its end."""
        there = self._made.hosts[self._host]
        self._visitor, self._id, self._token = await there.host.visitor(self._made.workers[self._host][0])
        self._visitor.find(self._word)
        while not self._is_over():
            try:
                ended = self._visitor.sock.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                ended = False
            except ConnectionResetError:
                ended = True
            if not ended:
                self._turn()
            elif not self.became:
                await self._come_back()
            await asyncio.sleep(0)

    def _turn(self) -> None:
        """Hear what came, and say a line."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for frame in self._visitor.hear():
                self._take(frame)
            if self._chat and self._said < LINES and not self._resuming:
                self._visitor.ask("message", text=f"{self._host} {self._said}")
                self._said += 1

    def _is_over(self) -> bool:
        if not self.became and self.heard == LINES == self.other.heard:
            self.became = WHOLE
        elif not self.became and self.other.became in (LEFT, ALONE) and not self._chat:
            self.became = ALONE  # the other one was told that they left, before they knew that they had met
        return bool(self.became)

    def _take(self, frame: dict[str, object]) -> None:
        match frame:
            case {"type": "matched", "chat": str(chat)}:
                assert not self._chat
                self._chat = chat
            case {"type": "message", "text": text, "seq": int(seq)}:
                assert text == f"{1 - self._host} {self.heard}"
                assert seq > self._seq
                self.heard += 1
                self._seq = seq
            case {"type": "resumed"}:
                self._resuming = False
                self._said = int(str(frame.get("taken", 0)))
                self._chat = str(frame.get("chat", ""))  # they may have met since they were heard of
            case {"type": "left"}:
                self.became = LEFT
            case {"type": "error", "code": "no_chat"} if self.became:
                pass  # it was said before they heard that the chat is over
            case {"type": "error", "code": "restart"}:
                pass  # the way to their home broke: they come back to it
            case {"type": "error"}:
                raise AssertionError(frame)

    async def _come_back(self) -> None:
        """To where their session is."""
        await until(lambda: len(self._made.owners(self._id)) == 1)
        (owner,) = self._made.owners(self._id)
        (there,) = [one for one in self._made.hosts if owner in one.host_migrations]
        self._visitor, _, token = await there.host.visitor(owner)
        self._visitor.ask("resume", token=self._token, last=self._seq, **({"chat": self._chat} if self._chat else {}))
        self._token = token
        self._resuming = True  # nothing is said before the answer


async def talked(secret: Keys, seed: int) -> tuple[Counter[str], Counter[str]]:
    """How the pairs ended, and how tunnels did."""
    draw = random.Random(seed)

    def cuts() -> Bounds:
        bound = draw.choice((None, draw.randrange(800), draw.randrange(800, 6_000)))
        return (
            (bound, None)
            if draw.random() < 0.5
            else (None, draw.randrange(40) if bound and draw.random() < 0.3 else bound)
        )

    async with cell(secret) as made:
        for there in made.hosts:
            there.relay.cuts = cuts
        pairs = [(Talker(made, 0, f"word {number}"), Talker(made, 1, f"word {number}")) for number in range(PAIRS)]
        for one, two in pairs:
            one.other, two.other = two, one
        async with asyncio.timeout(50), asyncio.TaskGroup() as group:
            for talker in sum(pairs, ()):
                group.create_task(talker.run())
        for there in made.hosts:
            there.relay.cuts = None
        await made.settled()
        sessions = Counter(id for there in made.hosts for one in there.host_migrations for id in one.sessions)
        assert set(sessions.values()) <= {1}
        for one, two in pairs:
            assert {one.became, two.became} in ({WHOLE}, {LEFT}, {LEFT, ALONE})
        ends = sum((one.links.tunnels.ends for there in made.hosts for one in there.host_migrations), Counter[str]())
        return Counter(talker.became for talker in sum(pairs, ())), ends


@pytest.mark.parametrize("seed", range(4))
async def test_lines_come_once_and_in_their_order_whatever_is_cut(secret: Keys, seed: int) -> None:
    became, ends = await talked(secret, seed)
    assert became[WHOLE] > 0
    assert became.total() == 2 * PAIRS
    assert ends["dropped"] > 0, "a way broke, and they came back to their chat"
