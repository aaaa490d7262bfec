"""What the tables say in another language: every term of the registry and of the documents made from it, and nothing that is left over."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import Markup

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Basis, Category, Days, Export, HandedOn, Item, Purpose, Recipient, Source
from server.data.statement.statement_document import CLOSED, PROVIDERS, document, keep_words
from server.data.statement.term_translations import SAID, TERMS, Terms
from server.ops.config.settings import Retention, Settings

KINDS: tuple[Any, ...] = (Category, Source, Purpose, Basis, Recipient, Export)


def terms_of(found: dict[str, Any]) -> set[str]:
    """All that the tables of a statement say."""
    said = {row[name] for row in found["items"] for name in ("what", "basis", "kept", "exported", "deletable_why")}
    said |= {
        word for row in found["items"] for name in ("sources", "purposes", "recipients", "places") for word in row[name]
    }
    said |= {row[name] for row in found["recipients"] for name in ("recipient", "contract", "deletes") if row[name]}
    said |= {REGISTRY.heading(row["key"]) for row in found["items"]}
    return said | {row["name"] for row in found["categories"]}


@pytest.mark.parametrize("language", TERMS)
def test_every_language_has_every_term_of_every_deployment(language: str) -> None:
    mail = {"mail": {"host": "mail.example"}, "translation": {"url": "http://localhost:5000"}}
    everything = {
        **mail,
        "console": {"digest": "o@chat.example"},
        "server": {"proxies": ["10.0.0.1"]},
        "video": {"turn": ["turn:t.example"]},
    }
    said = {member.value for kind in KINDS for member in kind} | set(CLOSED.values())
    named = {**everything, "recipients": [{"name": "A", "kind": kind} for kind in PROVIDERS]}
    for chosen in (everything, named, {**everything, "store": {"enabled": False}}):
        said |= terms_of(document(Settings.model_validate(chosen)))
    missing = {term for term in said if TERMS[language].find(term) is None}
    assert not missing
    half = {found for term in said if len(found := str(SAID[language](term))) > 25 and found in said}
    assert not half, "said in English all the same"
    for item in REGISTRY.items:
        check_built(item, language)


def check_built(item: Item, language: str) -> None:
    """What stands inside of a built term is in that language too."""
    find = TERMS[language].find
    for name in ("why", "what"):
        inside = getattr(item.keep, name, None)
        assert inside is None or find(inside), item.key
    for place in item.places:
        assert not isinstance(place, HandedOn) or find(place.by), item.key
    if isinstance(item.keep, Days):
        assert find(keep_words(item, Retention()).partition(" days after ")[2]), item.key


def test_what_a_language_lacks_is_english_and_marked_and_never_markup() -> None:
    days = {"one": "{n} Tag nach: {event}", "other": "{n} Tage nach: {event}"}
    say = Terms({"{n} day after {event}": days, "{n} days after {event}": days, "its end": "Ende"}, "de")
    assert say("3 days after its end") == "3 Tage nach: Ende"
    assert say("3 days after <b>") == "3 Tage nach: <b>"
    assert not isinstance(say("3 days after <b>"), Markup), "the page escapes it"
    assert say("1 days after its end") == "1 Tag nach: Ende"
    assert say("no days after its end") == Markup('<span lang="en" dir="ltr">no days after its end</span>')
    assert say("a <b>") == Markup('<span lang="en" dir="ltr">a &lt;b&gt;</span>')
    assert say("{n}") == Markup('<span lang="en" dir="ltr">{n}</span>')
    assert SAID["en"]("a <b>") == "a <b>"
