"""Between the engine and the store: a record an end, an answer a save, whatever the store does."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from engine.core.bus_messages import Ended
from engine.core.chat import Chat, Seat
from engine.core.session import Session
from engine.wire.client_requests import Report, Save
from ext.net.chat_ring import Rings
from server.data.errors import NotSaved
from server.data.records.chat_rows import EndedChat, Party, Record
from server.data.records.store_ports import Saved
from server.data.records.transcript import Transcript
from server.realtime.worker.recorder import SAVES_A_SEAT, Recorder, mode, transcript

PEOPLE = ((0, 11, "192.0.2.1"), (1, 12, "192.0.2.2"))


class FakeStore:
    """Takes all, or (`away`) nothing."""

    def __init__(self, away: bool = False, wait: bool = False) -> None:
        self.away = away
        self.wait = wait
        self.by: list[Party] = []
        self.chats: list[Record] = []
        self.logs: list[tuple[Transcript, list[Party]]] = []
        self.reports: list[tuple[Any, ...]] = []

    def record(self, chat: Record) -> bool:
        self.chats.append(chat)
        return True

    async def save(self, said: Transcript, people: Iterable[Party], by: Party) -> Saved:
        self.by.append(by)
        if self.away:
            raise NotSaved("quota", 12.5) if self.wait else NotSaved("away")
        self.logs.append((said, list(people)))
        return Saved("url", "secret")


class FakeWorker:
    """Its engine writes down what a save was answered."""

    def __init__(self) -> None:
        self.engine = self
        self.sessions = {1: Session(1, 1, 11, "192.0.2.1")}
        self.answers: list[tuple[str | None, str]] = []
        self.waits: list[float] = []

    def saved(self, who: Session | int, url: str | None, delete: str, wait: float, chat: str) -> bool:
        assert chat == "c" * 16
        if isinstance(who, int) and who not in self.sessions:
            return False
        self.answers.append((url, delete))
        self.waits.append(wait)
        return True


def seat(ring: Any = None, **chosen: Any) -> Seat:
    made: dict[str, Any] = {"video": False, "relay": False, "question": None, **chosen}
    chat = Chat("c" * 16, ring or Rings(1 << 20).new(), 0.0, people=PEOPLE, **made)
    return Seat(chat, 0, (), (12,))


class Said:
    """A ring in which something was said."""

    def lines(self) -> list[tuple[int, int, int, bytes]]:
        return [(2, 0, 100, b"a \\u00e9"), (3, 1, 101, b"b")]


def recorder(store: FakeStore, on_migrated: Callable[..., None] = lambda *_: None) -> tuple[Recorder, FakeWorker]:
    worker = FakeWorker()
    taken = store.reports.append
    return Recorder(worker, store, lambda *report: taken(report), on_migrated), worker  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        ({}, "text"),
        ({"video": True}, "video"),
        ({"question": "Why?"}, "spy"),
        ({"colleges": ("uio.no", None)}, "college"),
    ],
)
def test_the_kind_of_a_chat_is_what_it_was_begun_as(chosen: dict[str, Any], kind: str) -> None:
    assert mode(seat(**chosen).chat) == kind


def test_a_transcript_has_the_lines_of_the_ring_and_says_that_the_first_are_missing() -> None:
    sat = seat(Said())
    sat.inside = b'"common":["tea"],"language":"en"'
    said = transcript(sat)
    assert said is not None
    assert [(line.side, line.at, line.text) for line in said.lines] == [(0, 100, "a é"), (1, 101, "b")]
    assert (said.cut, said.common) == (True, ("tea",))


def test_where_nothing_was_said_there_is_no_transcript() -> None:
    assert transcript(seat()) is None


async def test_an_end_is_one_record_with_the_two_people() -> None:
    store = FakeStore()
    taking, _ = recorder(store)
    sat = seat()
    sat.others = ((1, 77), (2, 78))
    sat.inside, sat.chat.language = b'"common":[],"language":"xx"', "de"  # the chat has it; no frame is read for it
    taking.take((Session(1, 1, 11, "192.0.2.1"), sat, Ended("c" * 16, 0, "stranger")))
    [chat] = [EndedChat(*chat) for chat in store.chats]  # type: ignore[arg-type]
    assert (chat.language, chat.sessions) == ("de", (1, 77, 78))
    assert (chat.mode, chat.how, chat.parties) == ("text", "stranger", PEOPLE)
    assert chat.started <= chat.ended


async def test_a_save_is_answered_with_its_two_addresses() -> None:
    store = FakeStore()
    taking, worker = recorder(store)
    taking.take((Session(1, 1, 11, ""), seat(Said()), Save()))
    await taking.close()
    assert worker.answers == [("/log/url", "/log/delete/secret")]
    assert store.logs[0][1] == [Party(*person) for person in PEOPLE]


@pytest.mark.parametrize(("away", "ring"), [(True, Said()), (False, None)])
async def test_a_save_that_cannot_be_is_answered_too(away: bool, ring: Any) -> None:
    taking, worker = recorder(FakeStore(away))
    taking.take((Session(1, 1, 11, ""), seat(ring), Save()))
    await taking.close()
    assert worker.answers == [(None, "")]


async def test_who_may_not_save_yet_is_told_for_how_long_and_is_the_one_who_asked() -> None:
    store = FakeStore(away=True, wait=True)
    taking, worker = recorder(store)
    taking.take((Session(1, 1, 11, "192.0.2.1"), seat(Said()), Save()))
    await taking.close()
    assert (worker.answers, worker.waits) == ([(None, "")], [12.5])
    assert store.by == [Party(0, 11, "192.0.2.1")]


async def test_one_seat_cannot_fill_the_disk() -> None:
    store = FakeStore()
    taking, worker = recorder(store)
    sat = seat(Said())
    for _ in range(SAVES_A_SEAT + 2):
        taking.take((Session(1, 1, 11, ""), sat, Save()))
    await asyncio.sleep(0)
    await taking.close()
    assert len(store.logs) == SAVES_A_SEAT
    assert worker.answers.count((None, "")) == 2


async def test_what_who_went_to_another_host_had_asked_for_is_not_answered_here() -> None:
    store = FakeStore()
    taking, worker = recorder(store)
    worker.sessions[2] = Session(2, 2, 12, "")
    for id in (1, 2):
        taking.take((worker.sessions[id], seat(Said()), Save()))
    taking.forget(1)
    taking.forget(3)
    await taking.close()
    assert (len(store.logs), worker.answers) == (1, [("/log/url", "/log/delete/secret")])


async def test_the_answer_for_a_migrated_session_goes_to_other_processes_and_in_an_upgrade_to_the_successor() -> None:
    told: list[tuple[object, ...]] = []
    succeeded: list[tuple[object, ...]] = []
    taking, worker = recorder(FakeStore(), lambda *said: told.append(said))
    answer = (1, "/log/url", "/log/delete/secret", 0.0)

    async def saved(session: Session) -> None:
        taking.take((session, seat(Said()), Save()))
        await taking.close()

    gone = worker.sessions.pop(1)
    await saved(gone)
    assert (told, succeeded) == ([answer], [])
    taking.redirect(lambda *said: succeeded.append(said))
    await saved(gone)
    assert (told, succeeded) == ([answer], [answer])
    taking.redirect(None)
    await saved(gone)
    assert (told, succeeded) == ([answer, answer], [answer])
    assert worker.answers == []


async def test_a_report_goes_to_moderation_in_the_same_turn() -> None:
    store = FakeStore()
    taking, _ = recorder(store)
    reported = Report("spam", "", 0)
    place = seat()
    taking.take((None, place, reported))
    assert store.reports == [(place, reported, "text")]
