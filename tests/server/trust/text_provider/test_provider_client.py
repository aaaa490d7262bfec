"""Test providers of text with real processes: what they find, and that a bad one delays no line."""

# ruff: noqa: ASYNC240, S108 - what the system says of processes is read; a program tries to write there

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from server.ops.config.screening_settings import Screening
from server.trust.programs import helper_process
from server.trust.text_provider.provider_client import TextProvider
from server.trust.text_provider.provider_process import MESSAGE_MAX
from tests.server.trust.text_provider import programs
from tests.server.trust.text_provider.programs import command

# What is tested is how programs run and end.
pytestmark = [pytest.mark.executed, pytest.mark.blocking, pytest.mark.timeout(240)]  # blocking: /proc is read
Maker = Callable[..., "Run"]


class Run:
    """A provider that runs, and what it found. Lines are sent to it as the screening process does."""

    def __init__(self, code: str, **chosen: object) -> None:
        self.found: list[tuple[int, int, int, str, int]] = []
        settings = {"provider": "command", "provider_command": command(code), "provider_seconds": 30, **chosen}
        self.provider = TextProvider("server", Screening.model_validate(settings), self.found.extend)
        self.task = asyncio.create_task(self.provider.run())
        self.refused = 0

    def say(self, *texts: str, chat: int = 1) -> None:
        """Send lines of a chat, numbered from 1 on; count a message that has no room."""
        lines = [(chat, 0, number, text) for number, text in enumerate(texts, 1)]
        try:
            self.provider.lines.send(orjson.dumps(lines), socket.MSG_DONTWAIT)
        except BlockingIOError:
            self.refused += 1

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for another process."""
        while not true():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.01)

    async def ready(self) -> "Run":
        """Wait until it answers."""
        await self.until(lambda: self.provider.up)
        return self

    def count(self, name: str, label: str) -> float:
        """Return a value of the metrics."""
        values = self.provider.reading()[f"serendip_provider_{name}"]
        assert isinstance(values, Mapping)
        value = values[(label,)]
        assert isinstance(value, int | float)
        return value

    async def close(self) -> None:
        """End it."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.provider.close()


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Maker]:
    """Makes providers that end with the test, and are started again at once."""
    monkeypatch.setattr(helper_process, "FIRST", 0.01)
    made: list[Run] = []

    def run(code: str, **chosen: object) -> Run:
        made.append(Run(code, **chosen))
        return made[-1]

    yield run
    for one in made:
        await one.close()


async def test_the_program_of_the_manual_finds_and_its_findings_come_as_numbers_of_low_confidence(make: Maker) -> None:
    run = await make(programs.manual_example()).ready()
    run.say("hello", "you GLORP", "Send it or else")
    await run.until(lambda: len(run.found) == 2)
    assert run.found == [(1, 0, 2, "hate.provider.low", 0), (1, 0, 3, "threat.provider.low", 0)]
    assert run.count("lines", "answered") == 3
    assert run.count("findings", "hate") == run.count("findings", "threat") == 1
    assert len(programs.manual_example().splitlines()) <= 20


async def test_a_case_is_explained_by_the_words_and_the_confidence_and_not_by_words_that_nobody_said(
    make: Maker,
) -> None:
    run = await make(programs.manual_example(), provider_use="all").ready()
    assert await run.provider.explain("and SEND it or else") == (("threat.provider", 0.95, "SEND it or else"),)
    assert await run.provider.explain("hello") == ()
    liar = await make(programs.LIES).ready()
    assert await liar.provider.explain("hello") == (("hate.provider.low", 1.0, ""),)


