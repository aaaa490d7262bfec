"""Test the translation of a case's chats: bounded, and without those that fail."""

from __future__ import annotations

import asyncio

from server.trust.console.chat_translation import AT_ONCE, TRANSLATED_MOST, translations
from tests.server.trust.moderation.people import text


class Upper:
    """A translation server that knows all but one line. `most`: lines at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.inside = self.most = 0

    async def translate_line(self, text: str, target: str) -> str | None:
        """Translate by writing in capitals."""
        self.asked.append(text)
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        self.inside -= 1
        return None if text == "odd" else f"{text.upper()} {target}"

    async def stop(self) -> None:
        """Do nothing."""


async def test_lines_are_translated_once_each_and_failures_are_missing() -> None:
    server = Upper()
    found = await translations(server, [text("hola", "odd", "hola"), text("adios")], "de")
    assert found == {"hola": "HOLA de", "adios": "ADIOS de"}
    assert sorted(server.asked) == ["adios", "hola", "odd"]


async def test_a_long_case_is_bounded() -> None:
    server = Upper()
    found = await translations(server, [text(*(f"line {number}" for number in range(500)))], "de")
    assert len(found) == len(server.asked) == TRANSLATED_MOST
    assert server.most <= AT_ONCE
