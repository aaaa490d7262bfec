"""Test that each command sends one frame of the protocol; the server's answers are tested in test_client.py."""

from collections.abc import Mapping
from typing import Any

import pytest

from serendip_client.commands import Commands


class Written(Commands):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []

    async def _send(self, body: Mapping[str, Any]) -> None:
        self.sent.append(body)


async def test_each_call_is_a_frame() -> None:
    one = Written()
    await one.signal(candidate=None)
    await one.report("spam", "a note", 1, [3], "c")
    await one.report("spam")
    await one.react(3, "heart")
    await one.react(3, None)
    await one.block()
    await one.seen("n")
    await one.save("c")
    await one.solve("age", "adult")
    await one.no_snap("n", "early")
    await one.ping()
    assert one.sent == [
        {"type": "signal", "candidate": None},
        {"type": "report", "reason": "spam", "note": "a note", "who": 1, "lines": [3], "chat": "c"},
        {"type": "report", "reason": "spam", "note": ""},
        {"type": "react", "seq": 3, "face": "heart"},
        {"type": "react", "seq": 3},
        {"type": "block"},
        {"type": "seen", "id": "n"},
        {"type": "save", "chat": "c"},
        {"type": "solution", "kind": "age", "response": "adult"},
        {"type": "nosnap", "nonce": "n", "why": "early"},
        {"type": "ping"},
    ]
    with pytest.raises(ValueError, match=r"react: face is one of heart"):
        await one.react(3, "poop")  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        await Commands().ping()
