"""Whoever asked is there by a value that stands in no other table."""

from server.data.schema.deletion_schema import deletion, erased
from server.data.schema.record_schema import metadata
from tests.server.data.conftest import Kit


def test_both_tables_say_of_every_column_whose_it_is() -> None:
    assert all(column.info for table in (deletion, erased) for column in table.columns)
    assert not [key for table in (deletion, erased) for key in table.foreign_keys]


def test_who_asked_joins_with_no_other_table(kit: Kit) -> None:
    pseudonyms = kit.pseudonyms
    others = {*pseudonyms.live_identities(11), pseudonyms.kept_identity(11), pseudonyms.safety_identity(11)}
    assert pseudonyms.deletion_subject(11) not in others | {pseudonyms.audit_subject(value) for value in others}
    assert deletion.name in metadata.tables
