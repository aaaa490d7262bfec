"""Check the words by which rules and the text model found something in the lines of a case."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from server.trust.console.detection_explanations import DetectionWords
from server.trust.evidence.chat_evidence import Detection, Evidence
from server.trust.text_provider.provider_client import Explanation
from tests.server.trust.moderation.people import text

LINE = "so i will kill you tonight. add me snap: annax22"


def found(*rules: str, line: str = LINE) -> Evidence:
    """Return a chat in whose first line these rules matched."""
    said = text(line, "hello")
    number = said.lines[0].number
    return replace(said, found=tuple(Detection(number, said.side, rule) for rule in rules))


async def test_a_finding_of_the_model_has_its_words() -> None:
    words = await DetectionWords().explain([found("threat.model.low")])
    assert list(words) == [("threat.model.low", LINE)]
    assert words["threat.model.low", LINE]


async def test_a_finding_of_a_rule_has_the_words_that_matched() -> None:
    words = await DetectionWords().explain([found("threat", "contact.handle", "link", "no rule")])
    assert words == {("threat", LINE): "i will kill you tonight", ("contact.handle", LINE): "snap: annax22"}


async def test_cases_that_are_read_at_once_have_the_words_of_their_own_lines() -> None:
    """Each is explained in a thread, and all by the same rules and model."""
    words = DetectionWords()
    lines = (
        LINE,
        "add me snap: lena_2004 and " + LINE * 2,
        "ok hello there you",
        "my insta: kim.x9, your mother will be killed by me",
    )
    cases = [found("threat", "contact.handle", "threat.model.low", "self-harm.model.low", line=line) for line in lines]
    alone = [await words.explain([case]) for case in cases]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        together = await asyncio.gather(*[words.explain([case]) for case in cases * 50])
    finally:
        sys.setswitchinterval(before)
    assert together == alone * 50


async def test_the_operator_s_rules_are_read_again_after_a_change(tmp_path: Path) -> None:
    words = DetectionWords(tmp_path)
    assert await words.explain([found("hate")]) == {}
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["tonight"]\n')
    assert await words.explain([found("hate")]) == {("hate", LINE): "tonight"}
    (tmp_path / "own.toml").write_text("[hate\n")
    assert await words.explain([found("hate")]) == {}


async def test_a_finding_of_the_provider_has_its_confidence_and_words_whatever_the_settings_were(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    async def provider(line: str) -> tuple[Explanation, ...]:
        asked.append(line)
        return (Explanation("hate.provider.low", 0.8, "annax22"), Explanation("money.provider", 1.0, ""))

    words = DetectionWords(ask_provider=provider)
    case = found("hate.provider", "money.provider.low", "threat")
    assert await words.explain([case]) == {
        ("hate.provider", LINE): "80%: annax22",
        ("money.provider.low", LINE): "100%",
        ("threat", LINE): "i will kill you tonight",
    }
    assert asked == [LINE]
    assert await DetectionWords().explain([found("hate.provider")]) == {}


async def test_where_nothing_was_detected_no_line_is_read() -> None:
    assert await DetectionWords().explain([text(LINE)]) == {}
