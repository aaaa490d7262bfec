"""What LibreTranslate is asked and what comes of it, against a server that speaks its API."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.ops.config.settings import Translation
from server.site.translation.libretranslate import ANSWER_MAX, AUTO, NotTranslated, TranslationClient, is_language
from tests.support.libretranslate import LibreTranslate

Maker = Callable[..., TranslationClient]


@pytest.fixture
async def libre(theirs: LibreTranslate) -> AsyncIterator[Maker]:
    """Makes clients of it, which end with the test."""
    made: list[TranslationClient] = []

    def make(**settings: Any) -> TranslationClient:
        client = TranslationClient(Translation.model_validate({"url": theirs.url, "key": "sesame"} | settings))
        made.append(client)
        return client

    yield make
    theirs.open.set()
    for client in made:
        await client.stop()
        assert client.inside == 0


async def refused(
    libre: TranslationClient, text: str = "Wie geht es dir?", source: str = "de", target: str = "en"
) -> str:
    """The word of the refusal."""
    with pytest.raises(NotTranslated) as found:
        await libre.translate(text, source, target)
    return found.value.code


async def test_it_gets_the_line_and_the_languages_and_nothing_of_whose_they_are(
    libre: Maker, theirs: LibreTranslate
) -> None:
    client = libre()
    assert await client.translate("Wie geht es dir?", "de", "en") == ("How are you?", "de")
    assert await client.translate("Wie geht es dir?", AUTO, "en") == ("How are you?", "de")
    asked = {"q": "Wie geht es dir?", "target": "en", "format": "text", "api_key": "sesame"}
    assert theirs.asked == [asked | {"source": "de"}, asked | {"source": "auto"}]
    names = {name.lower() for head in theirs.heads for name in head}
    assert names <= {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection"}
    assert {head["User-Agent"] for head in theirs.heads} == {"serendip"}
    assert client.tally["translated"] == 2


async def test_a_language_that_it_does_not_have_is_said_so(libre: Maker) -> None:
    client = libre()
    assert await refused(client, target="tlh") == "language"
    assert client.reading()["serendip_translations"][("language",)] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("status", "body", "code", "cause"),
    [
        (403, b'{"error":"Invalid API key"}', "away", "denied"),
        (500, b"{}", "away", "refused"),
        (302, b"", "away", "refused"),
        (429, b'{"error":"Slowdown: 20 per 1 minute"}', "busy", None),
        (200, b"<html>", "away", "malformed"),
        (200, b"[]", "away", "malformed"),
        (200, b'{"translatedText":""}', "away", "malformed"),
        (200, b'{"translatedText":["a"]}', "away", "malformed"),
        (200, b'{"translatedText":"' + b"a" * ANSWER_MAX + b'"}', "away", "malformed"),
    ],
)
async def test_whatever_it_answers_is_a_word_and_is_logged_without_the_line(
    libre: Maker, theirs: LibreTranslate, status: int, body: bytes, code: str, cause: str | None
) -> None:
    client = libre()
    theirs.wrong = status, body
    with capture_logs() as told:
        assert [await refused(client), await refused(client)] == [code, code]
    said = {"event": "translation.failed", "log_level": "warning"}
    assert told == ([] if cause is None else [said | {"cause": cause}])  # once, and nothing of the line
    theirs.wrong = None
    assert (await client.translate("How are you?", "en", "de")).text == "Wie geht es dir?"


async def test_where_the_language_was_to_be_found_and_is_no_language_there_is_no_translation(
    libre: Maker, theirs: LibreTranslate
) -> None:
    theirs.wrong = 200, json.dumps({"translatedText": "a", "detectedLanguage": {"language": '"><b>'}}).encode()
    assert await refused(libre(), source=AUTO) == "away"


async def test_so_many_are_asked_at_once_so_many_wait_and_the_next_is_refused_at_once(
    libre: Maker, theirs: LibreTranslate
) -> None:
    client = libre(at_once=2, waiting=3)
    theirs.open.clear()
    tasks = [asyncio.create_task(client.translate("a b", "en", "de")) for _ in range(5)]
    await asyncio.to_thread(theirs.wait, 2)
    assert await refused(client) == "busy"
    assert client.reading()["serendip_translations_waiting"] == 5
    theirs.open.set()
    assert [found.text for found in await asyncio.gather(*tasks)] == ["b a"] * 5
    assert theirs.most == 2


async def test_who_waits_too_long_is_told_and_takes_no_place_any_more(libre: Maker, theirs: LibreTranslate) -> None:
    client = libre(at_once=1, waiting=1, timeout=0.2)
    theirs.open.clear()
    assert [await refused(client), await refused(client)] == ["away", "away"]
    assert client.inside == 0


async def test_a_server_that_is_not_there_is_away() -> None:
    client = TranslationClient(Translation(url="http://127.0.0.1:9"))
    assert await refused(client) == "away"
    await client.stop()


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hans", "fil"])
def test_a_short_tag_is_a_language(tag: str) -> None:
    assert is_language(tag)


@pytest.mark.parametrize("tag", ["", "e", "auto", "en_GB", "en-", "en\n", "x" * 40, "en-a-b-c-d", None, 1, "аб"])
def test_anything_else_is_none(tag: object) -> None:
    assert not is_language(tag)
