"""Start a provider's program in its jail, write questions to it and read its answers.

`python -m server.trust.text_provider.provider_program PARENT MEMORY PROGRAM …` confines itself, says what it could not give up, and becomes the
program. **Invariant:** the program has no network, can start no other process and write no file; without a filter of system calls it is not
run. It ends with the process that started it. Its errors are discarded, because they may quote a line.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from server.ops.process.process_jail import SYSCALLS, confine, program_jail
from server.trust.text_provider.provider_protocol import ANSWER_MAX, PIECE, say_begun

BACKLOG_MAX: Final = 256 * 1024  # bytes of questions that the program has not read
NO_JAIL: Final = 77  # exit status
CAUSES: Final = {
    "ended": "it ended by itself",
    "flood": "it wrote a line that is too long",
    "malformed": "it wrote lines that are no answers",
    "late": "it did not answer in time",
    "unjailed": "this system cannot jail it",
}
RELAY: Final = "server.trust.text_provider.provider_relay"
_THREADS: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Misbehaved(Exception):
    """The program is to be ended. `cause`: a word of CAUSES, for metrics; `fault`: why it could not begin, of the program's own process."""

    def __init__(self, cause: str, fault: str = "") -> None:
        super().__init__(fault or CAUSES[cause])
        self.cause = cause
        self.fault = fault


class ProviderProgram:
    """A running program. `words`: the command line of its first process; `environment`: all its variables; `show_errors`: its errors are shown."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], *, show_errors: bool = False) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - what the operator chose
            words,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if show_errors else subprocess.DEVNULL,
            cwd="/",
            bufsize=0,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("no pipes")
        self._input, self._output = self._process.stdin, self._process.stdout
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
        self._unwritten = bytearray()
        self._unread = bytearray()
        self.pid = self._process.pid

    @property
    def output(self) -> int:
        """The descriptor from which answers are read."""
        return self._output.fileno()

    @property
    def input(self) -> int:
        """The descriptor to which questions are written."""
        return self._input.fileno()

    @property
    def backlog(self) -> int:
        """Bytes of questions that are not written yet."""
        return len(self._unwritten)

    def put(self, question: bytes) -> None:
        """Write a question, or as much of it and of those before as the program has room for."""
        self._unwritten += question
        self.flush()

    def flush(self) -> None:
        """Write what was not written yet, as far as there is room. Raises Misbehaved if the program has ended, or reads nothing."""
        try:
            while self._unwritten:
                del self._unwritten[: os.write(self.input, self._unwritten[:PIECE])]
        except BlockingIOError:
            if len(self._unwritten) > BACKLOG_MAX:
                raise Misbehaved("late") from None
        except OSError:
            raise Misbehaved("ended") from None

    def lines(self) -> list[bytes]:
        """Return the lines that the program has written, of one read. Raises Misbehaved if it has ended, or writes a line that is too long."""
        try:
            piece = os.read(self.output, PIECE)
        except BlockingIOError:
            return []
        if not piece:
            raise Misbehaved("ended")
        self._unread += piece
        *whole, rest = self._unread.split(b"\n")
        if len(rest) > ANSWER_MAX or any(len(line) > ANSWER_MAX for line in whole):
            raise Misbehaved("flood")
        self._unread = rest
        return [bytes(line) for line in whole]

    def end(self) -> int:
        """End the program; return its exit status, negative for a signal. A second call returns the same."""
        for pipe in (self._input, self._output):
            pipe.close()
        if self._process.returncode is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except PermissionError:  # it is still root's, and looks for its parent before it begins
                return -signal.SIGKILL
            except ProcessLookupError:
                pass
            self._process.wait()
        return self._process.returncode


def command_words(command: Sequence[str], memory: int) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment of an operator's command in its jail."""
    words = [sys.executable, "-m", __spec__.name, str(os.getpid()), str(memory), *command]
    return words, _environment({"PATH": os.environ.get("PATH", os.defpath)})


def relay_words(url: str, key: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment of the program that asks a server."""
    return [sys.executable, "-m", RELAY, str(os.getpid()), url], _environment({"PROVIDER_KEY": key})


def _environment(more: dict[str, str]) -> dict[str, str]:
    ours = {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    return {**ours, **_THREADS, **more}


def run_in_place(path: str, command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Become a program. Raises OSError."""
    os.execve(path, command, environment)  # noqa: S606 - the operator's


def main(arguments: Sequence[str]) -> int:
    """Become the program. Return an exit status if that fails. Raises OSError."""
    parent, memory, *command = arguments
    found = shutil.which(command[0])
    if found is None:
        say_begun([], f"there is no program {command[0]}")
        return 1
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    without = confine(program_jail(int(parent), int(memory)))
    if any(one.startswith(SYSCALLS) for one in without):
        say_begun(without, "this system has no filter of system calls (libseccomp, seccomp)")
        return NO_JAIL
    say_begun(without)
    return run_in_place(found, command, environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
