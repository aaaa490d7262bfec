"""What is kept of a report leaves: each table by a clock of its own, or by `until`."""

from server.data.privacy.registry.safety import SAFETY_ITEMS
from server.data.privacy.registry_model import Column, Days
from server.data.schema.moderation_schema import appeal, ban, case, case_comment, case_subject, evidence, notice, report
from server.data.schema.transparency_schema import law_notice


def test_every_table_of_moderation_has_its_clock() -> None:
    clocks = {item.keep.after.partition(".")[0] for item in SAFETY_ITEMS if isinstance(item.keep, Days)}
    assert clocks | {"evidence"} == {
        table.name for table in (case, case_subject, case_comment, report, evidence, ban, notice, appeal, law_notice)
    }


def test_every_item_can_be_held_and_names_its_own_table() -> None:
    for item in SAFETY_ITEMS:
        assert item.hold == (item.key != "law_notice")  # a notice of anybody names nobody by whom it could be held
        tables = {place.name.partition(".")[0] for place in item.places if isinstance(place, Column)}
        assert tables == {{"snap": "evidence"}.get(item.key, item.key)}
