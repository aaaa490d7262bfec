"""Test the picture client: a dead, full or stuck process costs the verdict alone, and its answers are validated."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.ops.config.picture_settings import Pictures
from server.trust.pictures import picture_client as module
from server.trust.pictures.picture_client import AT_ONCE, PictureClient, stamp
from server.trust.pictures.picture_process_codec import BODY_MAX, CLEAN, HIT, STILL_MAX, UNSCORED, Judged, pack_answer
from server.trust.pictures.scene_agreement import AGREES, agreement
from server.trust.programs import helper_process
from tests.server.trust.pictures.running import Run, harmless, own
from tests.support import scenes

SEEN = Judged(CLEAN, 0.0, 60, (), "", 0.0)


async def begun(run: Run, count: int) -> list[asyncio.Task[Judged | None]]:
    """So many strips that wait."""
    tasks = [asyncio.create_task(run.judging.judge(harmless())) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_a_strip_and_a_tile_are_looked_at(run: Run) -> None:
    seen = await run.judging.judge(harmless(2))
    mine = await run.judging.thumb(own(2))
    assert seen is not None
    assert seen.verdict == CLEAN
    assert agreement(seen.thumbs, mine) == AGREES
    assert await run.judging.thumb(b"\xff\xd8\xff") is None
    blobs = await run.judging.judge(scenes.jpeg(scenes.strip(scenes.blobs())))
    assert blobs is not None
    assert blobs.verdict == HIT
    assert run.judging.dropped == 0
    counted: Any = run.judging.reading()["serendip_picture_seconds"]
    assert sum(counted.counts) == 2


async def test_one_that_is_killed_comes_back_and_those_who_wait_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 0.05)
    first = run.judging.pid
    os.kill(first, signal.SIGSTOP)
    tasks = await begun(run, AT_ONCE + 3)
    assert run.judging.waiting == 3
    os.kill(first, signal.SIGKILL)
    assert await asyncio.gather(*tasks) == [None] * (AT_ONCE + 3)
    assert await run.judging.judge(harmless()) is None  # nobody is there yet
    assert run.judging.dropped == AT_ONCE + 4
    assert run.judging.reading()["serendip_pictures_up"] == {("server",): 0}
    await run.ready()
    assert run.judging.pid != first
    assert await run.judging.judge(harmless()) is not None


async def test_of_too_many_the_oldest_are_dropped(tmp_path: Path) -> None:
    run = await Run(tmp_path, queue=3).ready()
    os.kill(run.judging.pid, signal.SIGSTOP)
    tasks = await begun(run, AT_ONCE + 5)
    assert await asyncio.gather(*tasks[AT_ONCE : AT_ONCE + 2]) == [None, None]
    assert (run.judging.waiting, run.judging.dropped) == (3, 2)
    os.kill(run.judging.pid, signal.SIGCONT)
    seen = await asyncio.gather(*tasks)
    assert [one is None for one in seen] == [False, False, True, True, False, False, False]
    await run.close()


async def test_one_that_stands_still_is_not_up_and_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 0.01)
    for name, seconds in (("FRESH", 0.05), ("STUCK", 0.1), ("LOOK", 0.02)):
        monkeypatch.setattr(module, name, seconds)
    first = run.judging.pid
    os.kill(first, signal.SIGSTOP)
    with capture_logs() as events:
        task = (await begun(run, 1))[0]
        await run.until(lambda: not run.judging.up)
        assert await task is None
        await run.until(lambda: run.judging.pid not in (0, first))
    assert "pictures.stuck" in [event["event"] for event in events]


@pytest.mark.parametrize(
    ("age", "runnable", "stuck"),
    [(9.0, False, False), (11.0, False, True), (11.0, True, False), (61.0, True, True)],
)
async def test_one_that_lacks_a_core_is_not_ended_before_a_minute(
    age: float, runnable: bool, stuck: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = PictureClient("server", Pictures(), tmp_path)
    monkeypatch.setattr(client, "_oldest", lambda: age)
    monkeypatch.setattr(module, "is_runnable", lambda _: runnable)
    assert await client._is_stuck() == stuck


def test_a_process_that_sleeps_is_not_runnable_and_this_one_is() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        while module.is_runnable(process.pid):  # until it waits for input
            pass
        assert module.is_runnable(os.getpid())
    finally:
        process.communicate()
    assert not module.is_runnable(process.pid)


async def test_who_waits_no_more_costs_no_work(run: Run) -> None:
    os.kill(run.judging.pid, signal.SIGSTOP)
    tasks = await begun(run, AT_ONCE + 2)
    for task in tasks[:3]:
        task.cancel()
    os.kill(run.judging.pid, signal.SIGCONT)
    assert await tasks[3] is not None
    assert run.judging.waiting == 0


async def test_new_lists_are_taken_up_while_it_runs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.02)
    folder = tmp_path / "lists"
    folder.mkdir()
    digits = "00" * 32
    with capture_logs() as events:
        (folder / "new.pdq").write_text(f"{digits} a\n{digits} b\nwrong\n")
        await run.until(lambda: any(event.get("count") == 2 for event in events))
    assert {"event": "pictures.list_refused", "name": "new.pdq:3", "log_level": "error"} in events
    assert "pictures.ended" not in [event["event"] for event in events]


async def test_a_still_that_nobody_asked_for_is_looked_at_while_nobody_else_waits(run: Run) -> None:
    blobs = scenes.jpeg(scenes.blobs((640, 480)))
    seen = await run.judging.glance(blobs, 1)
    assert seen is not None
    assert (seen.verdict, seen.thumbs) == (HIT, ())
    assert await run.judging.glance(bytes(STILL_MAX + 1), 1) is None
    os.kill(run.judging.pid, signal.SIGSTOP)
    tasks = await begun(run, 1)
    assert await run.judging.glance(blobs, 1) is None
    os.kill(run.judging.pid, signal.SIGCONT)
    assert await tasks[0] is not None
    assert run.judging.dropped == 0, "nobody who was asked lost anything"
    counted: Any = run.judging.reading()["serendip_picture_seconds"]
    assert sum(counted.counts) == 1, "of strips alone"


async def test_who_has_no_process_is_told_at_once(tmp_path: Path) -> None:
    judging = PictureClient("server", Pictures(), tmp_path)
    assert await judging.judge(harmless()) is None
    assert await judging.thumb(own()) is None
    assert await judging.glance(own(), 1) is None
    assert (judging.up, judging.dropped) == (False, 2)


async def test_a_body_that_is_too_long_goes_nowhere(run: Run) -> None:
    assert await run.judging.judge(b"\xff" * (BODY_MAX + 1)) is None
    assert await run.judging.judge(b"") is None
    assert await run.judging.judge(b"\xff" * BODY_MAX) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"[]",
        b"{}",
        b'{"ready": "1", "bad": "", "without": []}',
        b'{"ready": 1, "bad": 7, "without": []}',
        b'{"ready": 1, "bad": "", "without": 7}',
    ],
)
async def test_a_first_word_that_is_none_is_not_believed(tmp_path: Path, data: bytes) -> None:
    judging = PictureClient("server", Pictures(), tmp_path)
    with pytest.raises((ValueError, KeyError, TypeError)):
        judging.take(None, data)  # type: ignore[arg-type]
    assert not judging.up


async def test_an_answer_that_is_none_is_not_believed(run: Run) -> None:
    os.kill(run.judging.pid, signal.SIGSTOP)
    task = (await begun(run, 1))[0]
    for data in (b"{}", b"{", b"x" * 40, pack_answer(99, SEEN), pack_answer(1, SEEN._replace(score=UNSCORED - 1))):
        with pytest.raises((ValueError, KeyError, TypeError)):
            run.judging.take(None, data)  # type: ignore[arg-type]
    os.kill(run.judging.pid, signal.SIGCONT)
    assert await task is not None


async def test_a_message_that_is_none_ends_the_process(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(helper_process, "FIRST", 0.01)
    first = run.judging.pid
    with capture_logs() as events:
        monkeypatch.setattr(module, "unpack_answer", wrong)
        assert await run.judging.judge(harmless()) is None
        await run.until(lambda: run.judging.pid not in (0, first))
    assert [event["event"] for event in events[:2]] == ["pictures.unreadable", "pictures.ended"]


async def test_a_fault_of_the_process_is_logged_with_its_kind(tmp_path: Path) -> None:
    judging = PictureClient("server", Pictures(), tmp_path)
    with capture_logs() as events:
        judging.take(None, b'{"fault": "OSError", "where": "a.py:1"}')  # type: ignore[arg-type]
    assert [(event["event"], event["error"], event["where"]) for event in events] == [
        ("pictures.fault", "OSError", "a.py:1")
    ]


def test_a_change_of_a_list_is_seen(tmp_path: Path) -> None:
    before = stamp(tmp_path)
    (tmp_path / "a.pdq").write_text("x")
    after = stamp(tmp_path)
    assert (before, len(after)) == ((), 1)
    (tmp_path / "a.pdq").write_text("xy")
    assert stamp(tmp_path) != after
    assert stamp(tmp_path / "none") == ()
