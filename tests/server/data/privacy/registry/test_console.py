"""What is kept of operators stands in the registry, apart from people who chat."""

from server.data.privacy.registry.console import CONSOLE
from server.data.privacy.registry_model import Column, Cookie
from server.data.schema.console_schema import answer_template, api_token, approval, console_session, operator, passkey
from server.data.schema.emergency_review_schema import emergency_review

TABLES = {
    table.name for table in (operator, passkey, console_session, approval, answer_template, api_token, emergency_review)
}


def test_every_item_is_about_staff_and_says_so() -> None:
    assert all(item.what.startswith("Staff only") for item in CONSOLE)
    assert not any(item.subject for item in CONSOLE), "no person who asks for their data is found by these"


def test_the_items_hold_the_consoles_tables_alone() -> None:
    places = [place for item in CONSOLE for place in item.places]
    assert {place.name.partition(".")[0] for place in places if isinstance(place, Column)} == TABLES
    assert [place.name for place in places if isinstance(place, Cookie)] == ["__Host-mod", "__Host-mod-language"]
