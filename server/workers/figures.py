"""The figures of all processes of a host at one port. Rule: the office asks when it is asked, and adds up; who is silent is left out.

A counter of a process that died goes with it, as after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from server.handover.link import Kind, Message
from server.metrics.exposition import Board, Reading, Value
from server.metrics.histogram import Buckets
from server.workers.peers import Peers

WITHIN: Final = 0.5  # seconds for an answer


def packed(read: Mapping[str, Mapping[tuple[str, ...], Value]]) -> list[Any]:
    """Numbers by name and labels, as JSON has them: [name, [[labels, number, or counts and sum of a histogram], …]]."""
    return [
        [name, [[labels, list(value) if isinstance(value, Buckets) else value] for labels, value in series.items()]]
        for name, series in read.items()
    ]


def unpacked(rows: list[Any]) -> Reading:
    """The other way. Raises TypeError, ValueError."""
    return {
        name: {tuple(labels): Buckets(*value) if isinstance(value, list) else value for labels, value in series}
        for name, series in rows
    }


class Answering:
    """The side of a process that is asked."""

    def __init__(self, board: Board, peers: Callable[[], Peers]) -> None:
        self._board = board
        self._peers = peers

    def read(self, name: str, message: Message) -> None:
        """The office asks."""
        self._peers().send(name, Kind.FIGURES, message.records[0], packed(self._board.read()))


class Gathering:
    """The office's side. `gather` is `Board.gather`."""

    def __init__(self, board: Board, peers: Callable[[], Peers]) -> None:
        self._board = board
        self._peers = peers
        self._asked = 0
        self._missing: set[str] = set()
        self._found: list[Reading] = []
        self._news = asyncio.Event()

    async def gather(self) -> None:
        """Ask all; returns when all have answered, or after WITHIN seconds."""
        peers = self._peers()
        self._asked += 1
        self._found = []
        self._missing = {name for name in peers.others if peers.send(name, Kind.READ, self._asked) is not None}
        end = asyncio.get_running_loop().time() + WITHIN
        while self._missing and (left := end - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                break
        self._board.others = self._found

    def figures(self, name: str, message: Message) -> None:
        """One answers; an answer to an earlier question is late, and left out."""
        asked, rows = message.records
        if asked == self._asked and name in self._missing:
            self._found.append(unpacked(rows))
            self._missing.discard(name)
            self._news.set()

    def dead(self, name: str) -> None:
        """It will not answer."""
        self._missing.discard(name)
        self._news.set()
