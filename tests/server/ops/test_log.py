"""The log says what happened and never what somebody wrote; nothing undeclared gets through."""

import ast
import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog

from server.ops import log
from server.ops.config.settings import Log

SERVER = Path(log.__file__).parents[1]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


class Stderr:
    """What was written to standard error since the last look."""

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured

    def lines(self) -> list[bytes]:
        assert log.sink().flush(10)
        return self._captured.readouterr().err.splitlines()


@pytest.fixture
def stderr(capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Stderr]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield Stderr(capfdbinary)
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()
    log.undeclared.clear()


def test_an_event_is_one_json_object_on_one_line(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)
    log.get().info("metrics.ready", host="127.0.0.1\n{}", port=9464)
    (line,) = stderr.lines()
    event = orjson.loads(line)
    assert list(event) == ["time", "level", "event", "host", "port"]
    assert (event["level"], event["event"], event["host"], event["port"]) == (
        "info",
        "metrics.ready",
        "127.0.0.1\n{}",
        9464,
    )


def test_columns_keep_one_event_on_one_line_without_terminal_escapes(stderr: Stderr) -> None:
    log.configure(Log(format="console"), strict=True)
    log.get().info("metrics.ready", host="a\n\x1b[31mb", port=1)
    (line,) = stderr.lines()
    assert b"\x1b" not in line
    assert b"metrics.ready" in line


def test_a_level_below_the_chosen_one_is_not_written(stderr: Stderr) -> None:
    log.configure(Log(level="error"))
    log.get().warning("metrics.port_taken", host="", port=1)
    assert stderr.lines() == []


def test_a_level_is_set_for_a_group_or_for_all_others_until_it_is_set_back(stderr: Stderr) -> None:
    def written() -> list[str]:
        for event in ("metrics.ready", "server.crowded"):
            log.get().debug(event)
        log.get().info("server.stopped")
        return [orjson.loads(line)["event"] for line in stderr.lines()]

    log.configure(Log(), strict=True)
    assert written() == ["server.stopped"]
    log.set_level("metrics", "debug")
    assert written() == ["metrics.ready", "server.stopped"]
    log.set_level("all", "warning")
    assert written() == ["metrics.ready"]
    for group in ("metrics", "all"):
        log.set_level(group, "default")
    assert written() == ["server.stopped"]
    for group, level in (("nobody", "info"), ("metrics", "loud")):
        with pytest.raises(log.BadLevel, match="there is no such"):
            log.set_level(group, level)


def test_an_undeclared_event_or_field_raises_where_strict(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)
    with pytest.raises(log.UndeclaredEventError, match="somebody said"):
        log.get().info("somebody said")
    with pytest.raises(log.UndeclaredEventError, match=r"metrics\.ready text"):
        log.get().info("metrics.ready", text="hello")


def test_an_undeclared_event_or_field_is_dropped_and_counted_in_production(stderr: Stderr) -> None:
    log.configure(Log())
    log.get().info("somebody said")
    log.get().info("metrics.ready", port=1, text="hello")
    (line,) = stderr.lines()
    assert b"hello" not in line
    assert dict(log.undeclared) == {"somebody said": 1, "metrics.ready text": 1}


def test_a_field_is_cut_at_its_longest(stderr: Stderr) -> None:
    log.configure(Log())
    log.get().info("metrics.ready", host="x" * 100_000, port=1)
    assert len(stderr.lines()[0]) < 400


def test_an_exception_is_its_type_and_its_places_not_its_text(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)
    try:
        int("what somebody wrote")
    except ValueError as error:
        log.get().error("loop.fault", **log.described(error))
    (line,) = stderr.lines()
    assert b"somebody" not in line
    assert b"ValueError" in line
    assert b"test_log.py:" in line


def test_a_complaint_of_the_loop_without_an_exception_says_what_it_is_and_of_which_task(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)

    async def complain() -> None:
        loop = asyncio.get_running_loop()
        waits = loop.create_task(asyncio.Event().wait())
        log.loop_fault(loop, {"message": "Task was destroyed but it is pending!", "task": waits})
        log.loop_fault(loop, {"message": "something", "exception": ValueError("what somebody wrote")})
        waits.cancel()

    asyncio.run(complain())
    pending, raised = map(orjson.loads, stderr.lines())
    assert pending["said"] == "Task was destroyed but it is pending! (Event.wait)"
    assert raised["error"] == "ValueError"
    assert "said" not in raised


def test_a_library_s_record_is_its_name_not_its_text(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)
    logging.getLogger("some.library").error("address %s said %s", "192.0.2.1", "hello")
    (line,) = stderr.lines()
    assert b"some.library" in line
    assert b"192.0.2.1" not in line
    assert b"hello" not in line
    assert b'"where":"test_log.py:' in line


def test_a_write_to_a_connection_that_is_lost_is_no_warning(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)
    for said in ("socket.send() raised exception.", "SSL connection is closed", "another thing"):
        logging.getLogger("asyncio").warning(said)
    assert len(stderr.lines()) == 1


def test_an_exception_is_named_by_the_one_that_began_it_and_a_time_out_by_itself(stderr: Stderr) -> None:
    log.configure(Log(), strict=True)

    async def late() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(10)

    for fails in (lambda: asyncio.run(late()), lambda: wrapped(OSError(28, "said"))):
        try:
            fails()
        except (RuntimeError, TimeoutError) as error:
            log.get().error("loop.fault", **log.described(error))
    assert [orjson.loads(line)["error"] for line in stderr.lines()] == ["TimeoutError", "OSError"]


def wrapped(first: Exception) -> None:
    try:
        raise first
    except OSError as error:
        raise RuntimeError("a wrapper") from error


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger in the server's sources, with its place."""
    for source in SERVER.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            owner = ast.unparse(node.func.value)
            if owner.split(".")[-1] in {"logger", "log", "get()"}:
                yield f"{source.name}:{node.lineno}", node


def test_every_log_call_names_a_declared_event_and_declared_fields() -> None:
    wrong = []
    for place, call in calls():
        event = call.args[0] if call.args else None
        name = event.value if isinstance(event, ast.Constant) else None
        fields = {keyword.arg for keyword in call.keywords if keyword.arg}
        if name not in log.EVENTS or len(call.args) != 1 or fields - log.EVENTS[str(name)]:
            wrong.append(f"{place} {ast.unparse(call)}")
    assert not wrong


def test_every_declared_event_is_logged_somewhere() -> None:
    sources = "".join(source.read_text() for source in SERVER.rglob("*.py") if source.name != "log.py")
    own = Path(log.__file__).read_text()
    assert [event for event in log.EVENTS if f'"{event}"' not in sources and own.count(f'"{event}"') < 2] == []
