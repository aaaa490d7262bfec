"""Check the words by which the text model found something in the lines of a case."""

from dataclasses import replace

from server.trust.console.detection_explanations import explanations
from server.trust.evidence.chat_evidence import Detection
from tests.server.trust.moderation.people import text


async def test_a_finding_of_the_model_has_its_words_and_one_of_a_rule_has_none() -> None:
    said = text("i will kill you tonight", "hello")
    number = said.lines[0].number
    found = (Detection(number, said.side, "threat.model.low"), Detection(number, said.side, "threat"))
    words = await explanations([replace(said, found=found)])
    assert list(words) == [("threat.model.low", "i will kill you tonight")]
    assert set(words["threat.model.low", "i will kill you tonight"].split(", ")) <= {
        "i",
        "will",
        "kill",
        "you",
        "tonight",
    }


async def test_without_a_finding_of_the_model_it_is_not_asked() -> None:
    assert await explanations([text("hello")]) == {}
