"""Records, reports and saves between a worker and the frontend, with the parts of both and a link that brings what it is told to bring."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import pytest

from server.data.errors import NotSaved
from server.data.records.chat_rows import EndedChat, Party, Record
from server.data.records.store_ports import Saved, Store
from server.data.records.transcript import Line, Transcript
from server.fleet.frontend import store_client as module
from server.fleet.frontend.store_client import A_MESSAGE, RECORDS_MAX, THREAD, StoreClient
from server.fleet.frontend.store_outbox import StoreOutbox
from server.fleet.frontend.store_server import StoreServer
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Peers
from server.trust.evidence import reported_chat
from server.trust.evidence.reported_chat import Reported
from server.trust.moderation_protocol import Safety
from tests.server.fleet.processes.wires import Wires
from tests.server.trust.moderation.people import reported as report

CHAT = EndedChat("text", "left", 1.5, 2.5, (Party(0, 11, "192.0.2.1"), Party(1, 0, "2001:db8::1")))
RECORD: Record = ("text", "left", 1.5, 2.5, ((0, 11, "192.0.2.1"), (1, 0, "2001:db8::1")), "", ())  # the same
SAID = Transcript("text", 5, (Line(0, 6, "hello"),), common=("tea",))
BY = Party(0, 11, "192.0.2.1")
WORKER = "worker 1"


class Written:
    """What the store and moderation are asked: it notes that. `answer`: of a save."""

    def __init__(self) -> None:
        self.chats: list[Record] = []
        self.lost = 0
        self.reports: list[Reported] = []
        self.saves: list[tuple[Transcript, list[Party], Party]] = []
        self.removed: list[str] = []
        self.read: list[tuple[bytes, bytes | int]] = []
        self.answer: Callable[[], Saved] = lambda: Saved("l" * 22, "d" * 22)

    @property
    def logs(self) -> "Written":
        return self

    @property
    def notices(self) -> "Written":
        return self

    def record(self, chat: Record) -> bool:
        mode, how, started, ended, parties, language, sessions = chat
        people = tuple(Party(*person) for person in parties)
        self.chats.append(EndedChat(mode, how, started, ended, people, language, tuple(sessions)))
        return True

    def missed(self, count: int) -> None:
        self.lost += count

    def file(self, made: Reported) -> None:
        self.reports.append(made)

    def was_read(self, id: bytes, owner: bytes | int) -> bool:
        self.read.append((id, owner))
        return True

    async def save(self, transcript: Transcript, parties: Iterable[Party], by: Party) -> Saved:
        self.saves.append((transcript, list(parties), by))
        return self.answer()

    async def delete_by_secret(self, text: str) -> bool:
        self.removed.append(text)
        return True


class Pair:
    """A worker and the frontend."""

    def __init__(self) -> None:
        self.ways, self.back = Wires(FRONTEND), Wires(WORKER)
        peers = lambda: cast(Peers, self.ways)  # noqa: E731
        self.outbox = StoreOutbox(peers)
        self.kept = StoreClient(peers, self.outbox)
        self.store = Written()
        self.ages: list[tuple[int, str, int]] = []
        self.minors: list[int] = []
        self.keeping = StoreServer(
            lambda: cast(Peers, self.back), cast(Store, self.store), cast(Safety, self.store),
            lambda *said: self.ages.append(said), self.minors.append,
        )  # fmt: skip

    def out(self) -> list[Message]:
        """What the worker sent comes to the frontend."""
        messages = self.ways.take()
        for message in messages:
            self.keeping.take(WORKER, message)
        return messages

    def home(self) -> list[Message]:
        """What the frontend sent comes to the worker."""
        messages = self.back.take()
        for message in messages:
            if message.kind == Kind.TOOK:
                self.outbox.took(message)
            else:
                self.kept.kept(FRONTEND, message)
        return messages

    async def saving(self) -> asyncio.Task[Saved]:
        """A save that was sent."""
        task = asyncio.create_task(self.kept.save(SAID, [BY, Party(1, 0, "")], BY))
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Both."""
    made = Pair()
    yield made
    await made.keeping.close()


async def test_records_go_in_one_message_and_are_taken_once(pair: Pair) -> None:
    for _ in range(3):
        assert pair.kept.record(RECORD)
    assert pair.ways.sent == []
    pair.kept.flush()
    pair.kept.flush()
    assert len(pair.out()) == 1
    assert pair.store.chats == [CHAT] * 3
    assert pair.outbox.weight[Kind.RECORD] == 3
    pair.home()
    assert pair.outbox.weight[Kind.RECORD] == 0


async def test_records_leave_by_themselves_as_soon_as_the_frontend_takes_them(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.0)
    pair.ways.crowded.add(FRONTEND)
    for _ in range(3):
        pair.kept.record(RECORD)
    for _ in range(5):  # the client looks at each turn whether it may send
        await asyncio.sleep(0)
    assert pair.ways.sent == []
    pair.ways.crowded.clear()
    async with asyncio.timeout(40):
        while not pair.ways.sent:  # noqa: ASYNC110 - the client looks again by the clock
            await asyncio.sleep(0)
    assert len(pair.out()) == 1
    assert pair.store.chats == [CHAT] * 3


