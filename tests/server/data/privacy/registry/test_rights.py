"""What is kept of a deletion: keyed values, and no longer than the law and the backups ask."""

from server.data.privacy import registry_history
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry.rights import RIGHTS
from server.data.privacy.registry_model import Column, Export
from server.data.statement import statement_document
from server.ops.config.settings import Retention


def test_nobody_is_named_but_by_a_keyed_value() -> None:
    forms = {place.name: place.form for item in RIGHTS for place in item.places if isinstance(place, Column)}
    assert (forms["deletion.who"], forms["erased.value"]) == ("keyed", "keyed")


def test_a_request_stays_24_months_and_the_statement_says_so() -> None:
    item = REGISTRY.item("deletion")
    assert registry_history.days_of(item, Retention(days=7)) == 730
    assert statement_document.keep_words(item, Retention()) == "730 days after the request"
    assert not item.delete.can


def test_what_hides_is_told_to_be_and_is_handed_out_to_nobody() -> None:
    assert REGISTRY.item("erased").export is Export.NOT_LINKED
