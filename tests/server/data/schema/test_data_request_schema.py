"""The tables of requests: one person a row, and what was written stands apart from who asked."""

from sqlalchemy import LargeBinary

from server.data.schema.data_request_schema import (
    agent_use,
    request,
    request_answer,
    request_contact,
    request_text,
    rights_key,
)

TABLES = (request, request_text, request_contact, request_answer, rights_key, agent_use)


def test_no_row_has_two_people_and_no_words_stand_beside_one() -> None:
    for table in TABLES:
        keyed = [c.name for c in table.columns if isinstance(c.type, LargeBinary) and c.type.length == 17]
        words = [c.name for c in table.columns if isinstance(c.type, LargeBinary) and (c.type.length or 0) > 17]
        assert len(keyed) <= 1
        assert not (keyed and words), table.name


def test_no_table_points_to_another_by_a_key_of_the_database() -> None:
    assert not any(table.foreign_keys for table in TABLES)