async def test_for_a_frontend_that_takes_nothing_records_wait_and_are_lost_beyond_the_bound_and_no_chat_is_saved(
    pair: Pair,
) -> None:
    pair.ways.crowded.add(FRONTEND)
    for _ in range(RECORDS_MAX):
        assert pair.kept.record(RECORD)
        pair.kept.flush()
    assert not pair.kept.record(RECORD)
    with pytest.raises(NotSaved):
        await pair.kept.save(SAID, [BY], BY)
    assert pair.ways.sent == []
    pair.ways.crowded.clear()
    pair.kept.flush()
    assert len(pair.out()) == RECORDS_MAX // A_MESSAGE
    assert (len(pair.store.chats), pair.store.lost) == (RECORDS_MAX, 1)


async def test_records_wait_for_a_frontend_and_what_is_too_much_is_counted(pair: Pair) -> None:
    pair.ways.there.clear()
    for _ in range(RECORDS_MAX):
        assert pair.kept.record(RECORD)
        pair.kept.flush()
    assert not pair.kept.record(RECORD)
    pair.ways.there.append(FRONTEND)
    pair.outbox.joined()
    pair.kept.flush()
    assert len(pair.out()) == RECORDS_MAX // A_MESSAGE
    assert len(pair.store.chats) == RECORDS_MAX
    assert pair.store.lost == pair.kept.records_lost == 1


async def test_what_a_worker_may_not_have_heard_is_not_kept_before_it_has(pair: Pair) -> None:
    pair.back.busy.add(WORKER)
    pair.kept.record(RECORD)
    pair.kept.flush()
    pair.out()
    assert pair.store.chats == [], "a frontend that dies here has kept nothing, and the worker sends it again"
    assert len(pair.back.sent) == 1
    pair.back.busy.clear()
    async with asyncio.timeout(40):
        while not pair.store.chats:  # noqa: ASYNC110 - it looks again by the clock
            await asyncio.sleep(0)
    assert pair.store.chats == [CHAT]


async def test_what_waits_to_be_heard_is_kept_at_the_end(pair: Pair) -> None:
    pair.back.busy.add(WORKER)
    pair.outbox.send(Kind.REPORT, reported_chat.pack(report(note="n")))
    pair.outbox.send(Kind.SEEN, "0a", 7)
    pair.outbox.send(Kind.SEEN, "0b", "0c")
    pair.out()
    await pair.keeping.close()
    assert [made.note for made in pair.store.reports] == ["n"]
    assert pair.store.read == [(b"\x0a", 7), (b"\x0b", b"\x0c")]


async def test_a_save_is_answered_with_its_addresses_or_with_why_not(pair: Pair) -> None:
    def refuse() -> Saved:
        raise NotSaved("quota", 7.5)

    task = await pair.saving()
    pair.out()
    await asyncio.sleep(0)
    pair.home()
    assert await task == Saved("l" * 22, "d" * 22)
    assert pair.store.saves == [(SAID, [BY, Party(1, 0, "")], BY)]
    pair.store.answer = refuse
    task = await pair.saving()
    pair.out()
    await asyncio.sleep(0)
    pair.home()
    with pytest.raises(NotSaved) as refused:
        await task
    assert (refused.value.why, refused.value.retry_after) == ("quota", 7.5)


async def test_nothing_is_saved_without_a_frontend_that_answers(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await pair.saving()
    pair.kept.dead()
    with pytest.raises(NotSaved):
        await task
    monkeypatch.setattr(module, "SILENT", 0.0)
    with pytest.raises(NotSaved):
        await (await pair.saving())
    pair.out()
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(pair.home()) == 2
    pair.out()
    for _ in range(3):
        await asyncio.sleep(0)
    assert pair.store.removed == ["d" * 22] * 2, "who asked was told that there is none"
    pair.ways.there.clear()
    with pytest.raises(NotSaved):
        await (await pair.saving())


async def test_a_save_whose_worker_died_leaves_nothing(pair: Pair) -> None:
    task = await pair.saving()
    pair.back.there.clear()
    pair.out()
    await pair.keeping.close()
    assert pair.store.removed == ["d" * 22]
    pair.kept.dead()
    with pytest.raises(NotSaved):
        await task


async def test_a_long_chat_is_packed_beside_the_loop(pair: Pair) -> None:
    long = Transcript("text", 5, (Line(0, 6, "x" * THREAD),))
    task = asyncio.create_task(pair.kept.save(long, [BY], BY))
    async with asyncio.timeout(40):
        while not pair.ways.sent:  # noqa: ASYNC110 - a thread
            await asyncio.sleep(0)
    pair.out()
    await asyncio.sleep(0)
    pair.home()
    await task
    assert pair.store.saves[0][0] == long


async def test_no_more_reports_wait_than_memory_is_given_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORTS_MAX", 1)
    monkeypatch.setattr(module.reported_chat, "of_seat", lambda *_: report())
    pair.ways.there.clear()
    nobody: Any = None
    pair.kept.report(nobody, nobody, "text")
    pair.kept.report(nobody, nobody, "text")
    assert pair.kept.reports_lost == 1
    assert pair.outbox.weight[Kind.REPORT] == 1


async def test_how_somebody_stands_is_taken_once_and_who_was_turned_away_is_told(pair: Pair) -> None:
    pair.outbox.send(Kind.AGE, 11, "minor", 14)
    pair.ways.send(FRONTEND, Kind.MINOR, 22)
    pair.out()
    assert (pair.ages, pair.minors) == ([(11, "minor", 14)], [22])
    pair.home()
    assert pair.outbox.empty
