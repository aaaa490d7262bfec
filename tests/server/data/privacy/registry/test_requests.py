"""What is kept of requests: as long as the law wants, and not a day of what was written beyond the answer."""

from server.data.privacy.registry.requests import REQUESTS
from server.data.privacy.registry_model import Basis, Column, Days, Forever, Purpose, While
from server.data.schema.data_request_schema import metadata

BY_KEY = {item.key: item for item in REQUESTS}


def test_requests_are_kept_24_months_and_used_for_nothing_else() -> None:
    keep = BY_KEY["request"].keep
    assert isinstance(keep, Days)
    assert keep.days == 730
    for item in REQUESTS:
        assert set(item.purposes) <= {Purpose.LEGAL, Purpose.VERIFY, Purpose.SAFETY}
        assert item.basis is Basis.LAW or item.key == "request_limits"


def test_what_was_written_goes_with_the_request_at_day_ninety_at_the_latest() -> None:
    keep = BY_KEY["request_text"].keep
    assert isinstance(keep, While)
    assert keep.longest == 90 * 86_400


def test_only_what_a_person_revoked_and_the_lines_of_the_ledger_have_no_end() -> None:
    assert [item.key for item in REQUESTS if isinstance(item.keep, Forever)] == ["disclosure", "rights_key"]


def test_every_column_about_a_person_is_declared() -> None:
    declared = {place.name for item in REQUESTS for place in item.places if isinstance(place, Column)}
    for name in (
        "request",
        "request_text",
        "request_contact",
        "request_answer",
        "rights_key",
        "agent_use",
        "disclosure",
        "disclosure_subject",
        "law_order",
    ):
        about = {f"{name}.{c.name}" for c in metadata.tables[name].columns if c.info.get("pd")}
        assert about <= declared
