"""Test a provider's program: what it writes is bounded, and it receives nothing of this server."""

import os
import select
import subprocess
import sys
from collections.abc import Callable

import pytest

from server.trust.text_provider.provider_program import (
    BACKLOG_MAX,
    NO_JAIL,
    Misbehaved,
    ProviderProgram,
    command_words,
    relay_words,
)
from server.trust.text_provider.provider_protocol import ANSWER_MAX
from tests.server.trust.text_provider.programs import PYTHON


def run(code: str) -> ProviderProgram:
    return ProviderProgram([PYTHON, "-c", code], {"PATH": os.defpath})


def until(program: ProviderProgram, what: Callable[[], list[bytes]]) -> list[bytes]:
    """Return the next lines."""
    while True:
        select.select([program.output], [], [], 30)
        if lines := what():
            return lines


def read_all(program: ProviderProgram) -> None:
    """Read until it ends or misbehaves."""
    while True:
        until(program, program.lines)


def write_all(program: ProviderProgram) -> None:
    """Write until it ends or misbehaves."""
    while True:
        program.put(b"x" * 4096)


def test_lines_are_whole_and_one_that_is_too_long_is_refused() -> None:
    long = f"print('b' * {ANSWER_MAX}); sys.stdout.write('c' * {ANSWER_MAX + 1}); sys.stdout.flush()"
    program = run(f"import sys, time; print('a', flush=True); input(); {long}; time.sleep(600)")
    try:
        assert until(program, program.lines) == [b"a"]
        program.put(b"go on\n")
        with pytest.raises(Misbehaved, match="too long"):
            read_all(program)
    finally:
        assert program.end() == program.end() == -9


def test_a_program_that_reads_nothing_costs_bounded_memory() -> None:
    program = run("import time; time.sleep(600)")
    try:
        with pytest.raises(Misbehaved, match="in time"):
            write_all(program)
        assert program.backlog <= BACKLOG_MAX + 4096
    finally:
        program.end()


def test_the_end_of_a_program_is_seen_by_reader_and_writer() -> None:
    program = run("pass")
    with pytest.raises(Misbehaved, match="by itself"):
        until(program, program.lines)
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(Misbehaved, match="by itself"):
        write_all(program)
    assert program.end() == 0


def test_it_receives_nothing_of_this_server_and_the_key_stands_in_no_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SERENDIP_STORE__URL", "secret")
    words, environment = command_words(("model", "--quick"), 1 << 20)
    assert words[-2:] == ["model", "--quick"]
    assert not {name for name in environment if "SERENDIP" in name}
    words, environment = relay_words("https://a.example/lines", "sesame")
    assert "sesame" not in " ".join(words)
    assert environment["PROVIDER_KEY"] == "sesame"


def test_without_a_filter_of_system_calls_no_program_is_run() -> None:
    code = (
        "import sys; from server.ops.process import syscall_filter; syscall_filter._LIBRARY = 'none.so';"
        " from server.trust.text_provider.provider_program import main; sys.exit(main(sys.argv[1:]))"
    )
    _, environment = command_words(("echo",), 1 << 31)
    done = subprocess.run(
        [sys.executable, "-c", code, str(os.getpid()), str(1 << 31), "echo", "it runs"],
        env=environment, capture_output=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == NO_JAIL
    assert b"no filter of system calls" in done.stdout
    assert b"it runs" not in done.stdout
