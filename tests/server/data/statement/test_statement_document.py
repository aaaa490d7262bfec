"""The statement says what this deployment does, by name, and nothing of what is off; in each language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Text
from server.data.statement.statement_document import document, said
from server.http.words.catalogue import words
from server.http.words.sentence_formatter import said as spoken
from server.ops.config.settings import Settings

EVERYTHING: dict[str, Any] = {
    "operator": {
        "name": "A B",
        "email": "p@example.org",
        "address": "Street 1",
        "country": "Norway",
        "authority": "Datatilsynet",
    },
    "objects": {"url": "s3://bucket"},
    "mail": {"host": "mail.example"},
    "console": {"digest": "owner@example.org"},
    "translation": {"url": "http://localhost:5000"},
    "challenge": {
        "provider": "turnstile",
        "site_key": "k",
        "secret": "s",
        "origin": "https://challenge.example",
        "send_address": True,
    },
    "pictures": {"provider": "http", "url": "https://pictures.example"},
    "screening": {"provider": "http", "provider_url": "https://lines.example"},
    "server": {"proxies": ["10.0.0.0/8"]},
    "cluster": {"nats": "nats://localhost:4222", "address": "10.0.0.1:8499"},
    "video": {"turn": ["turn:turn.example"]},
    "recipients": [
        {"name": "Hoster Ltd", "kind": "hosting", "country": "Norway", "deletes": "by_us"},
        {"name": "Mailer Inc", "kind": "mail", "items": ["college_mail"]},
    ],
}


def of(chosen: dict[str, Any], language: str = "en") -> dict[str, Any]:
    """The statement under some settings."""
    return document(Settings.model_validate(chosen), language)


def test_the_statement_has_every_category_and_where_all_is_on_every_item() -> None:
    found = of(EVERYTHING)
    rows = {row["letter"]: row["collected"] for row in found["categories"] if row["letter"]}
    assert set(rows) == set("ABCDEFGHIJKL")
    assert [letter for letter, collected in rows.items() if not collected] == list("CDEIJK")
    assert {item["key"] for item in found["items"]} == {item.key for item in REGISTRY.items}
    assert all(item["what"] and item["kept"] and item["purposes"] for item in found["items"])


def test_providers_stand_there_by_name() -> None:
    assert [(one["name"], one["kind"]) for one in of(EVERYTHING)["providers"]] == [
        ("Hoster Ltd", "hosting"),
        ("Mailer Inc", "mail"),
    ]
    assert of({})["providers"] == []


@pytest.mark.parametrize(
    ("off", "gone", "words"),
    [
        (
            {"mail": {"host": ""}},
            {"audit_digest", "college", "college_mail", "log_college", "request_mail"},
            "mail relay",
        ),
        (
            {"video": {"enabled": False}},
            {"signal", "snap_memory", "snap_provider", "video_off"},
            "connect video calls",
        ),
        ({"server": {"proxies": []}}, {"access_log"}, "log file of the web server"),
        (
            {"console": {"enabled": False}},
            {"operator", "approval", "answer_template", "api_token", "audit_digest"},
            "the public half of their passkey",
        ),
        ({"translation": {"url": ""}}, {"translated"}, "translat"),
        ({"challenge": {}}, {"captcha", "captcha_address"}, "may set cookies of its own"),
        (
            {"video": {"enabled": False}, "pictures": {"in_chat": "off"}},
            {"signal", "sent_picture", "snap", "snap_memory", "snap_provider", "video_off"},
            "send each other pictures",
        ),
        ({"pictures": {}}, {"snap_provider"}, "scores the pictures"),
        ({"screening": {}}, {"text_provider"}, "Which other company"),
        ({"omegle": {"enabled": False}}, set(), "Omegle-compatible"),
        ({"video": {"turn": []}}, set(), "connect video calls"),
    ],
    ids=[
        "mail",
        "video",
        "proxy",
        "console",
        "translation",
        "captcha",
        "no pictures",
        "pictures",
        "provider",
        "omegle",
        "turn",
    ],
)
def test_what_is_off_is_not_in_the_text(off: dict[str, Any], gone: set[str], words: str) -> None:
    on, without = of(EVERYTHING), of({**EVERYTHING, **off})
    assert {item["key"] for item in on["items"]} - {item["key"] for item in without["items"]} == gone
    assert words in orjson.dumps(on).decode()
    assert words not in orjson.dumps(without).decode()


def test_without_a_store_nothing_is_said_to_be_kept() -> None:
    found = of({**EVERYTHING, "store": {"enabled": False}})
    places = {place for item in found["items"] for place in item["places"]}
    assert not any("database" in place or "object store" in place for place in places)
    text = orjson.dumps(found).decode()
    for word in ("saved chat stays", "legal hold", "hosting and object-store", "police, on demand"):
        assert word not in text, word
    (cookie,) = [item for item in found["items"] if item["key"] == "identity"]
    assert (cookie["places"], cookie["kept"]) == (["cookie"], "120 days after your last visit")


@pytest.mark.parametrize("language", spoken())
def test_another_language_says_the_same(language: str) -> None:
    theirs = of(EVERYTHING, language)
    assert {text["lang"] for text in theirs["texts"]} == {language}
    assert [text["key"] for text in theirs["texts"]] == [text["key"] for text in of(EVERYTHING)["texts"]]
    assert "Datatilsynet" in orjson.dumps(theirs["texts"]).decode()
    assert "{" not in "".join(text["body"] for text in theirs["texts"])


def test_what_a_language_lacks_or_has_of_another_english_is_marked_as_english() -> None:
    new = Text("brand.new", "New", "A sentence by {operator}.")
    assert said(new, Settings(), "de") == {
        "key": "brand.new", "lang": "en", "title": "New", "body": "A sentence by The operator of this server.",
    }  # fmt: skip

    who = next(text for text in REGISTRY.texts if text.key == "front.who")
    changed = said(replace(who, body=f"{who.body} And more."), Settings(), "de")
    assert (changed["lang"], changed["body"].endswith("And more.")) == ("en", True)


def test_the_catalogue_has_the_english_of_the_registry_and_of_nothing_else() -> None:
    declared = {f"declared.{text.key}": text.body for text in REGISTRY.texts} | {
        f"declared.{text.key}.title": text.title for text in REGISTRY.texts
    }
    table = words()["en"].table
    assert {key: table[key] for key in table if key.startswith("declared.")} == declared


def test_an_operator_without_a_name_is_named_in_the_readers_language() -> None:
    assert of({}, "de")["operator"]["name"] == "Der Betreiber dieses Servers"
    assert "Der Betreiber dieses Servers" in of({}, "de")["texts"][0]["body"]
    assert of({"operator": {"name": "A B"}}, "de")["operator"]["name"] == "A B"


def test_what_an_operator_writes_is_text_and_no_template() -> None:
    found = of({"operator": {"name": "{days} <b>", "email": "{operator}"}})
    (who,) = [text["body"] for text in found["texts"] if text["key"] == "front.who"]
    assert who == "{days} <b> is responsible for your data here. You reach us at {operator}."


def test_of_a_provider_that_is_not_named_no_contract_is_claimed() -> None:
    bare, named = (
        of({"mail": {"host": "m"}}),
        of({"mail": {"host": "m"}, "recipients": [{"name": "M", "kind": "mail"}]}),
    )
    rows = {row["recipient"]: row for row in bare["recipients"]}
    assert rows["the mail relay of the operator"] == {
        "recipient": "the mail relay of the operator", "contract": "none is named", "deletes": "",
    }  # fmt: skip
    assert "data processing agreement" not in orjson.dumps(bare).decode()
    contracts = {row["recipient"]: row["contract"] for row in named["recipients"]}
    assert contracts["the mail relay of the operator"] == "data processing agreement"
    assert contracts["hosting and object-store providers"] == "none is named"
    assert {word for row in bare["categories"] for word in row["disclosed"]} == set()
    assert {word for row in named["categories"] for word in row["disclosed"]} == {"the mail relay of the operator"}


@pytest.mark.parametrize("language", spoken())
def test_where_requests_are_taken_the_statement_names_their_page_first(language: str) -> None:
    written = {"operator": {"name": "A B", "email": "p@example.org"}}
    for chosen, reached in (({}, False), (written, True)):
        ask = next(text["body"] for text in of(chosen, language)["texts"] if text["key"] == "front.you")
        assert "/privacy/request" in ask
        assert ("p@example.org" in ask) == reached
        if reached:
            assert ask.index("/privacy/request") < ask.index("p@example.org")
    assert spoken()[language].text("privacy.nowhere") not in orjson.dumps(of({}, language)).decode()
    without = orjson.dumps(of({"store": {"enabled": False}}, language)).decode()
    assert "/privacy/request" not in without
    assert spoken()[language].text("privacy.nowhere") in without
