"""The tables of moderation: one person a row, and no value of a person that another table has too."""

from sqlalchemy import LargeBinary

from server.data.schema.moderation_schema import appeal, ban, case, case_subject, evidence, report

TABLES = (case, case_subject, report, evidence, ban, appeal)


def test_no_row_has_two_people() -> None:
    for table in TABLES:
        keyed = [
            column.name
            for column in table.columns
            if isinstance(column.type, LargeBinary) and column.type.length == 17 and column.name != "network"
        ]
        assert len(keyed) <= 1, table.name


def test_no_table_points_to_another_by_a_key_of_the_database() -> None:
    assert not any(table.foreign_keys for table in TABLES)
