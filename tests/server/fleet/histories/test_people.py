"""What a user of a history takes for a fault, and what not."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.server.fleet.histories.people import Person

NOTHING: dict[str, Any] = {"type": "resumed", "chat": None}


def resumed(chat: str) -> dict[str, Any]:
    """They are in a chat again."""
    return {"type": "resumed", "chat": chat, "taken": 0}


@pytest.mark.parametrize("repeats", [True, False])
async def test_only_a_search_repeated_after_a_resume_explains_that_they_are_resumed_in_another_chat(
    repeats: bool,
) -> None:
    """The search of before the resume goes on, and finds somebody; the next one, which the server reads then, leaves that chat for another."""
    faults: list[str] = []
    person = Person("a", faults.append, lambda _: False, lambda _: False)
    person._sock, server = socket.socketpair()
    with person._sock, server:
        person._hear({"type": "hello", "session": "1", "token": "first"})
        person.find("sailing")
        if repeats:
            person.resuming = True
            person._hear({"type": "hello", "session": "2", "token": "second"})
            person._hear(NOTHING)
            person.find("sailing")
        person._hear({"type": "matched", "chat": "found by the first search"})
        person.resuming = True
        person._hear({"type": "hello", "session": "3", "token": "third"})
        person._hear(resumed("found by the second search"))
    assert faults == ([] if repeats else ["a is resumed into another chat"])
    assert person.chat == "found by the second search"
