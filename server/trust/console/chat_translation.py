"""Translate the lines of a case's chats into the moderator's language, by the service's translation server.

**Invariant:** only a moderator who opened the case can ask for it, TRANSLATED_MOST lines of it at most, and no translation is kept. The translation
server gets the lines and the language, and nothing about a user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from server.trust.console.console_ports import Translator
from server.trust.evidence.chat_evidence import Evidence

TRANSLATED_MOST = 100  # lines, of the newest chats
AT_ONCE = 4  # lines that are sent at once: users' lines are translated by the same server


async def translations(translator: Translator, texts: Sequence[Evidence], language: str) -> Mapping[str, str]:
    """Return translations by line; a line without one is missing."""
    lines = list(dict.fromkeys(line.text for text in reversed(texts) for line in text.lines))[:TRANSLATED_MOST]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(line: str) -> tuple[str, str | None]:
        async with gate:
            return line, await translator.translate_line(line, language)

    found = await asyncio.gather(*map(one, lines))
    return {line: said for line, said in found if said is not None and said != line}