async def test_classes_that_are_switched_off_and_requests_count_for_nothing_with_tips_alone(make: Maker) -> None:
    code = (
        programs.READY
        + "answer()\nwhile True: answer([{'class': c, 'confidence': 1} for c in ('hate', 'groom', 'threat')])"
    )
    run = await make(code, off=["hate"]).ready()
    run.say("hello")
    await run.until(lambda: bool(run.found))
    assert [rule for _, _, _, rule, _ in run.found] == ["threat.provider.low"]


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (programs.HANGS, "late"),
        (programs.EXITS, "ended"),
        (programs.GARBAGE, "malformed"),
        (programs.FOREIGN, "malformed"),
        (programs.GIGABYTE, "flood"),
        ("import sys; sys.exit(1)", "ended"),
    ],
)
async def test_a_bad_program_is_ended_and_started_again_and_who_sends_lines_never_waits(
    code: str, cause: str, make: Maker
) -> None:
    with capture_logs() as events:
        run = make(code, provider_seconds=1 if cause == "late" else 30)  # to start takes seconds on a full machine
        while run.count("ends", cause) < 2:
            run.say("hello", "there")  # raises nothing, and is not waited for: its socket is full, or it has room
            await asyncio.sleep(0.01)
    assert {one["cause"] for one in events if one["event"] == "provider.ended"} == {cause}
    assert not run.found
    assert not any("hello" in str(one) for one in events)


async def test_its_process_takes_no_memory_for_a_flood(make: Maker) -> None:
    run = await make(programs.GIGABYTE).ready()
    most = Path(f"/proc/{run.provider.pid}/limits").read_text().split("Max address space")[1].split()[0]
    assert int(most) == 512 * 1024 * 1024


async def test_a_program_that_does_not_exist_is_said_in_words(make: Maker) -> None:
    with capture_logs() as events:
        run = make("", provider_command=["no-such-program"])
        await run.until(lambda: run.count("ends", "ended") >= 1)
    assert "there is no program no-such-program" in [one.get("reason") for one in events]


async def test_the_program_is_in_a_jail(make: Maker) -> None:
    run = await make(programs.TRIES).ready()
    run.say("hello")
    await run.until(lambda: run.count("lines", "answered") == 1)
    tried = {rule.removesuffix(".provider.low") for _, _, _, rule, _ in run.found}
    assert tried == {"hate", "threat", "money", "link", "contact", "private"}  # and may read files, and have threads
    assert not Path("/dev/shm/provider-was-here").exists()


async def test_it_ends_with_the_process_that_keeps_it(make: Maker) -> None:
    run = await make(programs.HANGS, provider_seconds=30).ready()
    keeper = run.provider.pid
    (program,) = [int(pid) for pid in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()]
    os.kill(keeper, 9)
    await run.until(
        lambda: not Path(f"/proc/{program}").exists() or "State:\tZ" in Path(f"/proc/{program}/status").read_text()
    )


async def test_a_stopped_process_costs_lines_alone(make: Maker) -> None:
    run = await make(programs.manual_example()).ready()
    os.kill(run.provider.pid, 19)
    try:
        for _ in range(2_000):
            run.say(*["hello there " * 20] * 20)
        assert run.refused > 0
        assert await asyncio.wait_for(asyncio.shield(run.provider.explain("hello")), 60) == ()
    finally:
        os.kill(run.provider.pid, 18)
    run.say("glorp", chat=2)
    while not any(chat == 2 for chat, *_ in run.found):
        run.say("glorp", chat=2)
        await asyncio.sleep(0.05)
    assert run.count("lines", "dropped") > 0


async def test_an_invalid_message_ends_the_process(make: Maker) -> None:
    run = await make(programs.manual_example()).ready()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for message in ({"counts": 1, "lag": 0, "found": []}, {"counts": {}, "lag": 0.0, "found": []}):
            with pytest.raises((ValueError, KeyError)):
                run.provider.take(ours, orjson.dumps(message))
        counts = {"answered": 0, "late": 0, "dropped": 0}
        rows = [[1, 0, 1, "threat"], [1, 7, 1, "hate.provider"], ["1", 0, 1, "hate.provider"]]
        run.provider.take(ours, orjson.dumps({"counts": counts, "lag": 0.0, "found": rows}))
    assert run.found == []  # a rule that is no provider's, a side that is none, a chat that is no number
    assert MESSAGE_MAX == 64 * 1024
