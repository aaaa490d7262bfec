"""The program whose chats callgrind counts has all of them end, and says how many there were."""

import subprocess
import sys

import pytest

from bench.server.chat_program import USERS
from bench.support import callgrind
from bench.support.results import ROOT


@pytest.mark.thorough
@pytest.mark.parametrize("what", ["open", "kept", "rows"])
def test_users_chat_in_each_round_while_it_is_counted(what: str) -> None:
    command = [sys.executable, "-m", "bench.server.chat_program", "2", what]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        callgrind.await_word(child, "ready")
        callgrind.go_on(child)
        assert USERS // 2 < int(callgrind.heard(child)) <= USERS
        callgrind.go_on(child)
        assert child.wait(20) == 0
