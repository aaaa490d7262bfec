"""A process that has people has a program beside it that looks at lines, where the settings want that."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.main.parts.line_screening import LineScreening
from server.main.parts.reception import Reception, ReceptionPorts
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import MetricsBoard
from server.ops.security import secret_keys
from server.realtime.worker.worker_dependencies import WorkerPorts
from server.realtime.worker.worker_loop import Worker
from tests.server.trust.text_provider.programs import command, manual_example
from tests.support.descriptors import more_than, opened

pytestmark = pytest.mark.blocking  # files are read before anybody is served


def made(
    folder: Path, on_turn: Callable[[], None] = int, **screening: object
) -> tuple[LineScreening, MetricsBoard, Tasks]:
    settings, board, tasks = Settings.model_validate({"data": folder, "screening": screening}), MetricsBoard(), Tasks()
    ports = ReceptionPorts(WorkerPorts(on_turn=on_turn))
    worker = Reception(settings, secret_keys.load(folder), ports=ports).worker
    return LineScreening("server", settings, worker, board, tasks), board, tasks


class Told:
    """A worker whose engine writes down what it is told."""

    def __init__(self, worker: Worker, did: list[str]) -> None:
        self.act, self.reactor = worker.act, worker.reactor
        self.engine, self.did = self, did
        self.told: list[tuple[int, int, int, str]] = []

    def found(self, chat: int, side: int, number: int, rule: str, now: float, age: int) -> None:
        self.did.append("found")
        self.told.append((chat, side, number, rule))

    def deliver(self, now: float) -> None:
        self.did.append("delivered")


async def test_a_program_is_there_until_it_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    before = opened()
    looking, board, _ = made(tmp_path, every=0.01)
    screener = looking._screener
    assert screener is not None
    while screener.reading()["serendip_screening_up"] != {("server",): 1}:  # noqa: ASYNC110 - another process, which imports for seconds
        await asyncio.sleep(0.01)
    pid = screener.pid
    assert [family.name for family in board.collect() if family.name == "serendip_screening_up"]
    await looking.stop()
    await looking.stop()
    assert not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240
    del looking
    assert more_than(before).total() <= 2  # the reactor's, which lives on


async def test_what_one_message_found_is_told_in_one_turn_each_behind_what_the_one_before_caused(
    tmp_path: Path,
) -> None:
    did = list[str]()
    looking, _, _ = made(tmp_path, lambda: did.append("turn"))
    worker = looking._worker
    one, two = (1, 0, 1, "contact", 0), (2, 1, 3, "link", 0)
    told = [(chat, side, number, rule) for chat, side, number, rule, _ in (one, two)]
    with_engine = Told(worker, did)
    looking._worker = with_engine  # type: ignore[assignment]  # an engine that says what it is told
    looking._found([one, two])
    assert with_engine.told == told
    assert did == ["found", "delivered", "found", "delivered", "turn"]
    await looking.stop()


async def test_a_delivered_line_reaches_the_provider_and_its_finding_the_engine(tmp_path: Path) -> None:
    before = opened()
    code = command(manual_example())
    looking, board, _ = made(tmp_path, every=0.01, provider="command", provider_command=code, provider_seconds=30)
    screener = looking._screener
    assert screener is not None
    engine = Told(looking._worker, [])
    looking._worker = engine  # type: ignore[assignment]  # an engine that says what it is told
    number = 0
    while not engine.told:
        number += 1
        screener.tap.put(7, 1, number, time.time(), b"you glorp")
        await asyncio.sleep(0.02)
    assert {(chat, side, rule) for chat, side, _, rule in engine.told} == {(7, 1, "hate.provider.low")}
    assert await looking.explain("a GLORP") == (("hate.provider.low", 0.8, "GLORP"),)
    assert [family.name for family in board.collect() if family.name == "serendip_provider_up"]
    await looking.stop()
    assert await looking.explain("glorp") == ()
    del looking, screener, engine
    assert more_than(before).total() <= 2


async def test_off_is_off(tmp_path: Path) -> None:
    looking, board, tasks = made(tmp_path, text="off")
    assert looking._screener is None
    assert tasks.failures == {}
    assert board._sources == []
    await looking.stop()
