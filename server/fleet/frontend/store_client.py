"""Send a worker's records, reports and saved chats to the frontend, which stores them in the database. Implements
`server.data.records.store_ports.Keeper`.

**Invariant:** a chat never waits for this client. Waiting messages are bounded, dropped ones are counted, and each request to save is answered.
A record waits BATCH_S for others at the most while there is a frontend: a message costs the frontend as much as ten records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

from engine.views import Act, Report, SeatView
from server.data.errors import NotSaved
from server.data.records.chat_rows import Party, Record
from server.data.records.store_ports import Saved
from server.data.records.transcript import Transcript, pack
from server.fleet.frontend.store_outbox import StoreOutbox
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Peers
from server.ops import log
from server.trust.evidence import reported_chat

RECORDS_MAX: Final = 10_000  # records that the frontend has not acknowledged
REPORTS_MAX: Final = 200  # reports, of 64 KiB of text at most each
A_MESSAGE: Final = 500  # records of one message
BATCH_S: Final = 0.02  # seconds that a record waits for others
SILENT: Final = 10.0  # seconds after which a save has failed
THREAD: Final = 16 * 1024  # bytes of lines that take a millisecond to pack; more are packed in a thread
logger = log.get()


class StoreClient:
    """The store client of one worker."""

    def __init__(self, peers: Callable[[], Peers], outbox: StoreOutbox) -> None:
        self._peers = peers
        self._outbox = outbox
        self._chats: list[Record] = []  # of the last BATCH_S, or while there is no frontend
        self._lost = 0  # records lost since the last message
        self._timer: asyncio.TimerHandle | None = None  # sends both
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Saved]] = {}
        self.records_lost = 0
        self.reports_lost = 0

    def record(self, chat: Record) -> bool:
        """Queue a chat's record, of plain tuples. Return False if too many wait: it is lost and counted. Call it in the loop."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._on_timer)
        if self.waiting >= RECORDS_MAX:
            self._lost += 1
            self.records_lost += 1
            return False
        self._chats.append(chat)
        return True

    @property
    def waiting(self) -> int:
        """Number of records that the frontend has not acknowledged."""
        return len(self._chats) + self._outbox.weight[Kind.RECORD]

    def _on_timer(self) -> None:
        self._timer = None
        self.flush()
        if self._chats or self._lost:  # no frontend takes them now
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._on_timer)

    def flush(self) -> None:
        """Send the waiting records now, if there is a frontend."""
        if not (self._chats or self._lost) or not self._outbox.open:
            return
        chats, self._chats = self._chats, []
        lost, self._lost = self._lost, 0
        for at in range(0, len(chats) or 1, A_MESSAGE):
            some = chats[at : at + A_MESSAGE]
            self._outbox.send(Kind.RECORD, lost, *some, weight=len(some))
            lost = 0

    def report(self, seat: SeatView, what: Report | Act, mode: str) -> None:
        """Queue a report or a detection, in the turn in which it came (`Safety.take`)."""
        if self._outbox.weight[Kind.REPORT] >= REPORTS_MAX:
            self.reports_lost += 1
            logger.error("safety.report_lost", count=self.reports_lost)
            return
        self._outbox.send(Kind.REPORT, reported_chat.pack(reported_chat.of_seat(seat, what, mode)))

    async def save(self, transcript: Transcript, parties: Iterable[Party], by: Party) -> Saved:
        """Save a log for `by`. Raises NotSaved: at once without a frontend, and when it dies or does not answer."""
        body = pack(transcript) if transcript.size < THREAD else await asyncio.to_thread(pack, transcript)
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            what = number, [tuple(one) for one in parties], tuple(by)
            if not self._outbox.open or self._peers().send(FRONTEND, Kind.SAVE, *what, pieces=[body]) is None:
                raise NotSaved("away")
            async with asyncio.timeout(SILENT):
                saved: Saved = await answer
                return saved
        except TimeoutError:
            raise NotSaved("away") from None
        finally:
            del self._asked[number]

    def kept(self, _: str, message: Message) -> None:
        """Handle the frontend's answer of a save: two addresses, or the reason for none."""
        number, addresses, why, wait = message.records
        answer = self._asked.get(number)
        if answer is None or answer.done():
            if addresses is not None:  # the client was told that it was not saved
                self._peers().send(FRONTEND, Kind.UNSAVE, addresses[1])
        elif addresses is not None:
            answer.set_result(Saved(*addresses))
        else:
            answer.set_exception(NotSaved(why, wait))

    def dead(self) -> None:
        """Fail the pending saves of a dead frontend."""
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(NotSaved("away"))
